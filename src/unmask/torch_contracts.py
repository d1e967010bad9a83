"""The contract of the parts that need PyTorch: detectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from unmask.errors import InvalidInputError

Score = Callable[[Tensor], Tensor]


class Detector(nn.Module, ABC):
    """A network that tells real faces from fakes.

    A part calls `super().__init__` with its input size and normalisation and fills in `logits`.
    Resizing and normalising happen in here, so that no caller can get them wrong.

    Args:
        size: side in pixels of the square input of the network.
        mean: per-channel mean (RGB, in [0, 1]) subtracted from the faces.
        deviation: per-channel value that the faces are divided by afterwards.
        classes: names of the outputs in order; `real` is the one, every other a kind of fake.
            Without `real` the network tells fakes apart and has no `scores`.
    """

    def __init__(
        self,
        *,
        size: int,
        mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
        deviation: tuple[float, float, float] = (1.0, 1.0, 1.0),
        classes: tuple[str, ...] = ("real", "fake"),
    ) -> None:
        super().__init__()
        if len(set(classes)) != len(classes) or len(classes) < 2:
            raise InvalidInputError(
                f"classes must be two or more different names, got {classes}; "
                "name the network's outputs in their order"
            )
        self.size = size
        self.classes = classes
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(3, 1, 1), persistent=False)

    @abstractmethod
    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, classes) of normalised faces (N, T, 3, size, size)."""

    @final  # type: ignore[misc]
    def forward(self, faces: Tensor) -> Tensor:
        """Return logits (N, classes): the mean over the T faces of each item.

        Args:
            faces: (N, T, 3, H, W) RGB in [0, 1], any H and W.

        Raises:
            InvalidInputError: if the shape, the type or the range is another.
        """
        _check(faces)
        items, times = faces.shape[:2]
        flat = faces.flatten(0, 1)
        if flat.shape[-2:] != (self.size, self.size):
            smaller = flat.shape[-1] > self.size or flat.shape[-2] > self.size
            flat = interpolate(
                flat, (self.size, self.size), mode="bilinear", antialias=smaller
            ).clamp(0, 1)
        normal = (flat - self.get_buffer("mean")) / self.get_buffer("deviation")
        logits = self.logits(normal.view(items, times, 3, self.size, self.size))
        if logits.shape != (items, times, len(self.classes)):
            raise InvalidInputError(
                f"logits must have shape {(items, times, len(self.classes))}, got "
                f"{tuple(logits.shape)}; return one row of logits for each face"
            )
        return logits.mean(1)

    @final
    def scores(self, faces: Tensor) -> Tensor:
        """Return P(fake) (N,) of faces (N, T, 3, H, W).

        Raises:
            InvalidInputError: if no class is `real`, and as `forward` does.
        """
        if "real" not in self.classes:
            raise InvalidInputError(
                f"classes must contain 'real' for a score, got {self.classes}; "
                "declare the order of the classes when the network is made"
            )
        logits: Tensor = self(faces)
        return 1 - logits.softmax(-1)[:, self.classes.index("real")]


def _check(faces: Tensor) -> None:
    if faces.ndim != 5 or faces.shape[2] != 3 or 0 in faces.shape:
        raise InvalidInputError(
            f"faces must have shape (N, T, 3, H, W), got {tuple(faces.shape)}; "
            "add the axis that is missing with unsqueeze"
        )
    if not faces.is_floating_point():
        raise InvalidInputError(
            f"faces must be floating point, got {faces.dtype}; convert and divide by 255"
        )
    low, high = (bound.item() for bound in faces.detach().aminmax())
    if not (low >= 0 and high <= 1):
        raise InvalidInputError(
            f"faces must lie in [0, 1], got [{low:.4g}, {high:.4g}]; divide uint8 frames by 255"
        )
