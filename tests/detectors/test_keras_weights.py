"""Published MesoNet weights: their outputs, and those of a network written with NumPy alone."""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from unmask.detectors.keras_weights import load_keras_weights
from unmask.detectors.meso4 import Meso4
from unmask.detectors.mesoinception4 import MesoInception4
from unmask.errors import InvalidInputError, MissingDependencyError, NotFoundError

Array = NDArray[np.float64]
Layers = dict[str, dict[str, Array]]

GOLDEN = {
    "Meso4_DF": (0.0414, 0.0487, 0.9897, 0.9977),
    "MesoInception_DF": (0.0262, 0.0010, 1.0, 1.0),
    "Meso4_F2F": (0.8312, 0.6411, 0.8810, 0.9524),
    "MesoInception_F2F": (0.9987, 1.0, 1.0, 0.9908),
}
IMAGES = ("df00204", "df01254", "real00240", "real00772")
INCEPTIONS = ((3, (1, 4, 4, 2)), (11, (2, 4, 4, 2)))


def read_small(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path))
    assert image is not None
    # Nearest neighbour by the pixels' centres, as PIL does it: cv2.INTER_NEAREST is another.
    small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.ascontiguousarray(small[..., ::-1], np.uint8)


@pytest.mark.shared
@pytest.mark.parametrize("name", GOLDEN)
def test_published_weights_give_the_published_outputs(shared: Path, name: str) -> None:
    detector = Meso4() if name.startswith("Meso4") else MesoInception4()
    load_keras_weights(detector, shared / "data/mesonet" / f"{name}.h5")
    images = np.stack([read_small(shared / f"data/mesonet/{image}.jpg") for image in IMAGES])
    faces = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        real = 1 - detector.eval().scores(faces[:, None])
    np.testing.assert_allclose(real, GOLDEN[name], atol=1e-3)


def random_tensors(shapes: dict[str, tuple[int, ...]], random: np.random.Generator) -> Layers:
    layers: Layers = {}
    for name, shape in shapes.items():
        if name.startswith("batch"):
            values = {key: random.normal(size=shape) for key in ("gamma", "beta", "moving_mean")}
            layers[name] = values | {"moving_variance": random.uniform(0.5, 2, shape)}
        else:
            scale = 1 / np.sqrt(np.prod(shape[:-1]))
            kernel = random.normal(size=shape) * scale
            layers[name] = {"kernel": kernel, "bias": random.normal(size=shape[-1]) * 0.1}
    return layers


def meso4_layers(random: np.random.Generator) -> Layers:
    """Return layers numbered as the published file numbers them, from 8 to 11: two digits too."""
    convolutions = ((3, 3, 3, 8), (5, 5, 8, 8), (5, 5, 8, 16), (5, 5, 16, 16))
    shapes: dict[str, tuple[int, ...]] = {"dense_3": (1024, 16), "dense_4": (16, 1)}
    for number, shape in enumerate(convolutions, start=8):
        shapes |= {f"conv2d_{number}": shape, f"batch_normalization_{number}": shape[-1:]}
    return random_tensors(shapes, random)


def mesoinception_layers(random: np.random.Generator) -> Layers:
    convolutions: list[tuple[int, ...]] = []
    for inputs, (first, *others) in INCEPTIONS:
        convolutions.append((1, 1, inputs, first))
        for channels in others:
            convolutions += [(1, 1, inputs, channels), (3, 3, channels, channels)]
    convolutions += [(5, 5, 12, 16), (5, 5, 16, 16)]
    shapes: dict[str, tuple[int, ...]] = {"dense_1": (1024, 16), "dense_2": (16, 1)}
    shapes |= {f"conv2d_{number}": shape for number, shape in enumerate(convolutions, start=1)}
    for number, channels in enumerate((11, 12, 16, 16), start=1):
        shapes[f"batch_normalization_{number}"] = (channels,)
    return random_tensors(shapes, random)


def write_h5(path: Path, layers: Layers) -> Path:
    with h5py.File(path, "w") as file:
        for name in ("input_1", "max_pooling2d_1"):
            file.create_group(name)
        for name, tensors in layers.items():
            for tensor, value in tensors.items():
                file[f"{name}/{name}/{tensor}:0"] = value.astype(np.float32)
    return path


