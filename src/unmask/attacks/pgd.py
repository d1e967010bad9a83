"""Projected gradient descent."""

from math import inf

import torch
from torch import Tensor

from unmask.attack_contracts import GREY, Attack, Norm, Victim
from unmask.attacks.walk import check_positive, margin_of, slope, walk


class PGD(Attack):
    """Walk against the gradient inside the ball, from random starts, and keep the best end.

    The defaults but for epsilon are those of the paper's evaluation on CIFAR-10, where it is
    8/255 and a step 2/255. Against a victim that is random itself, several draws make it the
    adaptive attack: it follows the gradient of the expectation.

    Args:
        epsilon: radius of the ball.
        norm: linf (steps along the gradient's sign) or l2 (steps along the gradient).
        step_ratio: length of a step, in epsilons.
        iterations: the most steps from each start.
        random_start: whether each start is drawn from the ball, else it is the clean face.
        restarts: starts; from the second on only for items that are not done. With several, one
            more question after each walk tells where it has ended.
        lead: an item is done when the other label's probability leads by more than this; 0 stops
            at the first success and 1 never.
        draws: passes whose gradients are averaged, for a victim that is random itself.

    Raises:
        InvalidInputError: if a setting is out of its range.

    Reference:
        Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018,
        sections 2.1 and 5. https://arxiv.org/abs/1706.06083
    """

    def __init__(
        self,
        *,
        epsilon: float = 16 * GREY,
        norm: Norm = "linf",
        step_ratio: float = 0.25,
        iterations: int = 20,
        random_start: bool = True,
        restarts: int = 1,
        lead: float = 1.0,
        draws: int = 1,
    ) -> None:
        super().__init__(epsilon=epsilon, norm=norm)
        check_positive(
            epsilon=epsilon,
            step_ratio=step_ratio,
            iterations=iterations,
            restarts=restarts,
            draws=draws,
        )
        self.step, self.iterations, self.draws = step_ratio * epsilon, iterations, draws
        self.random_start, self.restarts = random_start, restarts
        self.done_below = margin_of(lead)

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return, for each of the faces (N, T, 3, H, W), where its best walk has ended."""
        if self.restarts == 1:
            return self._walked(victim, faces, torch.arange(len(faces)), random)
        best, lowest = faces.clone(), faces.new_full((len(faces),), inf)
        for _ in range(self.restarts):
            (items,) = (lowest.cpu() >= self.done_below).nonzero(as_tuple=True)
            if not len(items):
                break
            ends = self._walked(victim, faces, items, random)
            margins = self._margin(victim, ends, items)
            better = margins < lowest[items]
            chosen = items[better.cpu()]
            best[chosen], lowest[chosen] = ends[better], margins[better]
        return best

    def _walked(
        self, victim: Victim, faces: Tensor, items: Tensor, random: torch.Generator
    ) -> Tensor:
        def one_step(now: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
            margin, gradient = slope(victim, now, items, draws=self.draws)
            moved = now - self.step * _direction(gradient, self.norm)
            return self.inside_ball(moved, faces[items]), margin < self.done_below

        start = faces[items]
        if self.random_start:
            start = self._start(victim, start, items, random)
        return walk(victim, start, one_step, limit=self.iterations, items=items)

    def _start(
        self, victim: Victim, clean: Tensor, items: Tensor, random: torch.Generator
    ) -> Tensor:
        """Return a point of each item's ball, drawn with equal density."""
        inside = victim.inside(items, clean.shape).to(clean)
        shape = clean.shape
        if self.norm == "linf":
            change = 2 * torch.rand(shape, generator=random, dtype=clean.dtype) - 1
            return self.inside_ball(clean + self.epsilon * change.to(clean) * inside, clean)
        normal = torch.randn(shape, generator=random, dtype=clean.dtype).to(clean) * inside
        share = torch.rand(len(clean), generator=random, dtype=clean.dtype).to(clean)
        dimensions = inside.flatten(1).sum(1) * shape[1] * shape[2]
        radius = self.epsilon * share ** (1 / dimensions)
        change = _direction(normal, "l2") * radius.view(-1, 1, 1, 1, 1)
        return self.inside_ball(clean + change, clean)

    def _margin(self, victim: Victim, faces: Tensor, items: Tensor) -> Tensor:
        """Return the mean margins (n,)."""
        # A random victim draws anew only where a gradient is taken, else each draw is the same.
        faces = faces.detach().requires_grad_()
        margins = [victim.margin(faces, items).detach() for _ in range(self.draws)]
        return torch.stack(margins).mean(0)


def _direction(gradient: Tensor, norm: Norm) -> Tensor:
    """Return the way (n, T, 3, H, W) of length 1 along which a linear function rises most."""
    if norm == "linf":
        return gradient.sign()
    length: Tensor = torch.linalg.vector_norm(gradient, dim=(1, 2, 3, 4), keepdim=True)
    return gradient / length.clamp_min(1e-12)
