"""Loading the published MesoNet weights, which Keras wrote as HDF5."""

import re
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from unmask.detectors.meso4 import Meso4
from unmask.detectors.mesoinception4 import MesoInception4
from unmask.errors import InvalidInputError, NotFoundError, missing_extra

Layer = dict[str, NDArray[np.float32]]


def load_keras_weights(detector: Meso4 | MesoInception4, path: Path) -> None:
    """Put published weights (`Meso4_DF.h5`, `MesoInception_F2F.h5` ...) into a detector.

    The file holds one group for each layer, inside it the same name again, and in that the
    tensors; layers of one kind are taken in the order of the numbers in their names.

    Raises:
        MissingDependencyError: if h5py is not installed.
        NotFoundError: if the file does not exist.
        InvalidInputError: if it is no HDF5 file or holds another network.

    Reference:
        Keras 2.1.5 weight files of https://github.com/DariusAf/MesoNet.
    """
    layers = _read(path)
    own = {
        kind: [module for module in detector.network.modules() if isinstance(module, kind)]
        for kind in (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    }
    names = {nn.Conv2d: "conv2d", nn.BatchNorm2d: "batch_normalization", nn.Linear: "dense"}
    for kind, modules in own.items():
        if len(layers[names[kind]]) != len(modules):
            raise InvalidInputError(
                f"the weights must be those of {type(detector).__name__} with {len(modules)} "
                f"{names[kind]} layers, got {len(layers[names[kind]])} in {path}; give the file "
                "of that network"
            )
    pairs = chain.from_iterable(
        zip(modules, layers[names[kind]], strict=True) for kind, modules in own.items()
    )
    for module, layer in pairs:
        _fill(module, layer, path)


def _read(path: Path) -> dict[str, list[Layer]]:
    """Return the layers of each kind in the order of their numbers."""
    try:
        import h5py
    except ImportError:
        raise missing_extra("h5py", "keras-weights", "reading Keras weights") from None
    if not path.is_file():
        raise NotFoundError(f"the weight file must exist, got {path}; check the path")
    found: dict[str, dict[int, Layer]] = {"conv2d": {}, "batch_normalization": {}, "dense": {}}
    try:
        with h5py.File(path) as file:
            for name in file:
                matched = re.fullmatch(r"(conv2d|batch_normalization|dense)_(\d+)", name)
                if matched and name in file[name]:
                    found[matched[1]][int(matched[2])] = _tensors(file[name][name])
    except OSError as error:
        raise InvalidInputError(
            f"the weight file must be HDF5 as Keras 2 writes it, got {path} ({error}); "
            "download it again"
        ) from None
    return {kind: [layers[number] for number in sorted(layers)] for kind, layers in found.items()}


def _tensors(group: Any) -> Layer:
    return {name.removesuffix(":0"): np.asarray(group[name], np.float32) for name in group}


def _fill(module: nn.Module, layer: Layer, path: Path) -> None:
    for name, keras_name in _tensor_names(module).items():
        own = module.get_parameter(name) if name in ("weight", "bias") else module.get_buffer(name)
        value = torch.from_numpy(layer.get(keras_name, np.empty(0, np.float32)))
        if name == "weight" and isinstance(module, nn.Conv2d) and value.ndim == 4:
            value = value.permute(3, 2, 0, 1)  # height, width, in, out
        elif name == "weight" and isinstance(module, nn.Linear):
            value = value.mT if value.ndim == 2 else value
        if value.shape != own.shape:
            raise InvalidInputError(
                f"{keras_name} of {type(module).__name__} must have shape {tuple(own.shape)}, got "
                f"{tuple(value.shape)} in {path}; the published weights need size=256"
            )
        with torch.no_grad():
            own.copy_(value)


def _tensor_names(module: nn.Module) -> dict[str, str]:
    if not isinstance(module, nn.BatchNorm2d):
        return {"weight": "kernel", "bias": "bias"}
    return {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }
