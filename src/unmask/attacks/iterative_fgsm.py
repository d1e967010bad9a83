"""Iterative FGSM, the white-box attack of the Adversarial Deepfakes suite."""

import torch
from torch import Tensor

from unmask.attack_contracts import GREY, Attack, Victim
from unmask.attacks.walk import check_positive, margin_of, slope, walk


class IterativeFGSM(Attack):
    """Take small steps against the gradient's sign until the detector is sure of the other label.

    The published loss, the cross-entropy to the other class, has a gradient of the margin's sign,
    so the steps are the same.

    Args:
        epsilon: the largest change of a value.
        step: the change of a value in one step.
        iterations: the most steps.
        lead: an item is done when the other label's probability leads by more than this.
        draws: passes whose gradients are averaged, for a victim that is random itself.

    Raises:
        InvalidInputError: if a setting is out of its range.

    Reference:
        Hussain et al., "Adversarial Deepfakes: Evaluating Vulnerability of Deepfake Detectors to
        Adversarial Examples", WACV 2021, section 3.4. https://arxiv.org/abs/2002.12749
    """

    def __init__(
        self,
        *,
        epsilon: float = 16 * GREY,
        step: float = GREY,
        iterations: int = 100,
        lead: float = 0.99,
        draws: int = 1,
    ) -> None:
        super().__init__(epsilon=epsilon)
        check_positive(step=step, iterations=iterations, draws=draws)
        self.step, self.iterations, self.draws = step, iterations, draws
        self.done_below = margin_of(lead)

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) some steps along the sign of the gradient of the margin."""

        def one_step(now: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            margin, gradient = slope(victim, now, items, draws=self.draws)
            moved = now.sub(gradient.sign_(), alpha=self.step)
            clean = faces[items.to(faces.device)]
            return self.inside_ball(moved, clean), margin < self.done_below

        return walk(victim, faces, one_step, limit=self.iterations)
