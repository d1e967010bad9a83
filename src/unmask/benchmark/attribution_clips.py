"""Example clips with what a network attends to: its weights of the frames and of the places."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from unmask.benchmark.markup import Markup, breakable, join, tag
from unmask.benchmark.pictures import data_uri
from unmask.benchmark.tables import figure
from unmask.contracts import Image

SIDE = 112  # pixels of a shown face
SHADE = 0.55  # of the heat over the face
HEAT = colormaps["inferno"]

Weights = NDArray[np.float64]


@dataclass(frozen=True)
class Watched:
    """One clip, what it was taken for, and what was attended to.

    Args:
        item: the video.
        maker: who made it.
        named: whom the network named.
        probability: of that maker, for this clip.
        frames: numbers of the frames.
        faces: (H, W, 3) uint8 RGB, one for each frame: what the network sees of the face.
        over_frames: (T,) the weights of the frames, 1 in sum.
        over_places: (T, h, w) the weights of the places.
    """

    item: str
    maker: str
    named: str
    probability: float
    frames: tuple[int, ...]
    faces: tuple[Image, ...]
    over_frames: Weights
    over_places: Weights

    @property
    def is_right(self) -> bool:
        """Whether the maker was named."""
        return self.maker == self.named


def clips_element(clips: Sequence[Watched]) -> Markup:
    """Return the clips, each with its frames in a row."""
    return join(*map(_clip, clips))


def heated(face: Image, places: Weights, *, low: float, high: float) -> Image:
    """Return a face (SIDE, SIDE, 3) with the weights of its places as heat over it.

    Args:
        face: (H, W, 3) uint8 RGB.
        places: (h, w).
        low: the weight that is drawn darkest.
        high: the weight that is drawn brightest.
    """
    shown = cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    share = (places - low) / (high - low) if high > low else np.zeros_like(places)
    wide = cv2.resize(share, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    heat = 255 * HEAT(wide)[..., :3]
    mixed = (1 - SHADE) * shown + SHADE * heat
    return np.asarray(mixed.round(), np.uint8)


def _clip(clip: Watched) -> Markup:
    low, high = float(clip.over_places.min()), float(clip.over_places.max())
    most = clip.over_frames.max()
    cells = [
        _frame(number, heated(face, places, low=low, high=high), weight, weight / most)
        for number, face, places, weight in zip(
            clip.frames, clip.faces, clip.over_places, clip.over_frames, strict=True
        )
    ]
    kind = "real" if clip.is_right else "fake"
    caption = tag(
        "figcaption",
        tag("strong", breakable(clip.maker)),
        " named ",
        tag("span", clip.named, class_=kind),
        f" with {figure(clip.probability, 2)} · ",
        breakable(clip.item),
        f" · places {low:.2g} to {high:.2g}",
    )
    return tag("figure", caption, tag("ol", *cells, class_="frames"), class_="clip")


def _frame(number: int, image: Image, weight: float, height: float) -> Markup:
    told = f"frame {number}, weight {figure(weight)}"
    bar = tag("i", style=f"--at:{height:.3f}")
    return tag(
        "li",
        tag("img", src=data_uri(image), alt=told, loading="lazy"),
        tag("div", bar, class_="bar", aria_hidden="true"),
        tag("small", figure(weight)),
    )
