"""Attacked faces of one frame that overlap: one change of each pixel, inside every face's ball."""

from collections.abc import Sequence
from itertools import permutations
from math import floor, isinf

import numpy as np
from numpy.typing import NDArray

from unmask.attack_contracts import Norm
from unmask.contracts import Image
from unmask.faces.crop import Region

Slices = tuple[slice, slice]


def agreeing(
    clean: Sequence[Image],
    attacked: Sequence[Image],
    regions: Sequence[Region],
    *,
    epsilon: float,
    norm: Norm,
) -> list[Image]:
    """Return the attacked crops of one frame so that they agree where they overlap.

    There the changes are added, and brought back into the ball: for L-inf pixel by pixel, for L2
    by shortening all changes of the frame. Where nothing overlaps, the crops come back themselves.

    Args:
        clean: (H, W, 3) uint8 each, cut out of one picture.
        attacked: of the same shapes.
        regions: where they lie in the picture.
        epsilon: radius of the ball of each crop, in values of [0, 1].
        norm: of the ball.
    """
    shared = [
        (one, other, parts)
        for one, other in permutations(range(len(regions)), 2)
        if (parts := _shared(regions[one], regions[other]))
    ]
    if not shared:
        return list(attacked)
    own = [moved.astype(np.int16) - old for moved, old in zip(attacked, clean, strict=True)]
    total = [change.copy() for change in own]
    for one, other, (here, there) in shared:
        total[one][here] += own[other][there]
    inside = total if isinf(epsilon) else _inside(total, epsilon, norm)
    return [
        np.clip(old + change, 0, 255).astype(np.uint8)
        for old, change in zip(clean, inside, strict=True)
    ]


def _inside(
    changes: list[NDArray[np.int16]], epsilon: float, norm: Norm
) -> list[NDArray[np.int16]]:
    if norm == "linf":
        most = floor(epsilon * 255 + 5e-4)  # grey levels; the rest is what a float cannot hold
        return [change.clip(-most, most) for change in changes]
    longest = max(float(np.linalg.norm(change / 255)) for change in changes)
    if longest <= epsilon:
        return changes
    # Cutting off the decimals makes no change longer.
    return [np.trunc(change * (epsilon / longest)).astype(np.int16) for change in changes]


def _shared(one: Region, other: Region) -> tuple[Slices, Slices] | None:
    """Return where the part that two regions share lies in each of them."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    if left >= right or top >= bottom:
        return None

    def within(region: Region) -> Slices:
        x, y = region[:2]
        return slice(top - y, bottom - y), slice(left - x, right - x)

    return within(one), within(other)
