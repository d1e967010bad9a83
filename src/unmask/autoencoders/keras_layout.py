"""Weights of the same networks in Keras' layout, such as faceswap's: reading and loading them.

What differs: Keras stores a convolution as height, width, in, out; it flattens a map by height,
width, channel; its depth to space reads channels in another order; faceswap's pictures are BGR.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import isqrt
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from unmask.autoencoders.dfaker import Dfaker
from unmask.autoencoders.dfl_h128 import DflH128
from unmask.autoencoders.iae import IAE
from unmask.autoencoders.layers import Bottleneck, Conv, Out, Up
from unmask.autoencoders.lightweight import Lightweight
from unmask.autoencoders.original import Original
from unmask.errors import InvalidInputError, NotFoundError, missing_extra

Published: TypeAlias = Original | Lightweight | IAE | Dfaker | DflH128
Layer: TypeAlias = nn.Conv2d | nn.Linear
Array: TypeAlias = NDArray[np.floating]
Order: TypeAlias = NDArray[np.intp]  # at each of our places, the place in Keras


def load_keras_weights(
    autoencoder: Published, weights: Mapping[str, Sequence[Array]], *, is_bgr: bool = True
) -> None:
    """Put weights in Keras' layout into an autoencoder of the same layers.

    Args:
        autoencoder: one of the five, with the options that the weights were trained with.
        weights: by part, what Keras' `get_weights()` gives: kernel and bias of each layer in turn.
            The parts are `encoder`, `decoder_a` (the target) and `decoder_b` (the source); of IAE
            `encoder`, `inter_a`, `inter_b`, `inter_both` and `decoder`.
        is_bgr: whether they were trained with blue first, as faceswap's are.

    Raises:
        InvalidInputError: if a part is missing or unknown, or an array is missing or of another
            shape; the autoencoder is then as it was.
    """
    parts = _parts(autoencoder)
    if weights.keys() != parts.keys():
        raise InvalidInputError(
            f"the weights of {type(autoencoder).__name__} must have the parts {', '.join(parts)}, "
            f"got {', '.join(weights) or 'none'}; rename those of the file"
        )
    channels = [one for one in autoencoder.modules() if isinstance(one, Conv)][-1].out_channels
    filled = []
    for name, part in parts.items():
        layers = list(_layers(part, channels, is_bgr))
        if len(weights[name]) != 2 * len(layers):
            raise InvalidInputError(
                f"{name} must have {2 * len(layers)} arrays, a kernel and a bias for each layer, "
                f"got {len(weights[name])}; give the weights of the same network"
            )
        pairs = zip(weights[name][::2], weights[name][1::2], strict=True)
        for number, (layer, (kernel, bias)) in enumerate(zip(layers, pairs, strict=True), 1):
            _check(*layer, kernel, bias, f"of layer {number} of {name}")
            filled.append((*layer, kernel, bias))
    for one in filled:
        _fill(*one)


def read_keras_weights(path: Path) -> dict[str, list[Array]]:
    """Return the weights of a file that Keras wrote as HDF5, by part, for `load_keras_weights`.

    Args:
        path: a model (`original.h5`) or its weights alone, whose layers are the parts.

    Raises:
        MissingDependencyError: if h5py is not installed.
        NotFoundError: if the file does not exist.
        InvalidInputError: if it is no such file.
    """
    try:
        import h5py
    except ImportError:
        raise missing_extra("h5py", "keras-weights", "reading Keras weights") from None
    if not path.is_file():
        raise NotFoundError(f"the weight file must exist, got {path}; check the path")
    try:
        with h5py.File(path) as file:
            group = file.get("model_weights", file)
            found = {name: _arrays(group[name]) for name in map(_text, group.attrs["layer_names"])}
    except (OSError, KeyError) as error:
        raise InvalidInputError(
            f"the weight file must be HDF5 as Keras writes it, got {path} ({error}); save the "
            "model again as .h5"
        ) from None
    return {name: arrays for name, arrays in found.items() if arrays}  # an input has none


def _arrays(group: Any) -> list[Array]:
    return [np.asarray(group[_text(name)], np.float32) for name in group.attrs["weight_names"]]


def _text(name: str | bytes) -> str:
    """Return a name that older releases keep as bytes."""
    return name.decode() if isinstance(name, bytes) else name


def _parts(autoencoder: Published) -> dict[str, nn.Module]:
    """Return the parts under the names that they have in Keras."""
    target, source = autoencoder.own
    if not isinstance(autoencoder, IAE):
        return {"encoder": autoencoder.shared, "decoder_a": target, "decoder_b": source}
    return {
        "encoder": autoencoder.encoder,
        "inter_a": target,
        "inter_b": source,
        "inter_both": autoencoder.both,
        "decoder": autoencoder.decoder,
    }


def _layers(part: nn.Module, channels: int, is_bgr: bool) -> Iterator[tuple[Layer, Order, Order]]:
    """Yield each layer in Keras' order, and in which order it takes and returns its values there.

    Args:
        part: some of the autoencoder's layers.
        channels: of the map that is flattened.
        is_bgr: whether pictures have blue first there.
    """
    picture = np.arange(3)[::-1] if is_bgr else np.arange(3)
    for block in part.modules():
        if isinstance(block, Bottleneck):
            inner, outer = block.inner, block.outer
            yield inner, _flattened(channels, inner.in_features), np.arange(inner.out_features)
            yield outer, np.arange(outer.in_features), _flattened(*_map(block))
        elif isinstance(block, Up):
            yield block, np.arange(block.in_channels), _depth(block.out_channels)
        elif isinstance(block, Out):
            yield block, np.arange(block.in_channels), picture
        elif isinstance(block, nn.Conv2d):
            taken = picture if block.in_channels == 3 else np.arange(block.in_channels)
            yield block, taken, np.arange(block.out_channels)


def _map(block: Bottleneck) -> tuple[int, int]:
    return block.shape[0], block.outer.out_features


def _flattened(channels: int, length: int) -> Order:
    """Return the order of a square map flattened by channel, where Keras flattens channels last."""
    side = isqrt(length // channels)
    return np.arange(length).reshape(side, side, channels).transpose(2, 0, 1).ravel()


def _depth(length: int) -> Order:
    """Return the order of channels before pixel shuffle: Keras counts the four places first."""
    return np.arange(length).reshape(4, length // 4).T.ravel()


def _check(
    layer: Layer, taken: Order, given: Order, kernel: Array, bias: Array, place: str
) -> None:
    window = layer.kernel_size if isinstance(layer, nn.Conv2d) else ()
    for name, array, shape in (
        ("the kernel", kernel, (*window, len(taken), len(given))),
        ("the bias", bias, (len(given),)),
    ):
        if array.shape != shape:
            raise InvalidInputError(
                f"{name} {place} must have shape {shape}, got {array.shape}; make the autoencoder "
                "with the options that the weights were trained with"
            )


def _fill(layer: Layer, taken: Order, given: Order, kernel: Array, bias: Array) -> None:
    ordered = np.moveaxis(kernel[..., given][..., taken, :], (-1, -2), (0, 1))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(ordered)))
        layer.bias.copy_(torch.from_numpy(bias[given]))  # type: ignore[union-attr]
