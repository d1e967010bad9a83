import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from makers.known_swaps import card
from unmask.autoencoders import AUTOENCODERS
from unmask.errors import InvalidInputError, NotFoundError
from unmask.swapping.swap_model import load_swap, read_swap_card, save_swap
from unmask.torch_contracts import SOURCE, Autoencoder


@pytest.fixture(scope="module")
def network() -> Autoencoder:
    torch.manual_seed(0)
    made = AUTOENCODERS["iae"](**card("iae").options)
    return made.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def folder(network: Autoencoder, tmp_path: Path) -> Path:
    save_swap(tmp_path, network, card("iae"))
    return tmp_path


def edited(folder: Path, **changed: object) -> Path:
    path = folder / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    return folder


def test_what_was_saved_rebuilds_the_same_faces(network: Autoencoder, folder: Path) -> None:
    loaded, _ = load_swap(folder)
    faces = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    faces = faces.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert torch.equal(loaded(faces, SOURCE), network(faces, SOURCE))
    assert not loaded.training


def test_card_comes_back_with_the_hash_of_the_weights(folder: Path) -> None:
    found = read_swap_card(folder)
    assert len(found.weights_sha256) == 64
    assert replace(found, weights_sha256="") == card("iae")


def test_changed_weights_are_refused(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    with pytest.raises(InvalidInputError, match=r"weights must be those of the card, got another"):
        load_swap(folder)


def test_changed_card_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="card must be as training wrote it, got a changed"):
        read_swap_card(edited(folder, iterations=200_000))


def test_card_of_another_format_is_refused(folder: Path) -> None:
    with pytest.raises(
        InvalidInputError, match="card must be that of a trained pair in format 1, got 2 in"
    ):
        read_swap_card(edited(folder, format=2))


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b"\xff"])
def test_card_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    (folder / "card.json").write_bytes(content)
    with pytest.raises(InvalidInputError, match="card must be JSON as training writes it, got"):
        read_swap_card(folder)


@pytest.mark.parametrize("name", ["card.json", "weights.safetensors"])
def test_folder_without_a_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(NotFoundError, match=rf"trained pair must hold {name}, got none in"):
        load_swap(folder)


def test_weights_of_another_autoencoder_are_refused(network: Autoencoder, tmp_path: Path) -> None:
    save_swap(tmp_path, network, card("original"))
    with pytest.raises(InvalidInputError, match="weights must fit autoencoder original, got"):
        load_swap(tmp_path)
