"""Where a face lies in its picture: the one alignment of training faces and of the way back."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.align import similarity
from unmask.faces.pyramid import Halves
from unmask.faces.topology import MEAN_FACE, Points, contours_of

JAW = 17  # of the 68: it moves with the mouth and is the widest guess from the side
PADDING = 0.5  # faceswap's "face"; its "legacy" is 0.375, its "head" 0.625


def face_matrix(landmarks: Points, size: int, *, padding: float = PADDING) -> NDArray[np.float64]:
    """Return the similarity that brings a face into a square picture, (2, 3) for (x, y, 1).

    Brows, eyes, nose and mouth are brought nearest to those of the mean face, whose box lies in
    the middle. Whole numbers are pixel centres on both sides, as for OpenCV: `cut_face` takes the
    matrix, and its inverse (`cv2.invertAffineTransform`) leads back. Two sizes show the same part
    of the face.

    Args:
        landmarks: (K, 2) pixels x, y with K of 478, 68 or 5.
        size: the side of the picture in pixels.
        padding: the share of the side that brows, eyes, nose and mouth leave free in width.

    Raises:
        InvalidInputError: if the landmarks are of another number, not finite or all in one place,
            or if the size or the padding is out of range.

    Source:
        The alignment of https://github.com/deepfakes/faceswap (commit 183aee37), to the mean face
        of `unmask.faces.topology`.

    Example:
        >>> face_matrix(100 * MEAN_FACE, 256).round(2).tolist()
        [[0.72, 0.0, 127.5], [-0.0, 0.72, 95.61]]
    """
    if size < 1:
        raise InvalidInputError(f"size must be 1 pixel or more, got {size}; 256 is usual")
    if not 0 <= padding < 1:
        raise InvalidInputError(
            f"padding must lie in [0, 1), got {padding}; 0.5 is usual, 0.625 shows the whole head"
        )
    inner = contours_of(landmarks)[JAW:]
    if not np.isfinite(inner).all():
        raise InvalidInputError(
            "landmarks must be finite, got NaN or infinity; leave frames without a face out"
        )
    return similarity(inner, _mean() * (1 - padding) * size + (size - 1) / 2)


def cut_face(image: Image, matrix: NDArray[np.floating], size: int) -> Image:
    """Return the face that a matrix of `face_matrix` brings into a picture: (size, size, 3).

    A face that is made smaller is averaged before it is sampled. What lies outside the picture
    repeats its border: a black edge would be a feature to learn, and a real clip has none.

    Args:
        image: (H, W, 3) uint8.
        matrix: (2, 3), from its pixels to those of the result.
        size: the side of the result.
    """
    shrinking = 1 / float(np.hypot(*matrix[:, 0]))
    # Sampled twice as finely and averaged, it is 5 to 10 dB nearer to the mean over areas.
    fine = 2 if shrinking > 1 else 1
    level, factor = Halves(image).level(shrinking / fine)
    inner = fine * matrix
    inner[:, 2] += inner[:, :2] @ np.full(2, (factor - 1) / 2) + (fine - 1) / 2
    inner[:, :2] *= factor
    sampled = cv2.warpAffine(
        level, inner, (fine * size, fine * size), borderMode=cv2.BORDER_REPLICATE
    )
    cut: Image = cv2.resize(sampled, (size, size), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return cut


@cache
def _mean() -> NDArray[np.float64]:
    """Return the mean face without its jaw, (51, 2): 1 wide, the middle of its box at 0."""
    points = MEAN_FACE[JAW:].astype(np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    return np.asarray((points - (low + high) / 2) / (high - low)[0], np.float64)
