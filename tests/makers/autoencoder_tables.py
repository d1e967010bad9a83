"""The published layers of the five autoencoders as tables, and weights for them by a seed.

They are those of faceswap (commit 183aee37), told as data for whoever builds the networks a second
time: `scripts/make_autoencoder_references.py` does, in Keras.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmask.autoencoders.layers import scaled

Array = NDArray[np.float32]
Layer = tuple[str, int] | tuple[str, int, int]
Shape = tuple[int, ...]

# conv: 5x5 of stride 2 and a leaky ReLU of 0.1. dense: of the flattened map. map: a dense layer and
# a reshape to that side and those channels. up: 3x3 to four times the channels, a leaky ReLU of 0.1
# and depth to space. upres: the same but for a leaky ReLU of 0.2 behind the depth to space, and two
# 3x3 convolutions with leaky ReLUs of 0.2 around which the map is added. out: 5x5 and a sigmoid.
THREE = (("conv", 128), ("conv", 256), ("conv", 512))
FOUR = (*THREE, ("conv", 1024))
TO_64 = (("up", 256), ("up", 128), ("up", 64), ("out", 3))
TO_128 = (("upres", 512), ("upres", 256), ("upres", 128), ("up", 64), ("out", 3))

REFERENCES = Path(__file__).parents[1] / "autoencoders" / "keras_references.npz"
WIDTH = 0.05  # of the references
STRIDE = 5  # from pixel to pixel of those that are kept: odd, or depth to space could hide


@dataclass(frozen=True)
class Table:
    """One network at its full width.

    Args:
        model: the part's name.
        side: of the pictures that it takes.
        encoder: the layers that both persons share, up to the bottleneck's end but for IAE.
        decoder: the layers of each person; in IAE the last ones, which are shared.
        inter: in IAE the layers that each person has and both have.
        options: of the part.
    """

    model: str
    side: int
    encoder: tuple[Layer, ...]
    decoder: tuple[Layer, ...]
    inter: tuple[Layer, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model with its options."""
        return "-".join([self.model, *(f"{name}={value}" for name, value in self.options.items())])


TABLES = [
    Table("original", 64, (*FOUR, ("dense", 1024), ("map", 4, 1024), ("up", 512)), TO_64),
    Table(
        "original",
        64,
        (*THREE, ("dense", 512), ("map", 4, 1024), ("up", 512)),
        TO_64,
        options={"lowmem": True},
    ),
    Table(
        "lightweight",
        64,
        (*THREE, ("dense", 512), ("map", 4, 512), ("up", 256)),
        (("up", 512), ("up", 256), ("up", 128), ("out", 3)),
    ),
    Table("iae", 64, FOUR, (("up", 512), *TO_64), inter=(("dense", 1024), ("map", 4, 512))),
    Table("dfaker", 64, (*FOUR, ("dense", 1024), ("map", 4, 1024), ("up", 512)), TO_128),
    Table(
        "dfaker",
        128,
        (*FOUR, ("dense", 1024), ("map", 4, 1024), ("up", 512)),
        (("upres", 1024), *TO_128),
        options={"output_size": 256},
    ),
    Table(
        "dfl_h128",
        128,
        (*FOUR, ("dense", 512), ("map", 8, 512), ("up", 512)),
        (("up", 512), ("up", 256), ("up", 128), ("out", 3)),
    ),
    Table(
        "dfl_h128",
        128,
        (*FOUR, ("dense", 256), ("map", 8, 256), ("up", 256)),
        TO_64,
        options={"lowmem": True},
    ),
]


def weight_shapes(table: Table, width: float) -> dict[str, list[Shape]]:
    """Return the shapes of kernels and biases of each part, in Keras' layout and order."""
    encoder, encoded = _shapes(table.encoder, (table.side, table.side, 3), width)
    if not table.inter:
        decoder, _ = _shapes(table.decoder, encoded, width)
        return {"encoder": encoder, "decoder_a": decoder, "decoder_b": decoder}
    inter, (side, _, channels) = _shapes(table.inter, encoded, width)
    decoder, _ = _shapes(table.decoder, (side, side, 2 * channels), width)
    inters = dict.fromkeys(("inter_a", "inter_b", "inter_both"), inter)
    return {"encoder": encoder} | inters | {"decoder": decoder}


def random_weights(table: Table, width: float) -> dict[str, list[Array]]:
    """Return weights that keep signals as strong as they are, the same ones on every machine."""
    random = np.random.RandomState(len(table.name))  # of a stream that is promised to stay

    def drawn(shape: Shape) -> Array:
        bound = 0.1 if len(shape) == 1 else (6 / prod(shape[:-1])) ** 0.5
        return random.uniform(-bound, bound, shape).astype(np.float32)

    return {part: list(map(drawn, shapes)) for part, shapes in weight_shapes(table, width).items()}


def random_faces(table: Table, count: int = 1) -> Array:
    """Return pictures (count, side, side, 3) in [0, 1], the same ones on every machine."""
    random = np.random.RandomState(table.side)
    return random.uniform(0, 1, (count, table.side, table.side, 3)).astype(np.float32)


def kept(pictures: Array) -> Array:
    """Return the pixels of pictures (..., H, W, 3) that the references keep."""
    return pictures[..., ::STRIDE, ::STRIDE, :]


def _shapes(layers: tuple[Layer, ...], taken: Shape, width: float) -> tuple[list[Shape], Shape]:
    """Return the shapes of the weights, and of what comes out: (H, W, C) or a vector's (C,)."""
    kernels: list[Shape] = []
    for kind, *numbers in layers:
        side, before = taken[0], taken[-1]
        channels = 3 if kind == "out" else scaled(numbers[-1], width)
        if kind == "conv":
            kernels.append((5, 5, before, channels))
            taken = (side // 2, side // 2, channels)
        elif kind == "dense":
            kernels.append((prod(taken), channels))
            taken = (channels,)
        elif kind == "map":
            kernels.append((prod(taken), numbers[0] ** 2 * channels))
            taken = (numbers[0], numbers[0], channels)
        elif kind == "out":
            kernels.append((5, 5, before, channels))
        else:
            kernels.append((3, 3, before, 4 * channels))
            kernels += [(3, 3, channels, channels)] * (2 if kind == "upres" else 0)
            taken = (2 * side, 2 * side, channels)
    return [shape for kernel in kernels for shape in (kernel, kernel[-1:])], taken
