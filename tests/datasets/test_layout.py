"""Looking at folders."""

import os
from pathlib import Path

import pytest

from unmask.datasets.layout import (
    elsewhere,
    list_folder,
    list_tree,
    natural,
    row_of,
    strays,
    subfolder,
)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_videos_are_told_from_what_lies_beside_them(tmp_path: Path) -> None:
    touch(tmp_path, "a.mp4", "b.MOV", "notes.txt", ".hidden.mp4", "Makefile", "below/c.mp4")
    listing = list_folder(tmp_path)
    assert [path.name for path in listing.videos] == ["a.mp4", "b.MOV"]
    assert listing.others == {".txt": 1, "hidden": 1, "without suffix": 1}


def test_numbers_in_names_are_sorted_by_value(tmp_path: Path) -> None:
    touch(tmp_path, "10.mp4", "9.mp4", "b2.mp4", "b10.mp4")
    names = [path.name for path in list_folder(tmp_path).videos]
    assert names == ["9.mp4", "10.mp4", "b2.mp4", "b10.mp4"]


def test_names_of_any_kind_can_be_compared() -> None:
    names = ["1.mp4", "a1", "١.mp4", "²", "01", "1", ""]
    assert len(sorted(map(Path, names), key=natural)) == 7


def test_a_tree_is_listed_with_the_folders_that_links_lead_to(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/b.mp4", "root/a.mp4", "root/.git/c.mp4")
    (tmp_path / "root" / "link").symlink_to(tmp_path / "elsewhere")
    names = [path.name for path in list_tree(tmp_path / "root").videos]
    assert names == ["a.mp4", "b.mp4"]


def test_links_in_a_circle_are_followed_once(tmp_path: Path) -> None:
    touch(tmp_path, "one/a.mp4")
    (tmp_path / "one" / "again").symlink_to(tmp_path)
    assert len(list_tree(tmp_path).videos) == 1


def test_a_name_that_is_no_unicode_is_counted_and_left_out(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp4")).touch()
    except OSError:
        pytest.skip("this file system has no such names")
    listing = list_folder(tmp_path)
    assert (listing.videos, dict(listing.others)) == ([], {"named in no Unicode": 1})


def test_a_folder_is_found_in_any_case_and_the_exact_one_first(tmp_path: Path) -> None:
    touch(tmp_path, "Real/a", "REAL/b", "fake/c")
    assert subfolder(tmp_path, "FAKE") == tmp_path / "fake"
    assert subfolder(tmp_path, "REAL") == tmp_path / "REAL"
    assert subfolder(tmp_path, "real") is not None
    assert subfolder(tmp_path, "other") is None
    assert subfolder(None, "real") is None


def test_a_backslash_in_a_name_stays_out_of_the_id(tmp_path: Path) -> None:
    row = row_of(tmp_path / "a" / "b\\c.mp4", tmp_path)
    assert row == {"id": "a/b%5Cc.mp4", "path": "a/b\\c.mp4"}


def test_other_files_are_counted_by_kind(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "b.png", "c.txt")
    (finding,) = strays(list_folder(tmp_path), "here")
    assert finding.what == "here: files that are no videos: 2 .png, 1 .txt"


def test_a_wrong_folder_without_a_guess_says_what_it_holds(tmp_path: Path) -> None:
    touch(tmp_path, "holiday/a.mp4")
    finding = elsewhere(tmp_path, ("originals", "fakes_of_them"))
    assert "which holds holiday/" in finding.what
    assert finding.advice == "give the folder that holds originals/ and fakes_of_them/"
