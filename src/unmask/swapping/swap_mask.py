"""Which part of a patch is replaced by the swapped face, and how softly."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.topology import Points, contours_of, outline

# The side that masks are drawn at: fine enough to be laid over any face, at next to no cost.
MASK_SIDE = 128

MASKS = ("extended", "hull", "components", "box")

# Both halves of the face in the order of the 68: jaw, brow and the root of the nose.
_HALVES = ((*range(9), *range(17, 22), 27), (*range(8, 17), *range(22, 27), 27))


def face_mask(landmarks: Points, kind: str, *, side: int = MASK_SIDE) -> Image:
    """Return where the face lies in a patch: (side, side), 255 inside, 0 outside.

    Args:
        landmarks: (K, 2) pixels of the patch with K of 478, 68 or 5.
        kind: `extended`, the convex hull with the lower forehead; `hull`, that of the 68 points;
            `components`, both halves of the face, each convex, so that the bridge between the
            brows stays; `box`, everything.
        side: of the patch.
    """
    if kind == "box":
        return np.full((side, side), 255, np.uint8)
    contours = contours_of(landmarks)
    parts = {
        "extended": [outline(landmarks)],
        "hull": [contours],
        "components": [contours[list(half)] for half in _HALVES],
    }[kind]
    masks = [_filled(cv2.convexHull(part)[:, 0], side) for part in parts]
    return np.asarray(np.maximum.reduce(masks), np.uint8)


def _filled(polygon: NDArray[Any], side: int) -> Image:
    mask = np.zeros((side, side), np.uint8)
    corners = np.rint(polygon * 16).astype(np.int32)
    # Pixels on the line get their share: steps of whole ones would show in a large face.
    cv2.fillPoly(mask, [corners], (255,), cv2.LINE_AA, shift=4)
    return mask


def eroded(mask: Image, distance: float) -> Image:
    """Return a mask whose border has moved inwards by so many pixels.

    The border of the patch is no border of the mask: the box takes care of that.
    """
    if distance <= 0 or mask.all():
        return mask
    inside = np.where(mask >= 128, 255, 0).astype(np.uint8)
    left = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - distance
    return np.asarray(np.rint(np.clip(left, 0, 1) * 255), np.uint8)


def softened(mask: Image, *, blur: int, passes: int, threshold: float) -> Image:
    """Return a mask with a soft border, which is exactly 0 outside and 255 inside of it.

    Args:
        mask: (side, side) uint8.
        blur: side of the window that is averaged; faceswap calls it the normalised kernel.
        passes: how often.
        threshold: shares of the mask up to it become 0, and from 1 minus it on 1.
    """
    soft: Image = mask
    for _ in range(passes):
        soft = np.asarray(cv2.blur(soft, (blur, blur)), np.uint8)
    return np.where(
        soft <= threshold * 255, 0, np.where(soft >= (1 - threshold) * 255, 255, soft)
    ).astype(np.uint8)


def box_mask(*, distance: float, blur: float, side: int = MASK_SIDE) -> NDArray[np.float32]:
    """Return the share of each place of a patch that its border leaves: (side, side) in [0, 1].

    Args:
        distance: how far from the border the box begins, as a share of the side.
        blur: the deviation of the Gaussian that softens it, as a share of the side.
        side: of the patch.
    """
    edge = round(distance * side)
    box = np.zeros((side, side), np.float32)
    box[edge : side - edge, edge : side - edge] = 1
    deviation = blur * side
    if deviation <= 0:
        return box
    # Without end the blur would reach the border; a window of the distance on each side does not.
    reach = max(min(edge, round(3 * deviation)), 1)
    window = (2 * reach + 1, 2 * reach + 1)
    return np.asarray(cv2.GaussianBlur(box, window, deviation), np.float32)
