"""The fast gradient sign method."""

import torch
from torch import Tensor

from unmask.attack_contracts import GREY, Attack, Victim
from unmask.attacks.walk import check_positive, slope


class FGSM(Attack):
    """Take one step of length epsilon against the gradient's sign.

    Args:
        epsilon: of the step, and the largest change of a value.
        draws: passes whose gradients are averaged, for a victim that is random itself.

    Raises:
        InvalidInputError: if a setting is out of its range.

    Reference:
        Goodfellow et al., "Explaining and Harnessing Adversarial Examples", ICLR 2015,
        section 4. https://arxiv.org/abs/1412.6572
    """

    def __init__(self, *, epsilon: float = 16 * GREY, draws: int = 1) -> None:
        super().__init__(epsilon=epsilon)
        check_positive(epsilon=epsilon, draws=draws)
        self.draws = draws

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) one step along the sign of the gradient of the margin."""
        items = torch.arange(len(faces))
        _, gradient = slope(victim, faces, items, draws=self.draws)
        victim.took_a_step(items)
        return faces - self.epsilon * gradient.sign()
