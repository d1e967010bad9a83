"""Faces made ready for training: at the size that is needed, in LAB, with their masks."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.blend import fill
from unmask.faces.topology import Points, outline, region
from unmask.swapping.face_set import FaceSet
from unmask.video.sample import evenly_spaced

FACE, EYES, MOUTH = 0, 1, 2  # the masks, in their order
LARGEST_MASK = 128  # pixels of its side, as published
LOW, HIGH = 10, 245  # 4 % of 255: a mask's softest shades become nothing or all
OVERSIZE = 2.25  # sides of what the network takes or gives: enough to turn and to average


@dataclass(frozen=True)
class PreparedFaces:
    """The faces of one side.

    Args:
        images: (N, W, W, 3) uint8 in LAB.
        masks: (N, M, M, 3) uint8, of face, eyes and mouth.
        landmarks: (N, 68, 2) from the middle of the face, in sides of the face.
        size: the side in pixels that the faces were cut at.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    landmarks: NDArray[np.float64]
    size: int


def prepare(
    sets: Sequence[FaceSet], *, largest: int, whole: bool = False, most: int | None = None
) -> PreparedFaces:
    """Return the faces of one or more sets of equal size.

    Args:
        sets: of one person, or of those who share a side.
        largest: pixels of the larger side of what the network takes and gives.
        whole: whether they keep their size however little of it is needed.
        most: how many faces to take of each set, evenly over all of it.
    """
    size = sets[0].images.shape[1]
    side, mask_side = _sides(size, largest, whole=whole)
    rows = [_evenly(len(one.images), most) for one in sets]
    total = sum(map(len, rows))
    images = np.empty((total, side, side, 3), np.uint8)
    masks = np.empty((total, mask_side, mask_side, 3), np.uint8)
    pairs = list(zip(sets, rows, strict=True))
    points = np.concatenate([one.landmarks[list(chosen)] for one, chosen in pairs]) + 0.5
    faces = (one.images[row] for one, chosen in pairs for row in chosen)
    for face, corners, image, mask in zip(faces, points, images, masks, strict=True):
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        cv2.cvtColor(small, cv2.COLOR_RGB2LAB, dst=image)
        mask[:] = area_masks(corners * np.float32(mask_side / size) - 0.5, mask_side)
    return PreparedFaces(images, masks, points.astype(np.float64) / size - 0.5, size)


def bytes_of_face(size: int, *, largest: int, whole: bool) -> int:
    """Return how much memory a prepared face of a size takes; see `prepare`.

    Example:
        >>> bytes_of_face(256, largest=64, whole=False)
        111360
    """
    return 3 * sum(side**2 for side in _sides(size, largest, whole=whole))


def _sides(size: int, largest: int, *, whole: bool) -> tuple[int, int]:
    """Return the sides in pixels of a face's picture and of its mask."""
    side = size if whole else min(size, round(OVERSIZE * largest))
    return side, min(side, LARGEST_MASK)


def _evenly(count: int, most: int | None) -> Sequence[int]:
    return range(count) if most is None else evenly_spaced(count, min(count, most))


def area_masks(landmarks: Points, size: int) -> Image:
    """Return the masks of face, eyes and mouth: (size, size, 3) uint8.

    The face goes from the chin to the forehead; its border is a little soft. Eyes and mouth have
    wider and softer borders.

    Args:
        landmarks: (68, 2) pixels x, y.
        size: the side of the picture.
    """
    face = cv2.GaussianBlur(_filled([outline(landmarks)], size), (3, 3), 0)
    face[face < LOW] = 0
    face[face > HIGH] = 255
    eyes = [region(landmarks, name) for name in ("left_eye", "right_eye")]
    around = [_widened(one, size) for one in (eyes, [region(landmarks, "lips")])]
    return np.stack([face, *around], axis=-1)


def _widened(polygons: Sequence[Points], size: int) -> Image:
    """Return a mask that grows by a 32nd of the size and is as soft."""
    reach = max(round(size / 32), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = cv2.dilate(_filled(polygons, size), kernel)
    blurred: Image = cv2.GaussianBlur(grown, (2 * reach + 1, 2 * reach + 1), 0)  # type: ignore[assignment]
    return blurred


def _filled(polygons: Sequence[Points], size: int) -> Image:
    masks = [fill(cv2.convexHull(one)[:, 0], (size, size)) for one in polygons]
    return np.asarray(np.maximum.reduce(masks), np.uint8)
