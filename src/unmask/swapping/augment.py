"""How a training face is changed: what is drawn, and its colours."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.topology import CONTOURS

EQUALISED = 0.5  # share of the pictures whose contrast is equalised
CLIP_LIMIT = 2.0
LIGHTNESS, COLOUR = 0.3, 0.08
ROTATION = np.pi / 18  # 10 degrees
ZOOM = SHIFT = 0.05
CONTROLS = 5  # points of the warp, along each side

_LEVELS = np.arange(256, dtype=np.float32)[:, None]


@dataclass(frozen=True)
class Draws:
    """What is drawn for B faces; nothing is changed where all are 0.

    Args:
        equalised: (B,) whether the contrast is equalised.
        tiles: (B,) in [0, 4]: in how many more tiles than the fewest.
        colour: (B, 3) shares by which lightness, green-red and blue-yellow move: above 0 towards
            the highest level, below 0 towards the lowest.
        angle: (B,) radians.
        zoom: (B,) factors.
        shift: (B, 2) shares of the side.
        flip: (B,) whether it is mirrored.
        jitter: (B, 5, 5, 2) standard normal: where the warp's control points go.
        choice: (B,) in [0, 1): which face a warp to landmarks is towards.
        beside: (B, 68, 2) standard normal: how far beside its landmarks.
    """

    equalised: NDArray[np.bool_]
    tiles: NDArray[np.float64]
    colour: NDArray[np.float64]
    angle: NDArray[np.float64]
    zoom: NDArray[np.float64]
    shift: NDArray[np.float64]
    flip: NDArray[np.bool_]
    jitter: NDArray[np.float64]
    choice: NDArray[np.float64]
    beside: NDArray[np.float64]

    def __getitem__(self, places: slice) -> "Draws":
        """Return those of some of the faces."""
        return Draws(**{name: one[places] for name, one in vars(self).items()})


def draw(random: np.random.Generator, count: int) -> Draws:
    """Return the changes of so many faces."""
    return Draws(
        equalised=random.random(count) < EQUALISED,
        tiles=random.uniform(0, 4, count),
        colour=random.uniform(-1, 1, (count, 3)) * (LIGHTNESS, COLOUR, COLOUR),
        angle=random.uniform(-ROTATION, ROTATION, count),
        zoom=1 + random.uniform(-ZOOM, ZOOM, count),
        shift=random.uniform(-SHIFT, SHIFT, (count, 2)),
        flip=random.random(count) < 0.5,
        jitter=random.standard_normal((count, CONTROLS, CONTROLS, 2)),
        choice=random.random(count),
        beside=random.standard_normal((count, CONTOURS, 2)),
    )


def no_change(count: int) -> Draws:
    """Return draws that leave so many faces as they are."""
    zeros = np.zeros(count)
    return Draws(
        equalised=np.zeros(count, np.bool_),
        tiles=zeros,
        colour=np.zeros((count, 3)),
        angle=zeros,
        zoom=np.ones(count),
        shift=np.zeros((count, 2)),
        flip=np.zeros(count, np.bool_),
        jitter=np.zeros((count, CONTROLS, CONTROLS, 2)),
        choice=zeros,
        beside=np.zeros((count, CONTOURS, 2)),
    )


def equalise(image: Image, tiles: int) -> Image:
    """Return a picture (H, W, 3) in LAB whose lightness has more contrast in each of its tiles.

    Args:
        image: uint8, lightness first.
        tiles: along each side.
    """
    changed = image.copy()
    lightness = cv2.extractChannel(image, 0)
    equal = cv2.createCLAHE(CLIP_LIMIT, (tiles, tiles)).apply(lightness)
    cv2.insertChannel(equal, changed, 0)
    return changed


def colour_tables(colour: NDArray[Any]) -> NDArray[np.uint8]:
    """Return what each level becomes, (B, 256, 3), of shares (B, 3) as in `Draws`."""
    share = colour[:, None, :].astype(np.float32)
    moved = np.where(share > 0, _LEVELS + (255 - _LEVELS) * share, _LEVELS * (1 + share))
    return np.rint(moved).astype(np.uint8)
