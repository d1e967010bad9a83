"""Opening a data set by its name."""

from pathlib import Path

import pytest

from unmask.datasets.deepfakemnist import DeepFakeMnist
from unmask.datasets.faceforensics import FaceForensics
from unmask.datasets.opening import open_dataset
from unmask.errors import InvalidInputError, NotFoundError


def test_options_reach_the_reader_in_their_types(tmp_path: Path) -> None:
    opened = open_dataset("faceforensics", tmp_path, [f"splits={tmp_path}"])
    assert isinstance(opened, FaceForensics)
    assert opened.split_folder == tmp_path
    other = open_dataset("deepfakemnist", tmp_path, ["fake_split=8/1/1"])
    assert isinstance(other, DeepFakeMnist)
    assert other.fake_split == "8/1/1"


def test_a_misspelt_data_set_and_a_misspelt_option_are_answered_with_the_closest(
    tmp_path: Path,
) -> None:
    with pytest.raises(
        NotFoundError, match=r"has no 'faceforensic'; did you mean 'faceforensics'\?"
    ):
        open_dataset("faceforensic", tmp_path)
    with pytest.raises(NotFoundError, match="faceforensics has no 'split'; did you mean 'splits'"):
        open_dataset("faceforensics", tmp_path, ["split=x"])


@pytest.mark.parametrize(
    ("name", "option", "keys"), [("footage", "persons", "persons"), ("folder", "splits=x", "none")]
)
def test_an_option_of_another_form_is_refused(
    tmp_path: Path, name: str, option: str, keys: str
) -> None:
    with pytest.raises(
        InvalidInputError, match=f"options must be like key=value, .*keys are {keys}"
    ):
        open_dataset(name, tmp_path, [option])
