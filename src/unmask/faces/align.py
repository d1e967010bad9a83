"""Turn and scale a face so that its five landmarks come to lie where they always lie."""

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.pyramid import Halves

# Where ArcFace (https://arxiv.org/abs/1801.07698) and all who compare with it put the eyes, the
# nose and the corners of the mouth in a picture of 112x112; whole numbers are pixel centres.
TEMPLATE_SIDE = 112
TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)


def template(size: int, *, scale: float = 1.3) -> NDArray[np.float64]:
    """Return where the five landmarks belong: (5, 2) pixels x, y.

    Args:
        size: the side of the picture in pixels.
        scale: how much more than ArcFace's picture is seen in each direction; DeepfakeBench's
            data are made with 1.3.

    Example:
        >>> template(256).round(1).tolist()[2]
        [128.0, 155.7]
    """
    middle = size / 2
    return (TEMPLATE * size / TEMPLATE_SIDE - middle) / scale + middle


def similarity(points: NDArray[np.floating], goals: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the rotation, scaling and shift that brings points nearest to their goals.

    As complex numbers the points are `z`, the goals `a z + b`, and the least squares have a closed
    solution. It never mirrors.

    Args:
        points: (N, 2), not all in one place.
        goals: (N, 2).

    Returns:
        A (2, 3) matrix for columns (x, y, 1).

    Raises:
        InvalidInputError: if all points are in one place.

    Source:
        Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point
        Patterns", IEEE TPAMI 1991, in the plane.
    """
    here, there = (one.astype(np.float64) @ [1, 1j] for one in (points, goals))
    spread, goal = here - here.mean(), there - there.mean()
    size = float(np.vdot(spread, spread).real)
    if not size > 0:
        raise InvalidInputError(
            f"points must not all be in one place, got {points[0]}; leave the face out"
        )
    turn = np.vdot(spread, goal) / size
    shift = there.mean() - turn * here.mean()
    return np.array(
        [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]], np.float64
    )


def align(
    image: Image, landmarks: NDArray[np.floating], *, size: int = 256, scale: float = 1.3
) -> Image:
    """Return the face upright, (size, size, 3), black where it reaches over the picture's edge.

    Args:
        image: (H, W, 3) uint8 RGB.
        landmarks: (5, 2) pixels x, y, in the order of `Face`.
        size: the side of the result.
        scale: see `template`.
    """
    # Landmarks count from the edge of the first pixel, OpenCV from its centre.
    matrix = similarity(landmarks - 0.5, template(size, scale=scale))
    level, factor = Halves(image).level(1 / float(np.hypot(*matrix[:, 0])))
    matrix[:, 2] += matrix[:, :2] @ np.full(2, (factor - 1) / 2)
    matrix[:, :2] *= factor
    aligned: Image = cv2.warpAffine(level, matrix, (size, size), flags=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return aligned


def seen_by(
    landmarks: NDArray[np.floating], *, size: int = 256, scale: float = 1.3
) -> tuple[float, float, float, float]:
    """Return the box of the picture that `align` looks at: left, top, right, bottom."""
    matrix = similarity(landmarks, template(size, scale=scale) + 0.5)
    turn, shift = matrix[:, :2], matrix[:, 2]
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]])
    seen = np.linalg.solve(turn, (corners - shift).T)
    left, top = seen.min(axis=1).tolist()
    right, bottom = seen.max(axis=1).tolist()
    return left, top, right, bottom
