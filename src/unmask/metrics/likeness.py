"""How alike two pictures are: PSNR and SSIM."""

from math import inf, log10
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.errors import InvalidInputError

WINDOW, SIGMA = 11, 1.5  # of SSIM's Gaussian, in pixels
WHITE = 255.0
STEADY = (0.01 * WHITE) ** 2, (0.03 * WHITE) ** 2  # C1 and C2, which keep the ratio finite

Picture = NDArray[np.uint8]


def psnr(one: Picture, other: Picture) -> float:
    """Return the peak signal-to-noise ratio in dB; infinite where the pictures are equal.

    Args:
        one: (H, W, 3) uint8.
        other: of the same shape.

    Raises:
        InvalidInputError: if the shapes differ.

    Example:
        >>> black = np.zeros((4, 4, 3), np.uint8)
        >>> round(psnr(black, black + 1), 2), psnr(black, black)
        (48.13, inf)
    """
    _check(one, other, 1)
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 10 * log10(WHITE**2 / error) if error else inf


def ssim(one: Picture, other: Picture) -> float:
    """Return the mean structural similarity, of all three channels.

    It is taken wherever the whole window lies inside the picture.

    Args:
        one: (H, W, 3) uint8, of 11 pixels a side or more.
        other: of the same shape.

    Raises:
        InvalidInputError: if the shapes differ or the pictures are smaller than the window.

    Reference:
        Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity",
        IEEE Transactions on Image Processing 13(4), 2004, section III (equation 13).

    Example:
        >>> black = np.zeros((16, 16, 3), np.uint8)
        >>> ssim(black, black)
        1.0
    """
    _check(one, other, WINDOW)
    a, b = one.astype(np.float64), other.astype(np.float64)
    mean_a, mean_b = _blurred(a), _blurred(b)
    variances = _blurred(a * a) - mean_a**2 + _blurred(b * b) - mean_b**2
    covariance = _blurred(a * b) - mean_a * mean_b
    light, structure = STEADY
    above = (2 * mean_a * mean_b + light) * (2 * covariance + structure)
    below = (mean_a**2 + mean_b**2 + light) * (variances + structure)
    return float(np.mean(above / below))


def _blurred(values: NDArray[np.float64]) -> NDArray[Any]:
    edge = WINDOW // 2
    return cv2.GaussianBlur(values, (WINDOW, WINDOW), SIGMA)[edge:-edge, edge:-edge]


def _check(one: Picture, other: Picture, least: int) -> None:
    if one.shape != other.shape or one.ndim != 3 or min(one.shape[:2]) < least:
        raise InvalidInputError(
            f"two pictures must have one shape (H, W, 3) with sides of {least} or more, got "
            f"{one.shape} and {other.shape}; cut out the same part of both"
        )
