"""Masks with soft borders, and two ways of putting one picture into another under a mask."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError

RIM = (2, 2, 2, 2)


def fill(polygon: NDArray[Any], shape: tuple[int, int]) -> Image:
    """Return a mask (H, W) that is 255 inside the polygon (N, 2) and on its border, else 0."""
    mask = np.zeros(shape, np.uint8)
    # Sixteenths of a pixel: a border that creeps must not jump by whole pixels.
    corners = np.rint(polygon * 16).astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, shift=4)
    return mask


def soften(mask: Image, *, erosion: float, feather: float) -> Image:
    """Return a mask that rises from 0 to 255 inside the given one; nothing outside it.

    The picture's own border is no border of the mask: a face that leaves the picture is replaced
    up to the edge.

    Args:
        mask: (H, W) uint8; what is not 0 is inside.
        erosion: how many pixels inside its border the rise begins.
        feather: over how many pixels it rises.
    """
    inside = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1]
    share = np.clip((distance - erosion) / max(feather, 1e-6), 0, 1)
    # A smooth step: its ends have no kink that would show as a line.
    return np.asarray(np.rint(share * share * (3 - 2 * share) * 255), dtype=np.uint8)


def alpha_blend(source: Image, target: Image, mask: Image) -> Image:
    """Return (mask * source + (255 - mask) * target) / 255, rounded.

    Args:
        source: (H, W, 3) uint8 RGB.
        target: the same shape.
        mask: (H, W) uint8; 0 keeps the target's pixel bit for bit, 255 takes the source's.

    Raises:
        InvalidInputError: if the shapes differ.
    """
    _check_alike(source, target, mask)
    share = mask[:, :, None].astype(np.uint32)
    return ((share * source + (255 - share) * target + 127) // 255).astype(np.uint8)


def poisson_blend(source: Image, target: Image, mask: Image) -> Image:
    """Return the target with the source's gradients where the mask is 128 or more.

    Reference:
        Pérez et al., "Poisson Image Editing", SIGGRAPH 2003, equation 11 (`cv2.seamlessClone`).

    Raises:
        InvalidInputError: if the shapes differ.
    """
    _check_alike(source, target, mask)
    chosen = np.where(mask >= 128, 255, 0).astype(np.uint8)
    if not chosen.any():
        return target.copy()
    # seamlessClone centres the mask's bounding box on a point, ignores the outermost pixels, and
    # writes into the mask that it is given.
    inner, outer = (cv2.copyMakeBorder(one, *RIM, cv2.BORDER_REPLICATE) for one in (source, target))
    padded = cv2.copyMakeBorder(chosen, *RIM, cv2.BORDER_CONSTANT, value=0)
    left, top, width, height = cv2.boundingRect(padded)
    middle = (left + width // 2, top + height // 2)
    cloned = cv2.seamlessClone(inner, outer, padded, middle, cv2.NORMAL_CLONE)[2:-2, 2:-2]
    return np.where(chosen[:, :, None] > 0, cloned, target).astype(np.uint8)


def _check_alike(source: Image, target: Image, mask: Image) -> None:
    if source.shape != target.shape or mask.shape != target.shape[:2]:
        raise InvalidInputError(
            f"source, target and mask must be equally large, got {source.shape}, {target.shape} "
            f"and {mask.shape}; warp the source onto the target first"
        )
