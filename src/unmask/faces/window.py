"""The part of a picture around a face, and the face at another size."""

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image

Window = tuple[slice, slice]  # rows and columns
Points = NDArray[np.float32]


def window_around(points: NDArray[np.floating], margin: float, image: Image) -> Window | None:
    """Return the rows and columns of an image around points (N, 2), or None where none lie in it.

    Args:
        points: pixels x, y.
        margin: how many pixels more to take on each side.
        image: the picture, (H, W) or (H, W, 3); the window is cut at its border.
    """
    height, width = image.shape[:2]
    left, top = np.floor(np.maximum(points.min(axis=0) - margin, 0)).astype(int).tolist()
    right, bottom = np.ceil(points.max(axis=0) + margin + 1).astype(int).tolist()
    rows, columns = slice(top, min(bottom, height)), slice(left, min(right, width))
    # A single row or column is no picture to warp.
    if rows.stop - rows.start < 2 or columns.stop - columns.start < 2:
        return None
    return rows, columns


def corner_of(window: Window) -> Points:
    """Return the x, y of a window's first pixel."""
    return np.array([window[1].start, window[0].start], dtype=np.float32)


def shrunk(image: Image, points: Points, scale: float) -> tuple[Image, Points]:
    """Return a picture made smaller, means over areas, and where the points lie in it.

    Args:
        image: (H, W, 3) uint8.
        points: (K, 2) pixels x, y.
        scale: the new size over the old; 1 or more changes nothing.
    """
    if scale >= 1:
        return image, points
    height, width = image.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # The borders of both pictures lie on each other; pixel centres are half a pixel inside.
    factors = np.array([size[0] / width, size[1] / height])
    moved = (points + 0.5) * factors - 0.5
    return np.asarray(small, dtype=np.uint8), np.asarray(moved, dtype=np.float32)
