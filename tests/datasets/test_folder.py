"""The reader of a user's own folder."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from makers.folder import make
from unmask.contracts import Finding
from unmask.datasets.folder import Folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mine")
    make(folder)
    return folder


def rows(root: Path) -> dict[object, Mapping[str, object]]:
    return {row["id"]: row for row in Folder(root).find()}


def findings(root: Path, about: str) -> list[Finding]:
    return [finding for finding in Folder(root).check() if about in finding.what]


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_real_people_are_told_by_folder_or_by_file(root: Path) -> None:
    people = {item: row["person"] for item, row in rows(root).items() if row["label"] == 0}
    assert people == {
        "real/ann/1.mp4": "ann",
        "real/ann/2.mov": "ann",
        "real/bob_smith.mp4": "bob_smith",
        "real/cid.mp4": "cid",
    }


def test_fakes_tell_their_method_and_whom_they_show(root: Path) -> None:
    told = {
        item: (row["method"], row["person"], row["source_person"])
        for item, row in rows(root).items()
        if row["label"] == 1
    }
    assert told == {
        "fake/swap/ann_bob_smith.mp4": ("swap", "ann", "bob_smith"),
        "fake/swap/cid/take1.mp4": ("swap", "cid", None),
        "fake/reenact/bob_smith_long.mkv": ("reenact", "bob_smith", None),
        "fake/unsorted.mp4": (None, None, None),
    }


def test_a_fake_has_the_only_videos_of_its_people_as_parents(root: Path) -> None:
    assert rows(root)["fake/swap/ann_bob_smith.mp4"]["parents"] == ["real/bob_smith.mp4"]
    assert rows(root)["fake/swap/cid/take1.mp4"]["parents"] == ["real/cid.mp4"]


def test_folders_of_a_split_are_read(tmp_path: Path) -> None:
    touch(
        tmp_path, "train/real/a.mp4", "train/fake/x/a.mp4", "Valid/Real/b.mp4", "test/fake/x/c.mp4"
    )
    splits = {row["id"]: row["split"] for row in Folder(tmp_path).find()}
    assert splits == {
        "train/real/a.mp4": "train",
        "Valid/Real/b.mp4": "val",
        "train/fake/x/a.mp4": "train",
        "test/fake/x/c.mp4": "test",
    }


def test_the_doctor_counts_videos_people_and_methods(root: Path) -> None:
    present = [finding.what for finding in Folder(root).check() if finding.level == "present"]
    assert present == [
        "fake, no method: 1 videos",
        "fake, reenact: 1 videos",
        "fake, swap: 2 videos",
        "real: 4 videos of 3 people",
        "real: 2 videos directly in the folder, each taken for a person of its own",
    ]


def test_fakes_of_nobody_known_are_told(root: Path) -> None:
    (finding,) = findings(root, "name of a real person")
    assert finding.what.startswith("fake: 1 videos")


def test_one_class_alone_is_missing_the_other(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.mp4", "real/notes.txt")
    (finding,) = findings(tmp_path, "fake: no videos")
    assert finding.level == "missing"
    assert findings(tmp_path, "1 .txt")
