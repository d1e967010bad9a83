"""The five networks beside those that Keras built of the same table with the same weights."""

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from makers.autoencoder_tables import (
    REFERENCES,
    TABLES,
    WIDTH,
    Array,
    Table,
    kept,
    random_faces,
    random_weights,
)
from unmask.autoencoders import AUTOENCODERS, keras_layout, layers
from unmask.autoencoders.keras_layout import Published, load_keras_weights, read_keras_weights
from unmask.errors import InvalidInputError, MissingDependencyError, NotFoundError
from unmask.torch_contracts import SOURCE, TARGET

Weights = dict[str, list[Array]]

BY_NAME = {table.name: table for table in TABLES}
FIVE = [table for table in TABLES if not table.options]
SIDES = (TARGET, SOURCE)
TOLERANCE = 1e-6  # in double precision, in which both compute all but the last rounding


@cache
def references() -> dict[str, Array]:
    """Return by the table's name what Keras made, (2 sides, 1, h, w, 3)."""
    with np.load(REFERENCES) as stored:
        return dict(stored)


def made(table: Table) -> Published:
    part: Any = AUTOENCODERS[table.model]
    autoencoder: Published = part(width=WIDTH, **table.options)
    return autoencoder


def rebuilt(autoencoder: Published, table: Table, *, is_bgr: bool) -> Array:
    """Return what the references keep of a face, (2, 1, h, w, 3), rebuilt as either person's.

    Args:
        autoencoder: the network, with weights.
        table: what it was built by.
        is_bgr: whether the face's channels are turned before, and back afterwards.
    """
    order = [2, 1, 0] if is_bgr else [0, 1, 2]
    faces = torch.from_numpy(random_faces(table)).permute(0, 3, 1, 2)[:, order]
    with torch.inference_mode():
        both = [autoencoder.double()(faces.double(), side)[:, order] for side in SIDES]
    return kept(torch.stack(both).permute(0, 1, 3, 4, 2).numpy())


def difference(table: Table, *, is_bgr: bool = False, told: bool | None = None) -> float:
    """Return how far from Keras' result ours is at most, after loading the same weights."""
    autoencoder = made(table)
    load_keras_weights(
        autoencoder, random_weights(table, WIDTH), is_bgr=is_bgr if told is None else told
    )
    found = rebuilt(autoencoder, table, is_bgr=is_bgr)
    return float(np.abs(found - references()[table.name]).max())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_both_sides_rebuild_a_face_as_keras_does(table: Table) -> None:
    assert difference(table) < TOLERANCE


@pytest.mark.parametrize("table", FIVE, ids=lambda table: table.name)
def test_weights_that_learned_blue_first_take_and_give_red_first(table: Table) -> None:
    assert difference(table, is_bgr=True) < TOLERANCE


def test_single_precision_is_near_enough() -> None:
    table = BY_NAME["original"]
    autoencoder = made(table)
    load_keras_weights(autoencoder, random_weights(table, WIDTH), is_bgr=False)
    faces = torch.from_numpy(random_faces(table)).permute(0, 3, 1, 2)
    found = torch.stack([autoencoder(faces, side) for side in SIDES]).permute(0, 1, 3, 4, 2)
    wanted = references()[table.name]
    np.testing.assert_allclose(kept(found.detach().numpy()), wanted, atol=1e-5)


def test_references_tell_the_sides_apart_and_are_no_flat_grey() -> None:
    for name in BY_NAME:
        target, source = references()[name]
        assert np.abs(target - source).mean() > 0.05
        assert target.std() > 0.05


