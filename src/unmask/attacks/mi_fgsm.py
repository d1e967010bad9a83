"""Momentum iterative FGSM."""

import torch
from torch import Tensor

from unmask.attack_contracts import GREY, Attack, Victim
from unmask.attacks.walk import check_positive, margin_of, slope, walk
from unmask.errors import InvalidInputError


class MIFGSM(Attack):
    """Take steps of epsilon / iterations against the sign of a decaying sum of gradients.

    Each gradient enters the sum at the L1 length 1. The sum keeps the way through small bumps of
    one detector, so that what is found more often fools another one.

    Args:
        epsilon: the largest change of a value.
        iterations: the most steps.
        decay: what is kept of the sum in each step.
        lead: an item is done when the other label's probability leads by more than this; 0 stops
            at the first success and 1 never.
        draws: passes whose gradients are averaged, for a victim that is random itself.

    Raises:
        InvalidInputError: if a setting is out of its range.

    Reference:
        Dong et al., "Boosting Adversarial Attacks with Momentum", CVPR 2018, algorithm 1.
        https://arxiv.org/abs/1710.06081
    """

    def __init__(
        self,
        *,
        epsilon: float = 16 * GREY,
        iterations: int = 10,
        decay: float = 1.0,
        lead: float = 1.0,
        draws: int = 1,
    ) -> None:
        super().__init__(epsilon=epsilon)
        check_positive(epsilon=epsilon, iterations=iterations, draws=draws)
        if not 0 <= decay <= 1:
            raise InvalidInputError(
                f"decay must lie in [0, 1], got {decay}; 1 keeps the whole sum, 0 none of it"
            )
        self.iterations, self.decay, self.draws = iterations, decay, draws
        self.done_below = margin_of(lead)

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) some steps along the sign of the summed gradients."""
        momentum = torch.zeros_like(faces)

        def one_step(now: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            margin, gradient = slope(victim, now, items, draws=self.draws)
            length = gradient.abs().sum((1, 2, 3, 4), keepdim=True).clamp_min(1e-12)
            momentum[items] = self.decay * momentum[items] + gradient / length
            moved = now - self.epsilon / self.iterations * momentum[items].sign()
            return self.inside_ball(moved, faces[items]), margin < self.done_below

        return walk(victim, faces, one_step, limit=self.iterations)
