"""What each landmark of a face is: 478 of MediaPipe's mesh, 68 of iBUG's scheme, or five."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.errors import InvalidInputError, unknown_name

Points = NDArray[np.float32]  # (K, 2) pixels x, y

MESH, CONTOURS, FIVE = 478, 68, 5

# Of the 478: the last ten are the irises, which slide below the lids and would fold a mesh.
SKIN = 468

# The vertices of the mesh that lie closest to each of the 68, found on the ten people of the
# openpeople package (mean distance 0.04 of the distance between the outer corners of the eyes).
# fmt: off
_CONTOURS_IN_MESH = (
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)
# fmt: on

# fmt: off
_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)
_LIPS = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)
_INNER_MOUTH = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)
_LEFT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
_RIGHT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
# fmt: on

# A region is a closed polygon.
_REGIONS: dict[int, dict[str, tuple[int, ...]]] = {
    MESH: {
        "lips": _LIPS,
        "inner_mouth": _INNER_MOUTH,
        "left_eye": _LEFT_EYE,
        "right_eye": _RIGHT_EYE,
    },
    CONTOURS: {
        "lips": tuple(range(48, 60)),
        "inner_mouth": tuple(range(60, 68)),
        "left_eye": tuple(range(36, 42)),
        "right_eye": tuple(range(42, 48)),
    },
}

# The mean of the nine neutral faces of openpeople (P003 left out), made symmetric. The middles of
# the eyes lie at (-0.5, 0) and (0.5, 0).
# fmt: off
MEAN_FACE: Points = np.array([
    (-1.07, 0.042), (-1.061, 0.27), (-1.042, 0.503), (-0.938, 1.016), (-0.845, 1.228),
    (-0.738, 1.387), (-0.475, 1.622), (-0.194, 1.759), (0, 1.777), (0.194, 1.759),
    (0.475, 1.622), (0.738, 1.387), (0.845, 1.228), (0.938, 1.016), (1.042, 0.503),
    (1.061, 0.27), (1.07, 0.042), (-0.895, -0.238), (-0.806, -0.325), (-0.657, -0.366),
    (-0.458, -0.345), (-0.231, -0.306), (0.231, -0.306), (0.458, -0.345), (0.657, -0.366),
    (0.806, -0.325), (0.895, -0.238), (0, -0.044), (0, 0.198), (0, 0.429),
    (0, 0.573), (-0.205, 0.697), (-0.121, 0.752), (0, 0.761), (0.121, 0.752),
    (0.205, 0.697), (-0.697, -0.005), (-0.605, -0.064), (-0.441, -0.073), (-0.264, 0.03),
    (-0.417, 0.054), (-0.576, 0.057), (0.264, 0.03), (0.441, -0.073), (0.605, -0.064),
    (0.697, -0.005), (0.576, 0.057), (0.417, 0.054), (-0.406, 1.083), (-0.234, 0.994),
    (-0.119, 0.962), (0, 0.987), (0.119, 0.962), (0.234, 0.994), (0.406, 1.083),
    (0.228, 1.215), (0.122, 1.249), (0, 1.258), (-0.122, 1.249), (-0.228, 1.215),
    (-0.369, 1.082), (-0.096, 1.086), (0, 1.091), (0.096, 1.086), (0.369, 1.082),
    (0.096, 1.086), (0, 1.092), (-0.096, 1.086),
], dtype=np.float32)
# fmt: on

# How far beyond the brows the forehead goes, in distances from the eyes' middle to the brow.
FOREHEAD = 0.9
# How wide around a landmark its deviation from the mean face is felt, in distances of the eyes.
REACH = 0.6


def region(landmarks: Points, name: str) -> Points:
    """Return the closed polygon around a part of the face.

    Args:
        landmarks: (K, 2) with K of 478, 68 or 5; five are completed first.
        name: lips, inner_mouth, left_eye or right_eye.

    Raises:
        NotFoundError: if there is no such region.
        InvalidInputError: if there is no such number of landmarks.
    """
    points = landmarks if _count(landmarks) == MESH else contours_of(landmarks)
    regions = _REGIONS[len(points)]
    if name not in regions:
        raise unknown_name("a face", name, regions)
    return np.asarray(points[list(regions[name])], dtype=np.float32)


def five_of(landmarks: Points) -> Points:
    """Return (5, 2): middles of the eyes, tip of the nose, corners of the mouth."""
    return landmarks if _count(landmarks) == FIVE else _anchors(contours_of(landmarks))


def contours_of(landmarks: Points) -> Points:
    """Return (68, 2) in iBUG's order: chosen of 478, as they are, or guessed from five.

    The guess is the mean face, moved, turned and scaled to fit the five in the least squares, then
    bent so that it goes through them; it knows nothing of the mouth's opening or the lids.
    """
    count = _count(landmarks)
    if count == MESH:
        return landmarks[list(_CONTOURS_IN_MESH)]
    return landmarks if count == CONTOURS else _completed(landmarks)


def eye_distance(landmarks: Points) -> float:
    """Return the distance between the middles of the eyes in pixels: the face's unit of length."""
    left, right, *_ = five_of(landmarks)
    return float(np.hypot(*(right - left)))


