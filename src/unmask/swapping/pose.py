"""How a head is turned, told from its landmarks alone."""

import numpy as np
from numpy.typing import NDArray

from unmask.faces.topology import MEAN_FACE, Points, contours_of

Rotation = NDArray[np.float64]  # (3, 3)

# Brows, nose and eyes: what neither the mouth nor the jaw moves.
STEADY = slice(17, 48)
# How far behind the middle of the eyes each of `STEADY` lies, in distances between the eyes: the
# depths of the nine neutral faces of openpeople (P003 left out), their mean made symmetric.
# fmt: off
DEPTH: NDArray[np.float64] = np.array([
    0.035, -0.104, -0.213, -0.305, -0.352, -0.352, -0.305, -0.213, -0.104, 0.035,
    -0.314, -0.443, -0.599, -0.628, -0.28, -0.306, -0.332, -0.306, -0.28,
    0.042, -0.07, -0.1, -0.042, -0.072, -0.043, -0.042, -0.1, -0.07, 0.042, -0.043, -0.072,
])
# fmt: on


def head_pose(landmarks: Points) -> Rotation:
    """Return the rotation (3, 3) from the mean face, looking at the camera, to a head.

    Its axes are those of the picture, x to the right and y down, and z away from the camera. The
    mean face is turned, scaled and moved so that brows, eyes and nose come to lie near the
    landmarks, without perspective. A face that is built otherwise seems to be turned by some
    degrees: two clips of one person compare better than two people.

    Args:
        landmarks: (K, 2) pixels x, y with K of 478, 68 or 5; of five the others are guessed.

    Raises:
        InvalidInputError: if there is no such number of landmarks.

    Reference:
        DeMenthon and Davis, "Model-based object pose in 25 lines of code", IJCV 1995: its first
        step.

    Example:
        >>> head_pose(100 * MEAN_FACE).round(3).diagonal().tolist()
        [1.0, 1.0, 1.0]
    """
    seen = contours_of(landmarks)[STEADY].astype(np.float64)
    face = np.column_stack([MEAN_FACE[STEADY], DEPTH])
    fitted, *_ = np.linalg.lstsq(face - face.mean(axis=0), seen - seen.mean(axis=0), rcond=None)
    left, _, right = np.linalg.svd(fitted.T, full_matrices=False)
    rows = left @ right  # the two rows of a rotation that are nearest
    return np.vstack([rows, np.cross(*rows)])


def angles_of(pose: Rotation) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees.

    A head looks by `yaw` to the right of the picture and by `pitch` downwards; the line of its
    eyes falls by `roll` towards the right.
    """
    x, y, z = -pose[:, 2]  # where the face looks
    yaw, pitch = np.arctan2(x, -z), np.arcsin(np.clip(y, -1, 1))
    roll = np.arctan2(pose[1, 0], pose[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def angle_between(one: Rotation, other: Rotation) -> float:
    """Return by how many degrees a head must be turned from one pose to come to another.

    Example:
        >>> upside_down = np.diag([-1.0, -1.0, 1.0])
        >>> angle_between(np.eye(3), upside_down)
        180.0
    """
    cosine = (np.trace(one.T @ other) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
