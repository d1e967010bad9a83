"""Giving a swapped face the colours of the face that it covers.

The new face stays in floating point: rounded, a smooth one would change its tone by whole levels
from frame to frame, all over at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.colour import ColourStatistics, colour_statistics, match_colour

Levels = NDArray[np.float32]  # (H, W, 3) RGB in [0, 255]
Measured = NDArray[np.float32]
Pixels = NDArray[Any]  # (N, 3) of either

AVERAGE_PASSES = 2
KEPT_COLOURS = 0.99  # of a histogram; what lies beyond on either end counts as its last colour
LEVELS, QUANTILES = np.arange(256), np.linspace(0, 1, 257)


@dataclass(frozen=True)
class Match:
    """One way of giving a picture another's colours.

    Args:
        measure: returns what is to be changed, from the pixels (N, 3) of the new face and those
            of the old one. Measures of several frames may be averaged.
        apply: returns a picture changed so.
    """

    measure: Callable[[Pixels, Pixels], Measured]
    apply: Callable[[Levels, Measured], Levels]


class SwapColour:
    """Matches the colours of a clip's faces, steadily over time.

    Args:
        name: one of `COLOURS`.
        share: of each frame in the running measure. At 1 each frame is matched alone, and what
            the network or the mask changes from frame to frame is seen as flicker.
    """

    def __init__(self, name: str, share: float) -> None:
        self._match, self._share = COLOURS[name], share
        self._known: Measured | None = None

    def __call__(
        self, new: Levels, old: Image, inside: NDArray[np.bool_], *, goes_on: bool
    ) -> Levels:
        """Return the new face in the colours of the old one.

        Args:
            new: (H, W, 3) float32 in [0, 255].
            old: (H, W, 3) uint8.
            inside: (H, W), the places to measure.
            goes_on: whether it is the same shot as the face before.
        """
        if self._match is None or not inside.any():
            return new
        found = self._match.measure(new[inside], old[inside])
        if goes_on and self._known is not None:
            found = self._share * found + (1 - self._share) * self._known
        self._known = found
        return self._match.apply(new, found)


def _average(new: Pixels, old: Pixels) -> Measured:
    """Return what to add, (3,), so that both have the same mean.

    It is measured twice, as published. There nothing is cut off in between, so that the second
    time adds nothing; here what left the range of colours is, and the second time makes up for
    most of it.
    """
    offset = np.zeros(3, np.float32)
    for _ in range(AVERAGE_PASSES):
        moved = np.clip(new + offset, 0, 255)
        offset += old.mean(axis=0, dtype=np.float32) - moved.mean(axis=0, dtype=np.float32)
    return offset


def _add(image: Levels, offset: Measured) -> Levels:
    return np.asarray(np.clip(image + offset, 0, 255), np.float32)


def _statistics(new: Pixels, old: Pixels) -> Measured:
    """Return the means and deviations in Lab of both, (4, 3)."""
    own, wanted = (_statistics_of(pixels) for pixels in (new, old))
    return np.stack([own.mean, own.deviation, wanted.mean, wanted.deviation])


def _statistics_of(pixels: Pixels) -> ColourStatistics:
    return colour_statistics(_rounded(pixels[None]), np.ones((1, len(pixels)), np.uint8))


def _move_statistics(image: Levels, known: Measured) -> Levels:
    own, wanted = ColourStatistics(*known[:2]), ColourStatistics(*known[2:])
    return match_colour(_rounded(image), own, wanted).astype(np.float32)


def _histograms(new: Pixels, old: Pixels) -> Measured:
    """Return the level that takes each level's place, (256, 3): that of the same rank."""
    return np.stack(
        [_levels(new[:, channel], old[:, channel]) for channel in range(3)], axis=1
    ).astype(np.float32)


def _levels(new: NDArray[Any], old: NDArray[Any]) -> NDArray[np.float64]:
    outside = (1 - KEPT_COLOURS) / 2
    ends = [outside, 1 - outside]
    own, wanted = (np.clip(one, *np.quantile(one, ends)) for one in (new, old))
    order = np.sort(own)
    # Pixels of one level share a rank, the middle of theirs.
    below, upto = (np.searchsorted(order, LEVELS, side) for side in ("left", "right"))
    rank = (below + upto) / (2 * len(own))
    return np.asarray(np.interp(rank, QUANTILES, np.quantile(wanted, QUANTILES)))


def _look_up(image: Levels, levels: Measured) -> Levels:
    channels = [np.interp(image[..., one], LEVELS, levels[:, one]) for one in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _rounded(image: NDArray[Any]) -> Image:
    return np.asarray(np.rint(image), np.uint8)


COLOURS: Mapping[str, Match | None] = {
    "average": Match(_average, _add),
    "reinhard": Match(_statistics, _move_statistics),
    "histogram": Match(_histograms, _look_up),
    "none": None,
}