def similarity(from_points: Points, to_points: Points) -> NDArray[np.float64]:
    """Return the 2x3 matrix that moves, turns and scales points onto others in the least squares.

    Reference:
        Umeyama, "Least-squares estimation of transformation parameters between two point
        patterns", PAMI 1991; in two dimensions one complex factor solves it.

    Example:
        >>> points = np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32)
        >>> similarity(points, 2 * points + 5).round(6).tolist()
        [[2.0, -0.0, 5.0], [0.0, 2.0, 5.0]]
    """
    start, end = as_complex(from_points), as_complex(to_points)
    centred = start - start.mean()
    factor = np.vdot(centred, end - end.mean()) / np.vdot(centred, centred).real
    shift = end.mean() - factor * start.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def moved(points: Points, matrix: NDArray[Any]) -> Points:
    """Return points (..., 2) after a 2x3 affine matrix."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)


def as_complex(points: NDArray[np.floating]) -> NDArray[np.complex128]:
    """Return points (..., 2) as complex numbers x + iy."""
    return np.asarray(points[..., 0] + 1j * points[..., 1], dtype=np.complex128)


def vertices(landmarks: Points) -> Points:
    """Return the points to span a mesh over the face: the skin of 478, or 68 and a forehead."""
    if _count(landmarks) == MESH:
        return landmarks[:SKIN]
    contours = contours_of(landmarks)
    return np.concatenate([contours, _forehead(contours)])


def outline(landmarks: Points) -> Points:
    """Return the polygon around the face from chin to forehead; its corners are mesh vertices."""
    if _count(landmarks) == MESH:
        return landmarks[list(_OVAL)]
    contours = contours_of(landmarks)
    return np.concatenate([contours[:17], _forehead(contours)[::-1]])


def bare_skin(landmarks: Points) -> Points:
    """Return the convex polygon of eyes, nose and inner cheeks: what hair and beards leave free."""
    contours = contours_of(landmarks)
    cheeks = (contours[[2, 14]] + contours[[31, 35]]) / 2
    return np.stack([contours[36], contours[37], contours[44], contours[45], *cheeks[::-1]])


def _count(landmarks: Points) -> int:
    if (
        landmarks.ndim != 2
        or landmarks.shape[1] != 2
        or len(landmarks) not in (MESH, CONTOURS, FIVE)
    ):
        raise InvalidInputError(
            f"landmarks must be of shape (K, 2) with K of 478, 68 or 5, got {landmarks.shape}; "
            "give one face's landmarks in one of these schemes"
        )
    return len(landmarks)


def _forehead(contours: Points) -> Points:
    """Return the ten brow points, lifted away from the line of the eyes."""
    left, right, *_ = five_of(contours)
    brows, middle = contours[17:27], (left + right) / 2
    along = (right - left) / max(float(np.hypot(*(right - left))), 1e-6)
    up = np.array([along[1], -along[0]], dtype=np.float32)
    height = float(((brows - middle) @ up).mean())
    return np.asarray(brows + FOREHEAD * max(height, 0.0) * up, dtype=np.float32)


def _anchors(contours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what (68, ...) values are at the five landmarks."""
    eyes = [contours[36:42].mean(axis=0), contours[42:48].mean(axis=0)]
    return np.stack([*eyes, contours[30], contours[48], contours[54]])


def _completed(five: Points) -> Points:
    anchors = _anchors(MEAN_FACE)
    fitted = moved(MEAN_FACE, similarity(anchors, five))
    known = _anchors(fitted)
    scale = REACH * max(eye_distance(five), 1e-6)
    squared = ((fitted[:, None] - known) ** 2).sum(axis=-1)
    nearness = np.asarray(np.exp(-squared / (2 * scale**2)), dtype=np.float32)  # (68, 5)
    return fitted + nearness @ np.linalg.solve(_anchors(nearness), five - known)