def convolve(image: Array, layer: dict[str, Array], dilation: int = 1) -> Array:
    """Return ReLU of the convolution of an image (H, W, C), zeros outside."""
    side = layer["kernel"].shape[0]
    reach = dilation * (side // 2)
    padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)))
    height, width = image.shape[:2]
    total = np.zeros((height, width, layer["kernel"].shape[-1])) + layer["bias"]
    for y in range(side):
        for x in range(side):
            top, left = y * dilation, x * dilation
            shifted = padded[top : top + height, left : left + width]
            total += shifted @ layer["kernel"][y, x]
    return np.maximum(total, 0)


def norm_and_pool(image: Array, layer: dict[str, Array], pool: int) -> Array:
    scale = layer["gamma"] / np.sqrt(layer["moving_variance"] + 1e-3)
    normal = (image - layer["moving_mean"]) * scale + layer["beta"]
    height, width, channels = image.shape
    cells = normal.reshape(height // pool, pool, width // pool, pool, channels)
    return np.asarray(cells.max((1, 3)))


def of_kind(layers: Layers, kind: str) -> Iterator[dict[str, Array]]:
    names = [name for name in layers if name.startswith(kind)]
    return iter([layers[name] for name in sorted(names, key=lambda one: int(one.split("_")[-1]))])


def probability_of_real(image: Array, layers: Layers, inceptions: int) -> float:
    convolutions, norms = of_kind(layers, "conv2d"), of_kind(layers, "batch_normalization")
    for _ in range(inceptions):
        branches = [convolve(image, next(convolutions))]
        for dilation in (1, 2, 3):
            narrow = convolve(image, next(convolutions))
            branches.append(convolve(narrow, next(convolutions), dilation))
        image = norm_and_pool(np.concatenate(branches, -1), next(norms), 2)
    for pool in (2, 2, 2, 4)[inceptions:]:
        image = norm_and_pool(convolve(image, next(convolutions)), next(norms), pool)
    first, second = of_kind(layers, "dense")
    hidden = image.reshape(-1) @ first["kernel"] + first["bias"]
    z = np.where(hidden > 0, hidden, 0.1 * hidden) @ second["kernel"] + second["bias"]
    return float(1 / (1 + np.exp(-z[0])))


@pytest.mark.parametrize("kind", [Meso4, MesoInception4])
def test_made_weights_give_the_outputs_of_a_network_written_with_numpy(
    tmp_path: Path, kind: type[Meso4 | MesoInception4]
) -> None:
    random = np.random.default_rng(0)
    layers = meso4_layers(random) if kind is Meso4 else mesoinception_layers(random)
    detector = kind().eval()
    load_keras_weights(detector, write_h5(tmp_path / "made.h5", layers))
    images = random.random((2, 256, 256, 3))
    wanted = [
        probability_of_real(one, layers, 2 if kind is MesoInception4 else 0) for one in images
    ]
    faces = torch.from_numpy(images).float().permute(0, 3, 1, 2)[:, None]
    with torch.inference_mode():
        np.testing.assert_allclose(1 - detector.scores(faces), wanted, atol=1e-5)
    assert max(wanted) - min(wanted) > 1e-4  # the outputs do tell the images apart


def test_weights_of_the_other_network_are_refused(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "m.h5", meso4_layers(np.random.default_rng(0)))
    with pytest.raises(InvalidInputError, match="of MesoInception4 with 16 conv2d layers, got 4"):
        load_keras_weights(MesoInception4(), path)


def test_weights_for_another_size_are_refused(tmp_path: Path) -> None:
    path = write_h5(tmp_path / "m.h5", meso4_layers(np.random.default_rng(0)))
    with pytest.raises(InvalidInputError, match=r"kernel of Linear must have shape .* size=256"):
        load_keras_weights(Meso4(size=128), path)


def test_a_file_that_is_not_hdf5_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.h5").write_bytes(b"nothing")
    with pytest.raises(InvalidInputError, match="must be HDF5 as Keras 2 writes it"):
        load_keras_weights(Meso4(), tmp_path / "m.h5")


def test_a_missing_weight_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="the weight file must exist, got"):
        load_keras_weights(Meso4(), tmp_path / "none.h5")


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[keras-weights\]'"):
        load_keras_weights(Meso4(), tmp_path / "m.h5")
