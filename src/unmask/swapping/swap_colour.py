"""Giving a swapped face the colours of the face that it covers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.colour import ColourStatistics, colour_statistics, match_colour

Measured = NDArray[np.float32]
Pixels = NDArray[np.uint8]  # (N, 3)

AVERAGE_PASSES = 2
KEPT_COLOURS = 0.99  # of a histogram; what lies beyond on either end counts as its last colour
QUANTILES = np.linspace(0, 1, 257)


@dataclass(frozen=True)
class Match:
    """One way of giving a picture another's colours.

    Args:
        measure: returns what is to be changed, from the pixels (N, 3) of the new face and those
            of the old one. Measures of several frames may be averaged.
        apply: returns a picture (H, W, 3) changed so.
    """

    measure: Callable[[Pixels, Pixels], Measured]
    apply: Callable[[Image, Measured], Image]


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
        self, new: Image, old: Image, inside: NDArray[np.bool_], *, goes_on: bool
    ) -> Image:
        """Return the new face in the colours of the old one.

        Args:
            new: (H, W, 3) uint8.
            old: of the same shape.
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


def _add(image: Image, offset: Measured) -> Image:
    return _as_image(image + offset)


def _statistics(new: Pixels, old: Pixels) -> Measured:
    """Return the means and deviations in Lab of both, (4, 3)."""
    own, wanted = (_statistics_of(pixels) for pixels in (new, old))
    return np.stack([own.mean, own.deviation, wanted.mean, wanted.deviation])


def _statistics_of(pixels: Pixels) -> ColourStatistics:
    return colour_statistics(pixels[None], np.ones((1, len(pixels)), np.uint8))


def _move_statistics(image: Image, known: Measured) -> Image:
    return match_colour(image, ColourStatistics(*known[:2]), ColourStatistics(*known[2:]))


def _histograms(new: Pixels, old: Pixels) -> Measured:
    """Return the level that takes each level's place, (256, 3): that of the same rank."""
    return np.stack(
        [_levels(new[:, channel], old[:, channel]) for channel in range(3)], axis=1
    ).astype(np.float32)


def _levels(new: NDArray[np.uint8], old: NDArray[np.uint8]) -> NDArray[np.float64]:
    outside = (1 - KEPT_COLOURS) / 2
    ends = [outside, 1 - outside]
    own, wanted = (np.clip(one, *np.quantile(one, ends)) for one in (new, old))
    levels, order = np.arange(256), np.sort(own)
    # Pixels of one level share a rank, the middle of theirs.
    below, upto = (np.searchsorted(order, levels, side) for side in ("left", "right"))
    rank = (below + upto) / (2 * len(own))
    return np.asarray(np.interp(rank, QUANTILES, np.quantile(wanted, QUANTILES)))


def _look_up(image: Image, levels: Measured) -> Image:
    return _as_image(np.stack([levels[image[..., one], one] for one in range(3)], axis=-1))


def _as_image(values: NDArray[Any]) -> Image:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


COLOURS: Mapping[str, Match | None] = {
    "average": Match(_average, _add),
    "reinhard": Match(_statistics, _move_statistics),
    "histogram": Match(_histograms, _look_up),
    "none": None,
}
