"""The robust white-box attack of the Adversarial Deepfakes suite."""

from collections.abc import Sequence
from math import inf, log

import torch
from torch import Tensor

from unmask.attack_contracts import GREY, Attack, Change, Victim
from unmask.attacks.transforms import Transforms, transforms_of
from unmask.attacks.walk import check_positive, gradient_of, walk
from unmask.errors import InvalidInputError


class Robust(Attack):
    """Step against the gradient of a loss averaged over what may happen to the face.

    The loss of one transform is max(margin + kappa, 0): what fools the detector by kappa in
    log-odds pulls no more. Whether an item is done is judged on the passes that give the gradient,
    each transform of each iteration is one query.

    Args:
        epsilon: the largest change of a value.
        step: the change of a value in one step.
        iterations: the most steps.
        transforms: published (17, the same in each iteration), symmetric (its one shift that
            breaks the pattern put right), random (6 anew in each iteration, JPEG among them) or
            recut (5 anew: against the face being found again a few pixels off).
        kappa: log-odds to which each transform is driven.
        sure: an item is done when the other label is at least as probable as this after all
            transforms of an iteration.
        draws: passes for each transform, for a victim that is random itself.
        per_pass: the most faces in one pass; it bounds the memory.

    Raises:
        NotFoundError: if there is no such choice of transforms.
        InvalidInputError: if another setting is out of its range.

    Reference:
        Hussain et al., "Adversarial Deepfakes: Evaluating Vulnerability of Deepfake Detectors to
        Adversarial Examples", WACV 2021, section 3.5. https://arxiv.org/abs/2002.12749
    """

    def __init__(
        self,
        *,
        epsilon: float = 16 * GREY,
        step: float = GREY,
        iterations: int = 100,
        transforms: Transforms = "published",
        kappa: float = 10.0,
        sure: float = 0.95,
        draws: int = 1,
        per_pass: int = 32,
    ) -> None:
        super().__init__(epsilon=epsilon)
        check_positive(
            step=step, iterations=iterations, kappa=kappa, draws=draws, per_pass=per_pass
        )
        if not 0.5 <= sure < 1:
            raise InvalidInputError(
                f"sure must lie in [0.5, 1), got {sure}; it is the other label's probability"
            )
        transforms_of(transforms, torch.Generator())
        self.step, self.iterations, self.transforms = step, iterations, transforms
        self.kappa, self.draws, self.per_pass = kappa, draws, per_pass
        self.done_at = log((1 - sure) / sure)

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return faces (N, T, 3, H, W) some steps along the sign of the mean gradient."""
        drawn = transforms_of(self.transforms, random)

        def one_step(now: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            worst, gradient = self._slope(victim, now, items, drawn() * self.draws)
            moved = now.sub(gradient.sign_(), alpha=self.step)
            return self.inside_ball(moved, faces[items]), worst <= self.done_at

        return walk(victim, faces, one_step, limit=self.iterations)

    def _slope(
        self, victim: Victim, faces: Tensor, items: Tensor, transforms: Sequence[Change]
    ) -> tuple[Tensor, Tensor]:
        """Return the worst margins (n,) and the gradient (n, T, 3, H, W) of the mean loss."""
        faces = faces.detach().requires_grad_()
        worst, gradient = faces.new_full((len(faces),), -inf), torch.zeros_like(faces)
        at_once = max(self.per_pass // len(faces), 1)
        for first in range(0, len(transforms), at_once):
            some = transforms[first : first + at_once]
            margins = victim.margin(
                faces.repeat(len(some), 1, 1, 1, 1), items.repeat(len(some)), _Each(some)
            ).view(len(some), -1)
            loss = (margins + self.kappa).clamp_min(0).sum() / len(transforms)
            gradient += gradient_of(loss, faces)
            worst = worst.maximum(margins.detach().amax(0))
        return worst, gradient


class _Each:
    """Puts each of equal stretches of faces through its own transform."""

    def __init__(self, transforms: Sequence[Change]) -> None:
        self.transforms = transforms

    def __call__(self, faces: Tensor) -> Tensor:
        stretches = faces.chunk(len(self.transforms))
        return torch.cat(
            [change(part) for change, part in zip(self.transforms, stretches, strict=True)]
        )
