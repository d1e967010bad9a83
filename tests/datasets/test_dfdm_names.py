"""The names of DFDM."""

import pytest

from unmask.autoencoders import AUTOENCODERS
from unmask.datasets.dfdm_names import TAGS, fake_name, model_of, read_name
from unmask.errors import InvalidInputError, NotFoundError


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("original", "id28_id20_0008_1original.mp4"),
        ("lightweight", "id28_id20_0008_2lightweight.mp4"),
        ("iae", "id28_id20_0008_3iae.mp4"),
        ("dfaker", "id28_id20_0008_4dfaker.mp4"),
        ("dfl_h128", "id28_id20_0008_5dfl-h128.mp4"),
    ],
)
def test_names_are_as_published_and_are_read_back(model: str, name: str) -> None:
    assert fake_name("id28", "id20", "0008", model) == name
    said = read_name(name.removesuffix(".mp4"))
    assert said is not None
    assert (said.target, said.source, said.scene, said.model) == ("id28", "id20", "0008", model)
    assert said.real == "id28_0008"


def test_every_autoencoder_has_a_tag() -> None:
    assert set(TAGS) == set(AUTOENCODERS)


@pytest.mark.parametrize("word", ["faceswap", "FaceSwap", "1faceswap", "Original", "1_original"])
def test_the_first_model_has_two_names(word: str) -> None:
    assert model_of(word) == "original"


@pytest.mark.parametrize("tag", ["6new", "", "12iae", "4dfaker2", "4 dfaker"])
def test_another_tag_means_no_model(tag: str) -> None:
    assert model_of(tag) is None


@pytest.mark.parametrize("target", ["ann", "28", "id28"])
@pytest.mark.parametrize("source", ["ann", "id_20"])
def test_people_who_are_no_numbers_are_refused(target: str, source: str) -> None:
    with pytest.raises(InvalidInputError, match=r"must be like id28 and 0008, got .*; number them"):
        fake_name(target, source, "0008", "iae")


def test_a_scene_that_could_not_be_read_back_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="got 'id28', 'id20' and 'a_b'"):
        fake_name("id28", "id20", "a_b", "iae")


def test_a_model_that_is_misspelt_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="DFDM has no 'dfl-h128'; did you mean 'dfl_h128'"):
        fake_name("id28", "id20", "0008", "dfl-h128")
