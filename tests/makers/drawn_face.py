"""Drawn faces of which every landmark is known: no person, no weights, any size."""

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import FaceFrame, Image
from unmask.faces.topology import MEAN_FACE, Points, contours_of, five_of, moved, outline, region


def pose(*, size: float = 40.0, x: float = 100.0, y: float = 70.0, turn: float = 0.0) -> Any:
    """Return the 2x3 matrix from the mean face to pixels: eyes `size` apart, middle at x, y."""
    real, imaginary = size * np.cos(turn), size * np.sin(turn)
    return np.array([[real, -imaginary, x], [imaginary, real, y]])


def landmarks(count: int, where: NDArray[Any]) -> Points:
    """Return the landmarks of a drawn face in the scheme of 478, 68 or 5."""
    contours = moved(MEAN_FACE, where)
    if count == 68:
        return contours
    return five_of(contours) if count == 5 else moved(_mesh(), where)


def picture(where: NDArray[Any], *, seed: int = 0, shape: tuple[int, int] = (200, 200)) -> Image:
    """Return a picture (H, W, 3) of a face, with skin, hair and background by the seed."""
    random = np.random.default_rng(seed)
    skin, hair, behind = random.uniform(60, 220, (3, 3))
    image = np.full((*shape, 3), behind)
    contours = moved(MEAN_FACE, where)
    _paint(image, outline(contours), hair, grow=1.25)
    _paint(image, outline(contours), skin)
    for name in ("left_eye", "right_eye", "lips"):
        _paint(image, region(contours, name), (150, 40, 50) if name == "lips" else (30, 30, 30))
    texture = cv2.GaussianBlur(random.normal(0, 60, (*shape, 3)), (0, 0), 1.5)
    whole = np.clip(cv2.GaussianBlur(image, (0, 0), 0.8) + texture, 0, 255)
    return np.asarray(whole, dtype=np.uint8)


def face_frame(
    number: int = 0, *, count: int = 478, seed: int = 0, shown: bool = True, **where: float
) -> FaceFrame:
    """Return a frame of a drawn face at 25 frames a second, with or without its landmarks."""
    matrix = pose(**where)
    known = landmarks(count, matrix) if shown else None
    return FaceFrame(number, number / 25, picture(matrix, seed=seed), known)


def _paint(image: NDArray[Any], polygon: Points, colour: Any, grow: float = 1.0) -> None:
    middle = polygon.mean(axis=0)
    corners = np.rint((middle + grow * (polygon - middle)) * 16).astype(np.int32)
    cv2.fillPoly(image, [corners], [float(value) for value in colour], cv2.LINE_AA, shift=4)


@cache
def _mesh() -> Points:
    """Return (478, 2): contours through those of the 68, the rest anywhere on the skin."""
    numbers = np.stack([np.arange(478, dtype=np.float32)] * 2, axis=1)
    mesh = np.random.default_rng(0).uniform((-0.8, -0.2), (0.8, 1.2), (478, 2))
    known = np.zeros(478, bool)
    told = contours_of(numbers)[:, 0].astype(int)
    mesh[told], known[told] = MEAN_FACE, True
    oval = outline(numbers)[:, 0].astype(int)  # from the middle of the forehead, clockwise
    for place in (*range(7), *range(-6, 0)):
        angle = np.pi / 2 - np.pi / 14 * place
        mesh[oval[place]], known[oval[place]] = (1.07 * np.cos(angle), -np.sin(angle)), True
    parts = [region(numbers, one) for one in ("lips", "inner_mouth", "left_eye", "right_eye")]
    for ring in (oval, *(part[:, 0].astype(int) for part in parts)):
        sure, places = np.flatnonzero(known[ring]), np.arange(len(ring))
        for axis in (0, 1):
            values = mesh[ring[sure], axis]
            mesh[ring, axis] = np.interp(places, sure, values, period=len(ring))
    return mesh.astype(np.float32)
