"""The fast gradient method: one step along the gradient itself, not along its signs."""

import torch
from torch import Tensor

from unmask.attack_contracts import Attack, Victim
from unmask.attacks.walk import slope


class FastGradient(Attack):
    """Take one step of length epsilon against the gradient.

    Args:
        epsilon: the Euclidean length of the change of an item, of values in [0, 1].
    """

    def __init__(self, *, epsilon: float = 3.0) -> None:
        super().__init__(epsilon=epsilon, norm="l2")

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) one step further."""
        items = torch.arange(len(faces))
        _, gradient = slope(victim, faces, items)
        victim.took_a_step(items)
        length = gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1, 1)
        moved: Tensor = faces - self.epsilon * gradient / length.clamp_min(1e-12)
        return moved
