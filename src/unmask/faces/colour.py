"""Colour statistics of a region, and their transfer from one picture to another."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError

# A deviation below this is a flat colour: dividing by it would turn noise into stripes.
FLAT = 0.5


@dataclass(frozen=True)
class ColourStatistics:
    """What the colours of a region are like, in CIE Lab (L in [0, 100]).

    Args:
        mean: (3,) of L, a, b.
        deviation: (3,) standard deviations.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    def towards(self, other: "ColourStatistics", share: float) -> "ColourStatistics":
        """Return the mixture with `share` of the other in it."""
        return ColourStatistics(
            (1 - share) * self.mean + share * other.mean,
            (1 - share) * self.deviation + share * other.deviation,
        )

    def limited(self, other: "ColourStatistics", factor: float) -> "ColourStatistics":
        """Return these statistics with deviations at most `factor` times from those of the other.

        Two faces differ in contrast by their light, but also by their lips and brows: a large
        gain turns a natural mouth into a painted one.
        """
        low, high = other.deviation / factor, other.deviation * factor
        return ColourStatistics(self.mean, np.clip(self.deviation, low, high))


def colour_statistics(image: Image, mask: NDArray[np.uint8]) -> ColourStatistics:
    """Return mean and standard deviation of the pixels where the mask is not 0.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W).

    Raises:
        InvalidInputError: if the mask is empty.
    """
    pixels = image[mask > 0]
    if not len(pixels):
        raise InvalidInputError(
            "mask must mark at least one pixel, got an empty one; check that the face lies in "
            "the picture"
        )
    mean, deviation = cv2.meanStdDev(_to_lab(pixels[None]))
    return ColourStatistics(mean[:, 0].astype(np.float32), deviation[:, 0].astype(np.float32))


def match_colour(image: Image, own: ColourStatistics, wanted: ColourStatistics) -> Image:
    """Return the image with its statistics moved from `own` to `wanted`.

    Each channel of Lab becomes (value - own mean) * wanted deviation / own deviation + wanted
    mean. What leaves the range of RGB is cut off there.

    Reference:
        Reinhard et al., "Color Transfer between Images", IEEE CG&A 2001, section 3; there in the
        space l-alpha-beta, here in CIE Lab.
    """
    gain = wanted.deviation / np.maximum(own.deviation, FLAT)
    matched = _to_lab(image) * gain + (wanted.mean - own.mean * gain)
    back = cv2.cvtColor(matched.astype(np.float32), cv2.COLOR_Lab2RGB)
    return np.asarray(np.rint(np.clip(back, 0, 1) * 255), dtype=np.uint8)


def _to_lab(image: Image) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab))
