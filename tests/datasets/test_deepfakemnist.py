"""The reader of DeepFakeMnist+."""

from pathlib import Path

import pytest

from makers.deepfakemnist import make
from unmask.contracts import Finding
from unmask.datasets.deepfakemnist import ACTIONS, DeepFakeMnist, in_order
from unmask.errors import InvalidInputError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mnist")
    make(folder)
    return folder


def findings(root: Path, about: str) -> list[Finding]:
    return [finding for finding in DeepFakeMnist(root).check() if about in finding.what]


def test_the_published_thousand_is_split_as_the_default_says() -> None:
    parts = in_order(1000, "700/150/150")
    assert parts == ["train"] * 700 + ["val"] * 150 + ["test"] * 150


def test_fakes_are_split_in_the_order_of_their_numbers(root: Path) -> None:
    fakes = [row for row in DeepFakeMnist(root).find() if row.get("action") == "nod"]
    numbers = [Path(str(row["path"])).stem for row in fakes]
    assert numbers == ["9", "10", "101", "1302", "1304", "1305", "4000"]
    assert [row["split"] for row in fakes] == ["train"] * 5 + ["val", "test"]


def test_another_split_of_the_fakes_may_be_asked_for_and_is_recorded(root: Path) -> None:
    fakes = [
        row for row in DeepFakeMnist(root, fake_split="5/1/1").find() if row.get("action") == "up"
    ]
    assert [row["split"] for row in fakes] == ["train"] * 5 + ["val", "test"]
    assert fakes[0]["settings"] == '{"split": "5/1/1 in the order of the numbers"}'


@pytest.mark.parametrize("spelling", ["surpise", "surprise"])
def test_the_misspelt_folder_is_the_action_surprise(tmp_path: Path, spelling: str) -> None:
    (tmp_path / "fake_dataset" / spelling).mkdir(parents=True)
    (tmp_path / "fake_dataset" / spelling / "1.mp4").touch()
    (row,) = DeepFakeMnist(tmp_path).find()
    assert (row["action"], row["label"], row["family"]) == ("surprise", 1, "expression")


def test_all_ten_actions_are_there(root: Path) -> None:
    found = {row.get("action") for row in DeepFakeMnist(root).find()}
    assert found - {None} == set(ACTIONS)
    assert len(ACTIONS) == 10


def test_a_real_video_has_the_speaker_and_the_split_of_its_folder(root: Path) -> None:
    (row,) = (
        row for row in DeepFakeMnist(root).find() if row["split"] == "test" and not row["label"]
    )
    assert (row["person"], row["original_label"]) == ("id10003", "real_dataset")


def test_counts_are_compared_with_those_published(root: Path) -> None:
    (finding,) = findings(root, "fakes, blink")
    assert (finding.level, finding.what) == ("suspicious", "fakes, blink: 7 of 1000")
    (finding,) = findings(root, "real videos: ")
    assert finding.what == "real videos: 4 of 10000"


def test_the_doctor_tells_that_the_split_of_the_fakes_is_a_reading(root: Path) -> None:
    (finding,) = findings(root, "split of the fakes")
    assert "700/150/150" in finding.what


def test_a_copy_without_the_real_half_is_told(tmp_path: Path) -> None:
    (tmp_path / "fake_dataset" / "nod").mkdir(parents=True)
    assert [one.level for one in findings(tmp_path, "selected_train")] == ["missing"]


def test_other_names_are_told(tmp_path: Path) -> None:
    for name in ("fake_dataset/nod/a.mp4", "real_dataset/selected_val/b.mp4"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert "1 videos whose names are no numbers" in findings(tmp_path, "no numbers")[0].what
    assert "not named as crops of VoxCeleb: b.mp4" in findings(tmp_path, "VoxCeleb")[0].what
    (row,) = DeepFakeMnist(tmp_path).find()
    assert row["person"] is None


@pytest.mark.parametrize("text", ["700,150,150", "700/150", "0/0/0", "a/b/c"])
def test_a_split_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInputError, match="fake_split must be three numbers, of train, val"):
        DeepFakeMnist(tmp_path, fake_split=text)
