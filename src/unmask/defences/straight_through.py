"""A gradient for operations that have none which is useful."""

from typing import Any

import torch
from torch import Tensor


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, exact: Tensor, stand_in: Tensor) -> Tensor:
        return exact.clone()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        return None, gradients[0]


def straight_through(exact: Tensor, stand_in: Tensor) -> Tensor:
    """Return the values of `exact` to the bit, with the gradient of `stand_in`.

    Args:
        exact: what the operation gives; no gradient goes into it.
        stand_in: a differentiable tensor of the same shape; the operation's input itself for the
            gradient of the identity.

    Reference:
        Athalye et al., "Obfuscated Gradients Give a False Sense of Security", ICML 2018,
        section 4.1 (backward pass differentiable approximation). https://arxiv.org/abs/1802.00420

    Example:
        >>> face = torch.tensor([0.2, 0.7], requires_grad=True)
        >>> straight_through(face.round(), face).sum().backward()
        >>> face.grad.tolist()
        [1.0, 1.0]
    """
    value: Tensor = _StraightThrough.apply(exact.detach(), stand_in)  # type: ignore[no-untyped-call]
    return value
