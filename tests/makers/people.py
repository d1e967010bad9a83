"""Pictures and clips of people with known landmarks, placed where a test wants them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.generators.openpeople import Clip, animate
from unmask.video.write import VideoWriter

SIDE = 256  # of a person's still
FIVE = [468, 473, 4, 61, 291]  # of the 478 landmarks: the pupils, the nose, the mouth's corners


@dataclass(frozen=True)
class Person:
    """A person in a picture.

    Args:
        name: P001 to P010.
        left: of the still in the picture, in pixels.
        top: of the still in the picture, in pixels.
        side: of the still in the picture, in pixels.
    """

    name: str
    left: float
    top: float
    side: float

    @property
    def five(self) -> NDArray[np.float64]:
        """(5, 2) where the five landmarks lie in the picture."""
        _, points = still(self.name)
        return points * (self.side / SIDE) + [self.left, self.top]


@cache
def still(name: str) -> tuple[Image, NDArray[np.float64]]:
    """Return a person (256, 256, 3) and the five landmarks (5, 2), known without any detector."""
    ((image, points),) = animate(Clip(Path(), name, "nod", 0, 1, SIDE, 25.0, 0))
    return image, points[FIVE].astype(np.float64)


def scene(size: tuple[int, int], people: Sequence[Person]) -> Image:
    """Return a picture of (width, height) = size with people before a plain wall."""
    picture = np.full((size[1], size[0], 3), (96, 110, 124), np.uint8)
    for person in people:
        image, _ = still(person.name)
        scale = person.side / SIDE
        # Landmarks count from the edge of the first pixel, OpenCV from its centre.
        shift = (scale - 1) / 2
        matrix = np.array([[scale, 0, person.left + shift], [0, scale, person.top + shift]])
        cv2.warpAffine(
            image,
            matrix,
            size,
            dst=picture,
            flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
    return picture


def write_frames(path: Path, images: Iterable[Image], *, rate: float = 25.0) -> Path:
    """Write pictures as a lossless clip; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, rate, lossless=True) as writer:
        for image in images:
            writer.write(image)
    return path
