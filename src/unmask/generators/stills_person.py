"""One person's stills made ready to be moved: textures, landmarks and meshes in one pixel frame.

The frame is the canvas: the picture at twice its size with a margin around it, so that a head
that moves brings in what lies beside the picture, and the last step is a clean halving.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.generators.stills_face import (
    CHEEKBONES,
    LEFT_EYE,
    RIGHT_EYE,
    RING_TRIANGLES,
    Floats,
    Triangles,
    eye_distance,
    skin_triangles,
    with_ring,
)
from unmask.generators.stills_key import Key, make_key

EXPRESSIONS = ("neutral", "open", "smile")

SUPERSAMPLING = 2
MARGIN = 0.12  # of the picture's side
CROP_IN_EYE_DISTANCES = 4.8
EYES_AT = 0.43  # of the crop's height
HAIR_DIFFERS = 40  # grey levels from the background
ARCH = 0.12  # height over width of the hair above the portrait's edge
CHEEK_RADIUS = 0.38  # eye distances


@dataclass(frozen=True, eq=False)
class Person:
    """A person's neutral face on the canvas, with the keys of other expressions.

    Args:
        size: the picture's width and height in pixels.
        canvas: (C, C, 3) uint8 RGB.
        points: (478, 3) landmarks x, y, z in canvas pixels; z grows away from the camera.
        keys: the expressions by name.
    """

    size: int
    canvas: Image
    points: Floats
    keys: Mapping[str, Key]

    @property
    def margin(self) -> int:
        """Canvas pixels on each side of the picture."""
        return margin_of(self.size)

    @cached_property
    def eye_distance(self) -> float:
        """Canvas pixels between the middles of the eyes."""
        return eye_distance(self.points)

    @cached_property
    def mesh(self) -> Floats:
        """The landmarks of the skin and the ring that holds them (504, 2)."""
        return with_ring(self.points)

    @cached_property
    def skin(self) -> Triangles:
        """The triangles (M, 3) of `mesh`, without the eyes' and the mouth's openings."""
        return np.concatenate([skin_triangles(), RING_TRIANGLES])

    @cached_property
    def cheeks(self) -> NDArray[np.float32]:
        """Where the cheeks are (C, C), 1 at their middle."""
        rows, columns = np.mgrid[: len(self.canvas), : len(self.canvas)]
        squares = [
            (columns - x) ** 2 + (rows - y) ** 2 for x, y in self.points[list(CHEEKBONES), :2]
        ]
        reach = (CHEEK_RADIUS * self.eye_distance) ** 2
        return np.asarray(np.exp(-np.min(squares, axis=0) / (2 * reach)), dtype=np.float32)


def margin_of(size: int) -> int:
    """Return the canvas pixels on each side of a picture of that size."""
    return round(MARGIN * size * SUPERSAMPLING)


def make_person(
    size: int, portrait: Image, sheet: Image, landmarks: Mapping[str, Floats]
) -> Person:
    """Return the person of a portrait and a sheet of expressions.

    Args:
        size: the wanted picture's width and height in pixels.
        portrait: (H, W, 3) uint8 RGB, the neutral face.
        sheet: (H, W, 3) uint8 RGB with the other expressions.
        landmarks: (478, 3) for each of `EXPRESSIONS`: of the neutral one in pixels of the
            portrait, of the others in pixels of the sheet.
    """
    canvas, points = _neutral(size, portrait, landmarks["neutral"])
    keys = {
        name: make_key(name, canvas, points, sheet, landmarks[name]) for name in EXPRESSIONS[1:]
    }
    return Person(size, canvas, points, keys)


def _neutral(size: int, portrait: Image, landmarks: Floats) -> tuple[Image, Floats]:
    """Return the canvas with the face in its place, and the landmarks on it."""
    side = min(*portrait.shape[:2], round(CROP_IN_EYE_DISTANCES * eye_distance(landmarks)))
    eyes = landmarks[[*LEFT_EYE, *RIGHT_EYE], :2].mean(axis=0)
    left, top = (
        int(np.clip(round(start), 0, length - side))
        for start, length in zip(
            eyes - (0.5 * side, EYES_AT * side), portrait.shape[1::-1], strict=True
        )
    )
    margin = round(MARGIN * side)
    whole = side + 2 * margin
    padded = np.pad(portrait, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    region = padded[top : top + whole, left : left + whole]
    length = size * SUPERSAMPLING + 2 * margin_of(size)
    scale = length / whole
    canvas = np.asarray(
        cv2.resize(region, (length, length), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )
    _round_off(canvas, round((margin - top) * scale))
    corner, half = np.array([left - margin, top - margin, 0]), np.array([0.5, 0.5, 0])
    return canvas, (landmarks - corner + half) * scale - half


def _round_off(canvas: Image, rows: int) -> None:
    """Close hair that the portrait's upper edge cuts: narrow that row to an arch above it."""
    if rows <= 0:
        return
    edge = canvas[rows].astype(np.float32)
    is_hair = np.abs(edge - edge[[0, -1]].mean(axis=0)).max(axis=1) > HAIR_DIFFERS
    if not is_hair.any():
        return
    places = np.flatnonzero(is_hair)
    middle, height = places.mean(), max(1.0, ARCH * float(np.ptp(places)))
    up = (rows - np.arange(rows))[:, None] / height
    sources = middle + (np.arange(len(edge)) - middle) / np.sqrt(np.maximum(1 - up**2, 1e-6))
    inside = sources.clip(0, len(edge) - 1).astype(np.float32)
    canvas[:rows] = cv2.remap(edge[None], inside, np.zeros_like(inside), cv2.INTER_LINEAR)
