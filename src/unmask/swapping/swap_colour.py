"""Giving a swapped face the colours of the face that it covers.

The new face stays in floating point: rounded, a smooth one would change its tone by whole levels
from frame to frame, all over at once.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.colour import ColourStatistics, colour_statistics, match_colour

Levels = NDArray[np.float32]  # (H, W, 3) RGB in [0, 255]
Pixels = NDArray[Any]  # (N, 3) of either

AVERAGE_PASSES = 2
KEPT_COLOURS = 0.99  # of a histogram; what lies beyond on either end counts as its last colour
LEVELS, QUANTILES = np.arange(256), np.linspace(0, 1, 257)


def match_colours(name: str, new: Levels, old: Image, inside: NDArray[np.bool_]) -> Levels:
    """Return the new face in the colours of the old one.

    Args:
        name: how, one of `COLOURS`.
        new: (H, W, 3) float32 in [0, 255].
        old: (H, W, 3) uint8.
        inside: (H, W), the places whose colours count; without any nothing changes.
    """
    match = COLOURS[name]
    if match is None or not inside.any():
        return new
    return match(new, new[inside], old[inside])


def _average(image: Levels, new: Pixels, old: Pixels) -> Levels:
    """Return a picture plus what the mean of the new pixels lacks.

    It is measured twice, as published. There nothing is cut off in between, so that the second
    time adds nothing; here what left the range of colours is, and the second time makes up for
    most of it.
    """
    offset = np.zeros(3, np.float32)
    for _ in range(AVERAGE_PASSES):
        moved = np.clip(new + offset, 0, 255)
        offset += old.mean(axis=0, dtype=np.float32) - moved.mean(axis=0, dtype=np.float32)
    return np.asarray(np.clip(image + offset, 0, 255), np.float32)


def _reinhard(image: Levels, new: Pixels, old: Pixels) -> Levels:
    """Return a picture with the means and deviations in Lab moved from the new to the old."""
    own, wanted = (_statistics_of(pixels) for pixels in (new, old))
    return match_colour(_rounded(image), own, wanted).astype(np.float32)


def _statistics_of(pixels: Pixels) -> ColourStatistics:
    return colour_statistics(_rounded(pixels[None]), np.ones((1, len(pixels)), np.uint8))


def _histogram(image: Levels, new: Pixels, old: Pixels) -> Levels:
    """Return a picture in which each level gives place to the old one of the same rank."""
    channels = [
        np.interp(image[..., one], LEVELS, _levels(new[:, one], old[:, one])) for one in range(3)
    ]
    return np.stack(channels, axis=-1).astype(np.float32)


def _levels(new: NDArray[Any], old: NDArray[Any]) -> NDArray[np.float64]:
    """Return what takes the place of each level of one channel, (256,)."""
    outside = (1 - KEPT_COLOURS) / 2
    ends = [outside, 1 - outside]
    own, wanted = (np.clip(one, *np.quantile(one, ends)) for one in (new, old))
    order = np.sort(own)
    # Pixels of one level share a rank, the middle of theirs.
    below, upto = (np.searchsorted(order, LEVELS, side) for side in ("left", "right"))
    rank = (below + upto) / (2 * len(own))
    return np.asarray(np.interp(rank, QUANTILES, np.quantile(wanted, QUANTILES)))


def _rounded(image: NDArray[Any]) -> Image:
    return np.asarray(np.rint(image), np.uint8)


COLOURS: Mapping[str, Callable[[Levels, Pixels, Pixels], Levels] | None] = {
    "average": _average,
    "reinhard": _reinhard,
    "histogram": _histogram,
    "none": None,
}
