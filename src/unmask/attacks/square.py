"""The Square attack."""

from bisect import bisect_left
from itertools import count
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from unmask.attack_contracts import GREY, Attack, Victim
from unmask.attacks.estimate import bit_generators
from unmask.attacks.walk import check_positive, walk

# Shares of the queries after which the windows are halved: the numbers of the paper's program.
HALVINGS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)


class Square(Attack):
    """Try random windows at the edge of the ball, and keep each that helps.

    It starts from vertical stripes; then each query shows the detector one more square window
    whose three channels are moved by epsilon up or down. Windows become smaller as the queries are
    spent. This is the attack of the norm linf; that of l2 is another one.

    Args:
        epsilon: the change of each value that is not black or white.
        queries: the most questions about an item.
        share: of a face's pixels in the first window.
        sure: an item is done when the other label is more probable than this.

    Raises:
        InvalidInputError: if a setting is out of its range.

    Reference:
        Andriushchenko et al., "Square Attack: a query-efficient black-box adversarial attack via
        random search", ECCV 2020, algorithms 1 and 2. https://arxiv.org/abs/1912.00049
    """

    black_box = True

    def __init__(
        self,
        *,
        epsilon: float = 16 * GREY,
        queries: int = 5000,
        share: float = 0.05,
        sure: float = 0.5,
    ) -> None:
        super().__init__(epsilon=epsilon)
        check_positive(queries=queries, share=share)
        self.queries, self.share, self.sure = queries, share, sure

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) with the windows that made the detector less certain."""
        generators = [np.random.Generator(bits) for bits in bit_generators(len(faces), random)]
        confidence = victim.confidence(faces, torch.arange(len(faces)))
        tries = count()

        def one_step(now: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            number = next(tries)
            going = 1 - confidence[items] <= self.sure
            moved = now.clone()
            if not going.any():
                return moved, ~going
            who, tried = items[going], now[going]
            for face, item in zip(tried, who.tolist(), strict=True):
                height, width = victim.sizes[item]
                part = (..., slice(height), slice(width))
                self._paint(face[part], faces[item][part], generators[item], number)
            answers = victim.confidence(tried, who)
            better = (answers < confidence[who]) | torch.tensor(number == 0)
            chosen = going.nonzero()[:, 0][better]
            moved[chosen], confidence[items[chosen]] = tried[better], answers[better]
            return moved, ~going

        return walk(victim, faces, one_step, limit=self.queries - 1)

    def _paint(self, face: Tensor, clean: Tensor, random: np.random.Generator, number: int) -> None:
        """Put the stripes, and after these another window, into a face (T, 3, h, w)."""
        height, width = face.shape[-2:]
        across, down, columns = slice(width), slice(height), width
        if number:
            side = self._side(height, width, number)
            top, left = (int(random.integers(edge - side + 1)) for edge in (height, width))
            across, down, columns = slice(left, left + side), slice(top, top + side), 1
        signs = torch.from_numpy(random.choice((-1.0, 1.0), (*face.shape[:2], 1, columns)))
        change = self.epsilon * signs.to(face)
        old, centre = face[..., down, across], clean[..., down, across]
        new = (centre + change).clamp(0, 1)
        if torch.equal(new, old):  # a question that is answered already
            new = (centre - change).clamp(0, 1)
        old.copy_(new)

    def _side(self, height: int, width: int, number: int) -> int:
        """Return the side of a window in pixels."""
        share = self.share / 2 ** bisect_left(HALVINGS, number / self.queries)
        return max(1, min(round(sqrt(share * height * width)), height, width))
