"""The loop of the attacks that go step by step."""

from collections.abc import Callable
from math import atanh

import torch
from torch import Tensor

from unmask.attack_contracts import Change, Victim

Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def walk(victim: Victim, start: Tensor, step: Step, *, limit: int) -> Tensor:
    """Return the faces after each item has walked until it is done, or `limit` steps.

    Args:
        victim: which counts the steps.
        start: (N, T, 3, H, W), where to begin.
        step: takes faces (n, T, 3, H, W) and which items they are (n,); returns the faces one step
            further, and (n,) whether an item was done before that step, which it then does not
            take.
        limit: the most steps of an item.
    """
    faces, active = start.clone(), torch.arange(len(start))
    for _ in range(limit):
        moved, done = step(faces[active], active)
        going = ~done.cpu()
        active = active[going]
        if not len(active):
            break
        faces[active] = moved[going]
        victim.took_a_step(active)
    return faces


def slope(
    victim: Victim, faces: Tensor, items: Tensor, through: Change | None = None, *, draws: int = 1
) -> tuple[Tensor, Tensor]:
    """Return the mean margins (n,) and their gradient (n, T, 3, H, W) with respect to the faces.

    Args:
        victim: what is asked.
        faces: (n, T, 3, H, W).
        items: (n,) which items they are.
        through: what happens to the faces before the detector sees them.
        draws: how often it is asked; more than once only where the victim is random itself.
    """
    faces = faces.detach().requires_grad_()
    margins, gradient = [], torch.zeros_like(faces)
    for _ in range(draws):
        margin = victim.margin(faces, items, through)
        gradient += torch.autograd.grad(margin.sum(), faces)[0] / draws
        margins.append(margin.detach())
    return torch.stack(margins).mean(0), gradient


def margin_of(lead: float) -> float:
    """Return the margin at which the other label's probability leads by more than `lead`.

    Example:
        >>> round(margin_of(0.99), 4)
        -5.2933
    """
    return -2 * atanh(lead)
