"""Detectors whose answer, slope and weakest point are known."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unmask.torch_contracts import Detector

SIZE = 8
GAIN = 60.0
SIGNS = torch.tensor([1.0, -1.0, 1.0]).view(3, 1, 1)


class Tint(Detector):
    """Log-odds of fake: 60 times the mean of red - 0.5, 0.5 - green and blue - 0.5.

    It is linear, the same at each pixel, and so hardly minds blur and size. A change of e of all
    values in the right direction moves its answer by 60 * e.
    """

    def __init__(self, size: int = SIZE) -> None:
        super().__init__(size=size)
        self.faces_seen = 0

    def logits(self, faces: Tensor) -> Tensor:
        self.faces_seen += len(faces)
        odds = GAIN * ((faces - 0.5) * SIGNS.to(faces)).mean((2, 3, 4))
        return torch.stack([torch.zeros_like(odds), odds], -1)


class Without64Bits(Tensor):
    """A tensor of a device that has no float64, until it is brought to the CPU."""

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is Tensor.double:
            raise TypeError("this device has no float64")
        result = super().__torch_function__(func, types, args, kwargs)  # type: ignore[no-untyped-call]
        return result.as_subclass(Tensor) if func is Tensor.cpu else result


class TintElsewhere(Tint):
    """The same on a device that has no float64."""

    def logits(self, faces: Tensor) -> Tensor:
        return super().logits(faces).as_subclass(Without64Bits)


class OnePixel(Detector):
    """Log-odds of fake: 60 times the red of one pixel above one half; it sees nothing else."""

    def __init__(self, row: int = 2, column: int = 5) -> None:
        super().__init__(size=SIZE)
        self.row, self.column = row, column

    def logits(self, faces: Tensor) -> Tensor:
        odds = GAIN * (faces[:, :, 0, self.row, self.column] - 0.5)
        return torch.stack([torch.zeros_like(odds), odds], -1)


class Curved(Detector):
    """A small smooth network with random weights."""

    def __init__(
        self,
        size: int = SIZE,
        seed: int = 0,
        classes: tuple[str, ...] = ("swap", "real", "blend"),
    ) -> None:
        super().__init__(
            size=size,
            mean=(0.5, 0.5, 0.5),
            deviation=(0.5, 0.5, 0.5),
            classes=classes,
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = nn.Sequential(
                nn.Conv2d(3, 6, 3),
                nn.Tanh(),
                nn.Flatten(),
                nn.Linear(6 * (size - 2) ** 2, len(classes)),
            )

    def logits(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.network(faces.flatten(0, 1))
        return logits.view(*faces.shape[:2], len(self.classes))


def tinted(
    odds: Tensor,
    *,
    height: int = SIZE,
    width: int = SIZE,
    times: int = 1,
    contrast: float = 0.3,
) -> Tensor:
    """Return faces (N, T, 3, height, width), off the 8-bit grid, that `Tint` gives these odds."""
    random = torch.Generator().manual_seed(0)
    texture = torch.rand(len(odds), times, 3, height // 2, width // 2, generator=random) - 0.5
    # Each value comes with its opposite, so that the texture has no mean.
    texture = torch.cat([texture, -texture], -2)
    texture = torch.cat([texture, -texture], -1)
    return 0.5 + contrast * texture + SIGNS * (odds / GAIN).view(-1, 1, 1, 1, 1)
