"""The layers that the five face-swap autoencoders are made of; none of them normalises."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad, pixel_shuffle

from unmask.errors import InvalidInputError

SLOPE = 0.1  # of leaky ReLUs below 0, but in residual blocks
RESIDUAL_SLOPE = 0.2


def scaled(channels: int, width: float) -> int:
    """Return a number of channels of a narrower network: a multiple of 8.

    Raises:
        InvalidInputError: if the width is not in (0, 1].

    Example:
        >>> scaled(1024, 1), scaled(1024, 0.25), scaled(64, 0.05)
        (1024, 256, 8)
    """
    if not 0 < width <= 1:
        raise InvalidInputError(
            f"width must lie in (0, 1], got {width}; 1 is the published network"
        )
    return channels if width == 1 else max(8 * round(channels * width / 8), 8)


class Conv(nn.Conv2d):
    """A 5x5 convolution of stride 2 and a leaky ReLU: (N, C, 2H, 2W) becomes (N, c, H, W).

    The border is TensorFlow's "same" for an even size: one row of zeros before, two behind.
    """

    def __init__(self, taken: int, channels: int) -> None:
        super().__init__(taken, channels, 5, stride=2)
        _he_uniform(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return features of half the size."""
        return leaky_relu(super().forward(pad(images, (1, 2, 1, 2))), SLOPE)


class Up(nn.Conv2d):
    """A 3x3 convolution, a leaky ReLU and then depth to space: (N, C, H, W) to (N, c, 2H, 2W).

    Args:
        taken: channels that come in.
        channels: channels that go out.
        is_linear: whether the ReLU is left out.
    """

    def __init__(self, taken: int, channels: int, *, is_linear: bool = False) -> None:
        super().__init__(taken, 4 * channels, 3, padding=1)
        self.is_linear = is_linear
        _he_uniform(self)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of twice the size."""
        found = super().forward(features)
        return pixel_shuffle(found if self.is_linear else leaky_relu(found, SLOPE), 2)


class Residual(nn.Module):
    """Two 3x3 convolutions whose result is added to what comes in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.normal_(self.first.weight, std=0.02)
        # Variance scaling by 0.2 of the inputs, uniform.
        limit = (3 * 0.2 / (9 * channels)) ** 0.5
        nn.init.uniform_(self.second.weight, -limit, limit)
        for one in (self.first, self.second):
            nn.init.zeros_(one.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape."""
        changed = self.second(leaky_relu(self.first(features), RESIDUAL_SLOPE))
        return leaky_relu(changed + features, RESIDUAL_SLOPE)


class UpResidual(nn.Sequential):
    """An `Up` whose ReLU has the residual blocks' slope, and a residual block."""

    def __init__(self, taken: int, channels: int) -> None:
        super().__init__(
            Up(taken, channels, is_linear=True),
            nn.LeakyReLU(RESIDUAL_SLOPE),
            Residual(channels),
        )


class Out(nn.Conv2d):
    """A 5x5 convolution and a sigmoid: the picture, (N, 3, H, W) in [0, 1]."""

    def __init__(self, taken: int) -> None:
        super().__init__(taken, 3, 5, padding=2)
        _he_uniform(self)

    def forward(self, features: Tensor) -> Tensor:
        """Return the picture in single precision."""
        return torch.sigmoid(super().forward(features).float())


class Bottleneck(nn.Module):
    """All features to a vector and back to a small map; two linear layers without a ReLU.

    Args:
        taken: channels that come in.
        taken_size: side of the map that comes in.
        inner: length of the vector.
        channels: channels that go out.
        size: side of the map that goes out.
    """

    def __init__(self, taken: int, taken_size: int, inner: int, channels: int, size: int) -> None:
        super().__init__()
        self.inner = nn.Linear(taken * taken_size**2, inner)
        self.outer = nn.Linear(inner, channels * size**2)
        self.shape = (channels, size, size)
        for one in (self.inner, self.outer):
            nn.init.xavier_uniform_(one.weight)
            nn.init.zeros_(one.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return the map (N, channels, size, size)."""
        found = self.outer(self.inner(features.flatten(1))).unflatten(1, self.shape)
        # Flattening forgets the order in memory that makes convolutions fast.
        return found.contiguous(memory_format=torch.channels_last)  # type: ignore[no-any-return]


def convs(channels: Sequence[int]) -> nn.Sequential:
    """Return one `Conv` after the other; the first of the channels is what comes in."""
    return nn.Sequential(*(Conv(before, after) for before, after in pairwise(channels)))


def decoder(channels: Sequence[int]) -> nn.Sequential:
    """Return one `Up` after the other and `Out`; the first of the channels is what comes in."""
    ups = [Up(before, after) for before, after in pairwise(channels)]
    return nn.Sequential(*ups, Out(channels[-1]))


def _he_uniform(layer: nn.Conv2d) -> None:
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