@pytest.mark.parametrize("table", FIVE, ids=lambda table: table.name)
def test_padding_on_both_sides_alike_is_noticed(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mirrored(images: Tensor, border: tuple[int, ...]) -> Tensor:
        return pad(images, border[::-1])

    monkeypatch.setattr(layers, "pad", mirrored)
    assert difference(table) > 1e-2


@pytest.mark.parametrize("table", FIVE, ids=lambda table: table.name)
def test_depth_to_space_in_torchs_order_is_noticed(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras_layout, "_depth", np.arange)
    assert difference(table) > 1e-2


@pytest.mark.parametrize("length", [8 * 8 * 24, 4 * 4 * 24], ids=["first", "second"])
def test_dense_layer_flattened_by_channel_is_noticed(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In this network the maps before and behind the bottleneck are of different lengths.
    right = keras_layout._flattened

    def without(channels: int, found: int) -> keras_layout.Order:
        return np.arange(length) if found == length else right(channels, found)

    monkeypatch.setattr(keras_layout, "_flattened", without)
    assert difference(BY_NAME["lightweight"]) > 1e-2


@pytest.mark.parametrize("table", FIVE, ids=lambda table: table.name)
def test_pictures_in_another_order_of_colours_are_noticed(table: Table) -> None:
    assert difference(table, is_bgr=True, told=False) > 1e-2


@pytest.mark.parametrize("name", ["RESIDUAL_SLOPE", "SLOPE"])
def test_another_slope_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, name, 0.15)
    assert difference(BY_NAME["dfaker"]) > 1e-3


@pytest.mark.parametrize("table", FIVE, ids=lambda table: table.name)
def test_sides_the_other_way_round_are_noticed(table: Table) -> None:
    autoencoder = made(table)
    load_keras_weights(autoencoder, random_weights(table, WIDTH), is_bgr=False)
    autoencoder.own = nn.ModuleList(reversed(autoencoder.own))
    found = rebuilt(autoencoder, table, is_bgr=False)
    assert np.abs(found - references()[table.name]).max() > 1e-2
    assert np.abs(found - references()[table.name][::-1]).max() < TOLERANCE


def test_persons_map_behind_the_common_one_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def turned(maps: list[Tensor], dim: int) -> Tensor:
        return joined(maps[::-1], dim=dim)

    joined = torch.cat
    monkeypatch.setattr(torch, "cat", turned)
    assert difference(BY_NAME["iae"]) > 1e-2


def changed(weights: Weights, part: str, place: int, array: Array) -> Weights:
    """Return weights with one array replaced."""
    arrays = list(weights[part])
    arrays[place] = array
    return weights | {part: arrays}


def test_weights_that_do_not_fit_are_refused_and_change_nothing() -> None:
    table = BY_NAME["original"]
    weights, autoencoder = random_weights(table, WIDTH), made(table)
    before = {name: value.clone() for name, value in autoencoder.state_dict().items()}
    renamed = {name.replace("decoder", "coder"): arrays for name, arrays in weights.items()}
    fewer = weights | {"decoder_a": weights["decoder_a"][:-1]}
    other = np.zeros((5, 5, 3, 9), np.float32)
    for given, words in (
        (renamed, "must have the parts encoder, decoder_a, decoder_b, got encoder, coder_a"),
        ({}, "must have the parts encoder, decoder_a, decoder_b, got none; rename"),
        (fewer, "decoder_a must have 8 arrays, a kernel and a"),
        (changed(weights, "encoder", 0, other), "the kernel of layer 1 of encoder must have shape"),
        (changed(weights, "decoder_b", 7, other), "the bias of layer 4 of decoder_b must have sh"),
    ):
        with pytest.raises(InvalidInputError, match=re.escape(words)):
            load_keras_weights(autoencoder, given)
    for name, value in autoencoder.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_parts_of_iae_are_named() -> None:
    words = "must have the parts encoder, inter_a, inter_b, inter_both, decoder, got encoder"
    with pytest.raises(InvalidInputError, match=words):
        load_keras_weights(made(BY_NAME["iae"]), {"encoder": []})


def write_keras_file(path: Path, weights: Weights, *, whole: bool, as_bytes: bool) -> Path:
    """Write weights as Keras does: a group for each part, which lists its arrays in their order."""

    def text(names: list[str]) -> Any:
        return np.array([name.encode() for name in names]) if as_bytes else names

    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights") if whole else file
        group.attrs["layer_names"] = text(["face_in", *weights])
        group.create_group("face_in").attrs["weight_names"] = []
        for part, arrays in weights.items():
            names = [f"z{100 - i}/{'bias' if i % 2 else 'kernel'}:0" for i in range(len(arrays))]
            group.create_group(part).attrs["weight_names"] = text(names)
            for name, array in zip(names, arrays, strict=True):
                group[part][name] = array
    return path


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("as_bytes", [True, False])
def test_file_that_keras_wrote_is_read_in_its_order(
    tmp_path: Path, whole: bool, as_bytes: bool
) -> None:
    weights = random_weights(BY_NAME["iae"], WIDTH)
    path = write_keras_file(tmp_path / "iae.h5", weights, whole=whole, as_bytes=as_bytes)
    found = read_keras_weights(path)
    assert list(found) == ["encoder", "inter_a", "inter_b", "inter_both", "decoder"]
    for part, arrays in weights.items():
        for array, wanted in zip(found[part], arrays, strict=True):
            np.testing.assert_array_equal(array, wanted)


def test_what_is_no_keras_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("not HDF5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["numbers"] = [1, 2]
    for name in ("text.h5", "other.h5"):
        with pytest.raises(InvalidInputError, match="the weight file must be HDF5 as Keras writes"):
            read_keras_weights(tmp_path / name)
    with pytest.raises(NotFoundError, match="the weight file must exist"):
        read_keras_weights(tmp_path / "none.h5")


def test_reading_without_h5py_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[keras-weights\]'"):
        read_keras_weights(tmp_path / "any.h5")
