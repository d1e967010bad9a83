"""Robust NES, the black-box attack of the Adversarial Deepfakes suite that withstands changes."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from unmask.attack_contracts import GREY, Attack, Change, Victim
from unmask.attacks.estimate import Noise, affordable, estimated_slope
from unmask.attacks.transforms import blur, identity, shift, shrink
from unmask.attacks.walk import check_positive, walk


class RobustNES(Attack):
    """Estimate the mean gradient behind four transforms, which are drawn anew for each step.

    They are the identity, a blur, a shift and a loss of size. An item begins with the identity
    alone; from the first time that this fools the detector well enough, and for good, it has all
    four. All items share the draws of a step.

    Args:
        epsilon: the largest change of a value.
        step: the change of a value in one step.
        iterations: the most steps.
        pairs: questions on both sides of a face, for each transform of each step.
        sigma: standard deviation of the noise, in values of [0, 1].
        sure: an item is done when the other label is at least as probable as this behind all four
            transforms of a step.
        warm_start: whether an item begins with the identity alone.
        most_queries: an item that cannot pay its next step is done; 0 for no limit.
        per_pass: the most faces that are asked about at once; it bounds the memory.

    Raises:
        InvalidInputError: if a setting is out of its range.

    Reference:
        Hussain et al., "Adversarial Deepfakes: Evaluating Vulnerability of Deepfake Detectors to
        Adversarial Examples", WACV 2021. https://arxiv.org/abs/2002.12749
    """

    black_box = True

    def __init__(
        self,
        *,
        epsilon: float = 16 * GREY,
        step: float = GREY,
        iterations: int = 100,
        pairs: int = 20,
        sigma: float = 0.001,
        sure: float = 0.9,
        warm_start: bool = True,
        most_queries: int = 0,
        per_pass: int = 32,
    ) -> None:
        super().__init__(epsilon=epsilon)
        check_positive(
            step=step, iterations=iterations, pairs=pairs, sigma=sigma, per_pass=per_pass
        )
        self.step, self.iterations, self.sure = step, iterations, sure
        self.pairs, self.warm_start, self.most_queries = pairs, warm_start, most_queries
        self._slope = partial(estimated_slope, pairs=pairs, sigma=sigma, per_pass=per_pass)

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) some steps along the sign of the mean estimate."""
        noise = Noise(victim.sizes, random)
        warming = torch.full((len(faces),), self.warm_start)

        def one_step(now: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            transforms = drawn_transforms(random)
            going = affordable(victim, items, 1 + self._cost(len(transforms)), self.most_queries)
            first = going & warming[items]
            warming[items[first]] = ~self._fooled(victim, now[first], items[first], [identity])
            warm = going & ~warming[items]
            going[warm] = ~self._fooled(victim, now[warm], items[warm], transforms)
            moved = now.clone()
            for group, changes in ((warm & going, transforms), (going & ~warm, [identity])):
                if group.any():
                    who, there = items[group], now[group]
                    slope = self._mean_slope(victim, there, who, noise, changes)
                    moved[group] = self.inside_ball(there - self.step * slope.sign(), faces[who])
            return moved, ~going

        return walk(victim, faces, one_step, limit=self.iterations)

    def _cost(self, transforms: int) -> int:
        """Return the queries of one step: the question whether it is done, and the estimate."""
        return transforms * (1 + 2 * self.pairs)

    def _fooled(
        self, victim: Victim, faces: Tensor, items: Tensor, transforms: Sequence[Change]
    ) -> Tensor:
        """Return (n,) whether the other label is probable enough behind each transform."""
        fooled = torch.ones(len(items), dtype=torch.bool)
        for change in transforms if len(items) else ():
            fooled &= 1 - victim.confidence(faces, items, change) >= self.sure
        return fooled

    def _mean_slope(
        self,
        victim: Victim,
        faces: Tensor,
        items: Tensor,
        noise: Noise,
        transforms: Sequence[Change],
    ) -> Tensor:
        slope = torch.zeros_like(faces)
        for change in transforms:
            ask = partial(victim.confidence, through=change)
            slope += self._slope(ask, faces, items, noise) / len(transforms)
        return slope


def drawn_transforms(random: torch.Generator) -> list[Change]:
    """Return the identity and one blur, shift and loss of size, of random strength.

    The ranges are those of the published program: a kernel of 3 or 5 pixels with a sigma of 5 or
    6, a shift of -20 to 19 pixels each way, and a size of 0.4, 0.5 or 0.6.
    """

    def whole(low: int, high: int) -> int:
        """Return a number from low to high - 1."""
        return int(torch.randint(low, high, (), generator=random))

    kernel = whole(3, 6)
    return [
        identity,
        partial(blur, kernel=kernel - (kernel % 2 == 0), sigma=float(whole(5, 7))),
        partial(shift, right=whole(-20, 20), down=whole(-20, 20)),
        partial(shrink, factor=whole(4, 7) / 10),
    ]
