"""Which of the 478 face-mesh landmarks lie where, and the mesh between them.

The numbers are those of MediaPipe's face mesh. "Left" is the left of the picture.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Triangles = NDArray[np.int32]

LANDMARK_FILE = Path(__file__).parent / "data" / "openpeople_landmarks.npz"

MESH = 468  # those after it are the irises, which stay with the eyeball and not with the skin

LEFT_EYE = (33, 133)  # outer and inner corner
RIGHT_EYE = (263, 362)
LEFT_UPPER_LID = (246, 161, 160, 159, 158, 157, 173)
LEFT_LOWER_LID = (7, 163, 144, 145, 153, 154, 155)
RIGHT_UPPER_LID = (466, 388, 387, 386, 385, 384, 398)
RIGHT_LOWER_LID = (249, 390, 373, 374, 380, 381, 382)
UPPER_LIDS = LEFT_UPPER_LID + RIGHT_UPPER_LID
LOWER_LIDS = LEFT_LOWER_LID + RIGHT_LOWER_LID
CREASES = (247, 30, 29, 27, 28, 56, 190, 467, 260, 259, 257, 258, 286, 414)  # above UPPER_LIDS

# fmt: off
BROWS = (
    70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285,
)
OUTER_LIPS = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
)
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
# Bone: these keep their place whatever the face does.
STILL = (
    168, 6, 197, 195, 5, 4, 45, 275, 33, 133, 263, 362,
    234, 454, 127, 356, 162, 389, 21, 251, 93, 323,
)
# fmt: on
UPPER_INNER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
CHEEKS, CHEEKBONES = (205, 425), (50, 280)
FOREHEAD, CHIN, NOSE_BASE, NOSE_BRIDGE = 10, 152, 2, 168
EARS = (234, 454)

RING = 1.35  # the mesh goes on so far past the face's outline and is held still there


def eye_distance(points: Floats) -> float:
    """Return the pixels between the middles of the eyes' corners: the face's unit of length."""
    left, right = points[list(LEFT_EYE), :2].mean(axis=0), points[list(RIGHT_EYE), :2].mean(axis=0)
    return float(np.hypot(*(right - left)))


def with_ring(points: Floats) -> Floats:
    """Return the mesh's landmarks with a ring around the face's outline: (468 + 36, 2)."""
    outline = points[list(OVAL), :2]
    middle = outline.mean(axis=0)
    return np.concatenate([points[:MESH, :2], middle + RING * (outline - middle)])


def soft_step(values: Floats, start: float, end: float) -> Floats:
    """Return 0 at `start` and before, 1 at `end` and after, with soft ends between.

    Example:
        >>> soft_step(np.array([0.0, 1, 2, 3]), 1, 3).tolist()
        [0.0, 0.0, 0.5, 1.0]
    """
    share = np.clip((values - start) / (end - start), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def strip(above: Sequence[int], below: Sequence[int]) -> Triangles:
    """Return the triangles (M, 3) between two rows of points, which may share their ends.

    Example:
        >>> strip([0, 1, 2], [0, 3, 2]).tolist()
        [[1, 3, 0], [1, 2, 3]]
    """
    squares = zip(above, above[1:], below, below[1:], strict=False)
    triangles = [
        one for a, b, c, d in squares for one in ((a, b, c), (b, d, c)) if len(set(one)) == 3
    ]
    return np.array(triangles, dtype=np.int32)


@cache
def skin_triangles() -> Triangles:
    """Return the triangles (852, 3) of the face mesh; the eyes and the mouth are left open."""
    with np.load(LANDMARK_FILE) as file:
        return np.asarray(file["triangles"], dtype=np.int32)


EYE_TRIANGLES = np.concatenate(
    [
        strip((outer, *upper, inner), (outer, *lower, inner))
        for (outer, inner), upper, lower in (
            (LEFT_EYE, LEFT_UPPER_LID, LEFT_LOWER_LID),
            (RIGHT_EYE, RIGHT_UPPER_LID, RIGHT_LOWER_LID),
        )
    ]
)
MOUTH_TRIANGLES = strip(UPPER_INNER_LIP, LOWER_INNER_LIP)
# The ring's points are numbered after the mesh's, in the order of the outline.
RING_TRIANGLES = strip((*OVAL, OVAL[0]), (*range(MESH, MESH + len(OVAL)), MESH))
