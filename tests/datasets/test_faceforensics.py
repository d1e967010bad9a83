"""The reader of FaceForensics++."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from makers.faceforensics import make
from unmask.contracts import Finding
from unmask.datasets.faceforensics import FaceForensics
from unmask.errors import NotFoundError

FAKE = "manipulated_sequences/Deepfakes/c23/videos/071_054.mp4"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make(tmp_path / "ff", methods=("Deepfakes",))
    return tmp_path / "ff"


def rows(root: Path, **options: Any) -> dict[object, Mapping[str, object]]:
    return {row["id"]: row for row in FaceForensics(root, **options).find()}


def findings(root: Path, about: str) -> list[Finding]:
    return [finding for finding in FaceForensics(root).check() if about in finding.what]


def test_a_fake_says_who_is_seen_who_was_put_in_and_what_it_was_made_from(root: Path) -> None:
    assert rows(root)[FAKE] == {
        "id": FAKE,
        "path": FAKE,
        "label": 1,
        "original_label": "manipulated_sequences",
        "family": "swap",
        "method": "Deepfakes",
        "person": "071",
        "source_person": "054",
        "parents": [
            "original_sequences/youtube/c23/videos/071.mp4",
            "original_sequences/youtube/c23/videos/054.mp4",
        ],
        "split": "train",
        "quality": "c23",
        "crf": 23,
        "mask": "manipulated_sequences/Deepfakes/masks/videos/071_054.mp4",
    }


def test_fakes_of_both_directions_are_in_the_split_of_their_pair(root: Path) -> None:
    found = rows(root)
    folder = "manipulated_sequences/Deepfakes/raw/videos"
    for name, split in (("953_974", "test"), ("974_953", "test"), ("672_720", "val")):
        assert found[f"{folder}/{name}.mp4"]["split"] == split


def test_a_fake_of_actors_has_its_scene_and_no_split(root: Path) -> None:
    folder = "manipulated_sequences/DeepFakeDetection/c23/videos"
    row = rows(root)[f"{folder}/01_02__exit_phone_room__YVGY8LOK.mp4"]
    assert (row["person"], row["source_person"]) == ("01", "02")
    assert (row["action"], row["split"]) == ("exit_phone_room", None)
    assert row["parents"] == ["original_sequences/actors/c23/videos/01__exit_phone_room.mp4"]


def test_c0_is_raw(root: Path) -> None:
    videos = root / "original_sequences/youtube"
    (videos / "raw").rename(videos / "c0")
    row = rows(root)["original_sequences/youtube/c0/videos/071.mp4"]
    assert (row["quality"], row["crf"]) == ("raw", None)


def test_of_raw_and_c0_only_one_is_read(root: Path) -> None:
    videos = root / "original_sequences/youtube"
    shutil.copytree(videos / "raw", videos / "c0")
    assert not any("/c0/" in str(item) for item in rows(root))


def test_videos_need_no_folder_of_their_own_and_no_case(root: Path) -> None:
    quality = root / "manipulated_sequences/Deepfakes/c23"
    shutil.move(quality / "videos/071_054.mp4", quality / "071_054.mp4")
    shutil.rmtree(quality / "videos")
    quality.rename(quality.with_name("C23"))
    assert "manipulated_sequences/Deepfakes/C23/071_054.mp4" in rows(root)


@pytest.mark.parametrize("place", ["splits", "dataset/splits", "../splits", "../dataset/splits"])
def test_the_split_is_found_wherever_it_usually_lies(root: Path, place: str) -> None:
    lists = root.parent / "lists"
    shutil.move(root / "splits", lists)
    assert rows(root)[FAKE]["split"] is None
    shutil.copytree(lists, root / place)
    assert rows(root)[FAKE]["split"] == "train"


def test_the_split_may_be_given(root: Path) -> None:
    shutil.move(root / "splits", root.parent / "lists")
    assert rows(root, splits=root.parent / "lists")[FAKE]["split"] == "train"
    with pytest.raises(NotFoundError, match="splits must be a folder, got"):
        FaceForensics(root, splits=root / "nowhere")


def test_without_lists_the_doctor_says_where_they_are(root: Path) -> None:
    shutil.rmtree(root / "splits")
    (finding,) = findings(root, "official split")
    assert finding.level == "missing"
    assert "ondyari/FaceForensics" in finding.advice


def test_lists_of_another_split_and_broken_lists_are_suspicious(root: Path) -> None:
    (finding,) = findings(root, "official split")
    assert finding.level == "suspicious"
    assert "2 of 360 train, 1 of 70 val, 1 of 70 test pairs" in finding.what
    (root / "splits/val.json").write_text("[")
    (finding,) = findings(root, "official split")
    assert "a split must be a JSON list of pairs" in finding.what


def test_counts_are_compared_with_those_published(root: Path) -> None:
    (finding,) = findings(root, "Deepfakes c23: ")
    assert (finding.level, finding.what) == ("suspicious", "Deepfakes c23: 8 of 1000 videos")
    (finding,) = findings(root, "no videos")
    assert finding.what == "Face2Face, FaceSwap, NeuralTextures, FaceShifter: no videos"


def test_a_whole_copy_is_present(tmp_path: Path) -> None:
    folder = tmp_path / "original_sequences/youtube/c23/videos"
    folder.mkdir(parents=True)
    for number in range(1000):
        (folder / f"{number:03}.mp4").touch()
    (finding,) = findings(tmp_path, "youtube c23")
    assert (finding.level, finding.what) == ("present", "youtube c23: 1000 of 1000 videos")


def test_masks_and_originals_that_are_not_there_are_counted(root: Path) -> None:
    (root / "manipulated_sequences/Deepfakes/masks/videos/071_054.mp4").unlink()
    (root / "original_sequences/youtube/c23/videos/071.mp4").unlink()
    (finding,) = findings(root, "Deepfakes masks")
    assert (finding.level, finding.what) == ("missing", "Deepfakes masks of 7 of 8 fakes")
    (finding,) = findings(root, "without a real video")
    assert finding.what == "Deepfakes c23: 1 fakes without a real video of their target"
    assert rows(root)[FAKE]["mask"] is None


def test_other_names_are_left_out_and_told(root: Path) -> None:
    folder = root / "manipulated_sequences/Deepfakes/c23/videos"
    shutil.copy(folder / "071_054.mp4", folder / "071_054 (copy).mp4")
    assert len(rows(root)) == len(set(rows(root)) - {"071_054 (copy).mp4"})
    (finding,) = findings(root, "other names than published")
    assert "Deepfakes c23: 1 videos" in finding.what
    assert "071_054 (copy).mp4" in finding.what


def test_frames_without_videos_are_recognised(root: Path) -> None:
    quality = root / "manipulated_sequences/Deepfakes/c23"
    shutil.rmtree(quality / "videos")
    (quality / "images/071_054").mkdir(parents=True)
    (finding,) = findings(root, "Deepfakes c23")
    assert finding.what == "Deepfakes c23: 0 of 1000 videos, only images/ made of them"
