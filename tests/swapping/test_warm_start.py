from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from makers.drawn_face_sets import drawn_faces
from unmask.errors import InvalidInputError, NotFoundError
from unmask.swapping.pair import train_pair
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.pair_work import PairWork
from unmask.swapping.swap_model import load_swap, read_swap_card
from unmask.swapping.warm_start import train_encoder
from unmask.video.picture import read_picture

PEOPLE = [drawn_faces(number, count=8) for number in range(3)]


def small(**given: Any) -> PairSettings:
    usual: dict[str, Any] = {"width": 0.02, "iterations": 2, "batch": 4, "device": "cpu"}
    return PairSettings(**usual | given)


def state(folder: Path) -> dict[str, Tensor]:
    return load_swap(folder)[0].state_dict()


@pytest.fixture(scope="module", params=["original", "iae"])
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = small(model=request.param, learning_rate=1e-3)
    return train_encoder(settings, PEOPLE, tmp_path_factory.mktemp("warm") / request.param)


def pair(encoder: Path, out: Path, **given: Any) -> Path:
    settings = small(model=read_swap_card(encoder).model, **given)
    return train_pair(settings, PEOPLE[0], PEOPLE[1], out, start=encoder)


def test_many_people_share_one_side_and_its_layers_are_written_to_both(encoder: Path) -> None:
    card, found = read_swap_card(encoder), state(encoder)
    assert card.faces["sha256"] == [[one.sha256 for one in PEOPLE]]
    assert card.faces["learned"] == [23]
    assert set(card.losses) == {"target", "validation_target"}
    for name, one in found.items():
        if name.startswith("own.0."):
            assert torch.equal(one, found[name.replace("own.0.", "own.1.")])
    assert read_picture(encoder / "preview.png").shape[1] == 2 * 130 - 2


def test_pair_starts_with_all_layers_of_the_encoder(encoder: Path, tmp_path: Path) -> None:
    settings = small(model=read_swap_card(encoder).model)
    work = PairWork(settings, [[PEOPLE[0]], [PEOPLE[1]]], tmp_path, ("a", "b"), encoder)
    begun = work.network().state_dict()
    for name, one in state(encoder).items():
        assert torch.equal(begun[name], one)


def test_pair_learns_on_from_there_and_says_so(encoder: Path, tmp_path: Path) -> None:
    out = pair(encoder, tmp_path)
    assert read_swap_card(out).started_from == read_swap_card(encoder).weights_sha256
    after = state(out)
    assert not [name for name, one in state(encoder).items() if torch.equal(one, after[name])]


def test_shared_layers_may_be_left_as_they_are(encoder: Path, tmp_path: Path) -> None:
    after = state(pair(encoder, tmp_path, learn_shared=False))
    for name, one in state(encoder).items():
        assert torch.equal(one, after[name]) == (not name.startswith("own."))


def test_start_of_another_width_is_refused(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"start must be the same autoencoder.*0\.03"):
        pair(encoder, tmp_path, width=0.03)


def test_start_of_another_model_is_refused(encoder: Path, tmp_path: Path) -> None:
    settings = small(model="lightweight")
    with pytest.raises(InvalidInputError, match="start must be the same autoencoder, lightweight"):
        train_pair(settings, PEOPLE[0], PEOPLE[1], tmp_path, start=encoder)


def test_start_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"trained pair must hold card.json, got none in"):
        train_pair(small(), PEOPLE[0], PEOPLE[1], tmp_path / "out", start=tmp_path)


def test_folder_of_a_pair_with_another_start_is_refused(encoder: Path, tmp_path: Path) -> None:
    pair(encoder, tmp_path)
    settings = small(model=read_swap_card(encoder).model)
    with pytest.raises(InvalidInputError, match=r"hold the same run, got .*, whose start was"):
        train_pair(settings, PEOPLE[0], PEOPLE[1], tmp_path)
