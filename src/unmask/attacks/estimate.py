"""Estimating a gradient from answers alone, with noise that each item has to itself."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from unmask.attack_contracts import Victim

Ask = Callable[[Tensor, Tensor], Tensor]

LEVELS = 1 << 16


def estimated_slope(
    ask: Ask,
    faces: Tensor,
    items: Tensor,
    noise: "Noise",
    *,
    pairs: int,
    sigma: float,
    per_pass: int,
) -> Tensor:
    """Return an estimate (n, T, 3, H, W) of the gradient of what is asked, from its values.

    Each pair asks on both sides of a face, along the same noise. The mean of the estimate is the
    gradient g of a linear or quadratic function, and one of its values has the variance
    (|g|^2 + g_i^2) / pairs. A value that the noise takes out of [0, 1] is held there, as in any
    picture that is sent, and so at a face's black and white values half of the length is left.

    Args:
        ask: takes faces (m, T, 3, H, W) in [0, 1] and which items they are (m,); returns (m,).
        faces: (n, T, 3, H, W) in [0, 1].
        items: (n,) which items they are.
        noise: of the items.
        pairs: how many each face gets; it costs two questions.
        sigma: standard deviation of the noise, in values of [0, 1].
        per_pass: the most faces in one question; it bounds the memory and changes no value.

    Reference:
        Ilyas et al., "Black-box Adversarial Attacks with Limited Queries and Information",
        ICML 2018, algorithm 1. https://arxiv.org/abs/1804.08598
    """
    rows = _rows(faces)
    slope = torch.zeros_like(rows)
    places = torch.arange(len(faces)).repeat_interleave(pairs)
    for chosen in torch.split(places, max(1, per_pass // 2)):
        directions = rows.new_empty(len(chosen), rows.shape[1])
        around = rows.new_empty(2, *directions.shape)
        # One pair at a time, while it is in the processor's cache.
        for place, direction, above, below in zip(
            chosen.tolist(), directions, *around, strict=True
        ):
            noise.fill(_faces(direction, faces)[0], int(items[place]))
            torch.add(rows[place], direction, alpha=sigma, out=above).clamp_(0, 1)
            torch.sub(rows[place], direction, alpha=sigma, out=below).clamp_(0, 1)
        answers = ask(_faces(around.flatten(0, 1), faces), items[chosen].repeat(2)).view(2, -1)
        # The places of a pass are neighbours: a small matrix adds each rise to the row of its own.
        first, last = int(chosen[0]), int(chosen[-1]) + 1
        owned = torch.arange(first, last)[:, None] == chosen
        rises = (answers[0] - answers[1]).to(rows) / (2 * sigma * pairs)
        slope[first:last].addmm_(owned.to(rows) * rises, directions)
    return _faces(slope, faces)


class Noise:
    """Normal noise of each item, at the item's own size; the padding gets none.

    What an item gets depends on the seed and on its number, but not on the other items, so an
    attack finds the same alone and in a batch. The values are 65,536 equally likely quantiles,
    scaled to the variance 1: two and a half times as fast as PyTorch's exact normal numbers, which
    would cost a small network an eighth of its time.

    Args:
        sizes: height and width of each item.
        random: which gives the seed.

    Example:
        >>> noise, face = Noise([(4, 4)], torch.Generator().manual_seed(0)), torch.ones(1, 3, 4, 5)
        >>> noise.fill(face, 0)
        >>> face[..., 4].abs().max()
        tensor(0.)
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], random: torch.Generator) -> None:
        self._sizes = sizes
        self._bits = bit_generators(len(sizes), random)

    def fill(self, face: Tensor, item: int) -> None:
        """Put noise of an item, each time another, into a padded face (T, 3, H, W)."""
        height, width = self._sizes[item]
        place = face.permute(0, 2, 3, 1)  # channels last, as the networks want it
        part = place[:, :height, :width]
        count = part.numel()
        raw = self._bits[item].random_raw(-(-count // 4)).view(np.uint16)[:count]
        levels = torch.from_numpy(raw.astype(np.int32)).to(face.device)
        quantiles = _quantiles().to(face)
        if place.is_contiguous() and count == place.numel():
            torch.index_select(quantiles, 0, levels, out=place.view(-1))
        else:
            place.zero_()
            part.copy_(quantiles.index_select(0, levels).view(part.shape))


@cache
def _quantiles() -> Tensor:
    """Return the normal quantiles (LEVELS,) in the middle of equally likely stretches."""
    middles = (torch.arange(LEVELS, dtype=torch.float64) + 0.5) / LEVELS
    quantiles: Tensor = torch.special.ndtri(middles)
    quantiles /= quantiles.square().mean().sqrt()
    return quantiles.float()


def bit_generators(count: int, random: torch.Generator) -> list[np.random.SFC64]:
    """Return a source of random bits for each of some items, the same in whatever company."""
    seed = int(torch.randint(2**62, (), generator=random))
    return [np.random.SFC64([seed, item]) for item in range(count)]


def affordable(victim: Victim, items: Tensor, cost: int, most_queries: int) -> Tensor:
    """Return (n,) whether each item can pay for one more step; 0 is no limit."""
    return (victim.queries[items] + cost <= most_queries) | torch.tensor(most_queries == 0)


def _rows(faces: Tensor) -> Tensor:
    """Return faces (n, T, 3, H, W) as rows (n, T * H * W * 3)."""
    return faces.permute(0, 1, 3, 4, 2).flatten(1)


def _faces(rows: Tensor, like: Tensor) -> Tensor:
    """Return rows (n, T * H * W * 3) as faces again."""
    times, channels, height, width = like.shape[1:]
    return rows.view(-1, times, height, width, channels).permute(0, 1, 4, 2, 3)
