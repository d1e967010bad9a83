"""The loop of the attacks that go step by step."""

from collections.abc import Callable
from math import atanh, inf

import torch
from torch import Tensor

from unmask.attack_contracts import Change, Victim
from unmask.errors import InvalidInputError

Step = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def walk(
    victim: Victim, start: Tensor, step: Step, *, limit: int, items: Tensor | None = None
) -> Tensor:
    """Return the faces after each item has walked until it is done, or `limit` steps.

    Args:
        victim: which counts the steps.
        start: (N, T, 3, H, W), where to begin.
        step: takes faces (n, T, 3, H, W), which it leaves as they are, and which items they are
            (n,); returns the faces one step further, and (n,) whether an item was done before that
            step, which it then does not take.
        limit: the most steps of an item.
        items: (N,) which items the faces are; 0 to N - 1 unless given.
    """
    faces, active = start.clone(), torch.arange(len(start))
    items = active if items is None else items
    now = start  # of the active ones; nothing is copied while all go on
    for _ in range(limit):
        moved, done = step(now, items[active])
        going = ~done.cpu()
        if not going.all():
            faces[active] = now
            active, moved = active[going], moved[going]
        now = moved
        if not len(active):
            break
        victim.took_a_step(items[active])
    faces[active] = now
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

    Raises:
        InvalidInputError: if the victim's answer has no gradient.
    """
    faces = faces.detach().requires_grad_()
    margin = victim.margin(faces, items, through)
    total, gradient = margin.detach(), gradient_of(margin.sum(), faces)
    if draws == 1:
        return total, gradient
    for _ in range(draws - 1):
        margin = victim.margin(faces, items, through)
        gradient += gradient_of(margin.sum(), faces)
        total = total + margin.detach()
    return total / draws, gradient / draws


def gradient_of(loss: Tensor, faces: Tensor) -> Tensor:
    """Return the gradient of the loss with respect to the faces, in their shape.

    Raises:
        InvalidInputError: if the loss does not hang on the faces by anything that has a slope.
    """
    try:
        return torch.autograd.grad(loss, faces)[0]
    except RuntimeError as error:
        if "does not require grad" not in str(error) and "not have been used" not in str(error):
            raise
        raise InvalidInputError(
            "the victim must have a gradient for a white-box attack, got an answer without one; "
            "take a black-box attack such as nes, or a victim of torch operations throughout"
        ) from None


def margin_of(lead: float) -> float:
    """Return the margin at which the other label's probability leads by more than `lead`.

    Args:
        lead: at least 0; from 1 on no item ever leads by more.

    Raises:
        InvalidInputError: if the lead is negative.

    Example:
        >>> round(margin_of(0.99), 4), margin_of(1.0)
        (-5.2933, -inf)
    """
    if not lead >= 0:
        raise InvalidInputError(
            f"lead must be at least 0, got {lead}; 0 stops at the first success, 1 never stops"
        )
    return -2 * atanh(lead) if lead < 1 else -inf


def check_positive(**settings: float) -> None:
    """Refuse settings of an attack that must be above 0 and finite.

    Raises:
        InvalidInputError: if one is not.

    Example:
        >>> check_positive(step=1 / 255, iterations=0)
        Traceback (most recent call last):
        unmask.errors.InvalidInputError: iterations must be above 0 and finite, got 0; change it
    """
    for name, value in settings.items():
        if not 0 < value < inf:
            raise InvalidInputError(f"{name} must be above 0 and finite, got {value}; change it")
