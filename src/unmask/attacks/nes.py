"""NES, the black-box attack of the Adversarial Deepfakes suite."""

from functools import partial

import torch
from torch import Tensor

from unmask.attack_contracts import GREY, Attack, Victim
from unmask.attacks.estimate import Noise, affordable, estimated_slope
from unmask.attacks.walk import check_positive, walk


class NES(Attack):
    """Take small steps against the sign of a gradient that is estimated from probabilities.

    Before each step one more question tells whether an item is done. Where the detector is so
    certain that even a probability of 64 bits does not change (its log-odds are above 36), the
    estimate is 0 and so is the step.

    Args:
        epsilon: the largest change of a value.
        step: the change of a value in one step.
        iterations: the most steps.
        pairs: questions on both sides of a face, for each step.
        sigma: standard deviation of the noise, in values of [0, 1].
        sure: an item is done when the other label is more probable than this.
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
        sure: float = 0.999999,
        most_queries: int = 0,
        per_pass: int = 32,
    ) -> None:
        super().__init__(epsilon=epsilon)
        check_positive(
            step=step, iterations=iterations, pairs=pairs, sigma=sigma, per_pass=per_pass
        )
        self.step, self.iterations, self.sure = step, iterations, sure
        self.pairs, self.most_queries = pairs, most_queries
        self._slope = partial(estimated_slope, pairs=pairs, sigma=sigma, per_pass=per_pass)

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) some steps along the sign of the estimated gradient."""
        noise = Noise(victim.sizes, random)

        def one_step(now: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            going = affordable(victim, items, 1 + 2 * self.pairs, self.most_queries)
            if going.any():
                confidence = victim.confidence(now[going], items[going])
                going[going.clone()] = 1 - confidence <= self.sure
            moved = now.clone()
            if going.any():
                who, there = items[going], now[going]
                slope = self._slope(victim.confidence, there, who, noise)
                moved[going] = self.inside_ball(there - self.step * slope.sign(), faces[who])
            return moved, ~going

        return walk(victim, faces, one_step, limit=self.iterations)
