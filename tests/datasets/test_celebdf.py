"""The reader of Celeb-DF."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from makers.celebdf import LIST, make, write_list
from makers.named_clip import write_named_clip
from unmask.contracts import Finding
from unmask.datasets.celebdf import CelebDF
from unmask.datasets.doctor import examine
from unmask.datasets.index import IndexSettings, index
from unmask.errors import InvalidInputError, NotFoundError
from unmask.splitting import CROSSES, split_by_person

FAKE = "Celeb-synthesis/id1_id0_0007.mp4"
REVERSED = tuple(f"{1 - int(line[0])}{line[1:]}" for line in LIST)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make(tmp_path / "celeb")
    return tmp_path / "celeb"


def rows(root: Path, **options: Any) -> dict[object, Mapping[str, object]]:
    return {row["id"]: row for row in CelebDF(root, **options).find()}


def findings(root: Path, about: str, **options: Any) -> list[Finding]:
    return [one for one in CelebDF(root, **options).check() if about in one.what]


def touch(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.mp4").touch()


def test_a_fake_says_who_is_seen_who_was_put_in_and_what_it_was_made_from(root: Path) -> None:
    assert rows(root)[FAKE] == {
        "id": FAKE,
        "path": FAKE,
        "label": 1,
        "original_label": "Celeb-synthesis",
        "family": "swap",
        "method": "Celeb-synthesis",
        "person": "id1",
        "source_person": "id0",
        "parents": ["Celeb-real/id1_0007.mp4"],
        "split": "test",
        "quality": "raw",
        "settings": None,
    }


def test_labels_are_those_of_the_folders_and_not_the_numbers_of_the_list(root: Path) -> None:
    tested = {row["id"]: row["label"] for row in rows(root).values() if row["split"] == "test"}
    assert tested == {line[2:]: 1 - int(line[0]) for line in LIST}


def test_the_first_line_of_the_list_counts(root: Path) -> None:
    assert LIST[0] == "1 YouTube-real/00170.mp4"
    assert rows(root)["YouTube-real/00170.mp4"]["split"] == "test"


def test_what_is_not_listed_is_for_training_and_says_that_this_is_a_custom(root: Path) -> None:
    row = rows(root)["Celeb-synthesis/id28_id20_0008.mp4"]
    assert row["split"] == "train"
    assert json.loads(str(row["settings"])) == {
        "split": "train, as it is not in List_of_testing_videos.txt"
    }


def test_people_of_youtube_are_unknown_and_each_video_is_split_for_itself(
    root: Path, tmp_path: Path
) -> None:
    assert {row.get("person") for row in rows(root).values() if "Tube" in str(row["id"])} == {None}
    for number in range(40):
        write_named_clip(root / "YouTube-real" / f"{number:05}.mp4", root)
    catalog = index(IndexSettings("celebdf", root, tmp_path / "out", workers=1))
    split = split_by_person(catalog, seed=0, crossing="leave_out")
    tubes = [row for row in split.rows() if row["original_label"] == "YouTube-real"]
    assert {row["split"] for row in tubes} == {"train", "val", "test"}


def test_people_who_are_all_swapped_with_each_other_can_be_split_by_leaving_swaps_out(
    tmp_path: Path,
) -> None:
    people = [f"id{number}" for number in range(6)]
    for one in people:
        write_named_clip(tmp_path / "Celeb-real" / f"{one}_0000.mp4", tmp_path)
        for other in set(people) - {one}:
            name = f"{one}_{other}_0000.mp4"
            write_named_clip(tmp_path / "Celeb-synthesis" / name, tmp_path)
    catalog = index(IndexSettings("celebdf", tmp_path, tmp_path / "out", workers=1))
    with pytest.raises(InvalidInputError, match="use crossing='leave_out'"):
        split_by_person(catalog, seed=0)
    split = split_by_person(catalog, seed=0, crossing="leave_out", fractions=(1 / 3, 1 / 3, 1 / 3))
    # Of 30 swaps, those within the three pairs remain, in both directions.
    assert split.table.filter(label=1, status="ok").height == 6
    assert split.table.filter(status=CROSSES).height == 24


@pytest.mark.parametrize("spelling", ["Youtube-real", "youtube-real"])
def test_folders_may_be_written_in_another_case_and_hold_a_folder_of_videos(
    root: Path, spelling: str
) -> None:
    (root / "YouTube-real").rename(root / "was")
    shutil.move(root / "was", root / spelling / "videos")
    row = rows(root)[f"{spelling}/videos/00170.mp4"]
    assert (row["label"], row["split"], row["original_label"]) == (0, "test", "YouTube-real")


def test_without_a_list_the_split_stays_open_and_the_doctor_says_so(root: Path) -> None:
    (root / "List_of_testing_videos.txt").unlink()
    assert {row["split"] for row in rows(root).values()} == {None}
    (finding,) = findings(root, "test list")
    assert (finding.level, finding.what) == ("missing", "test list: none, so the split stays open")
    assert "List_of_testing_videos.txt" in finding.advice


def test_the_list_may_be_given(root: Path, tmp_path: Path) -> None:
    shutil.move(root / "List_of_testing_videos.txt", tmp_path / "mine.txt")
    assert rows(root, test_list=tmp_path / "mine.txt")[FAKE]["split"] == "test"
    with pytest.raises(NotFoundError, match="test_list must be a file, got"):
        CelebDF(root, test_list=tmp_path / "nowhere.txt")


def test_a_list_that_was_turned_round_is_refused_with_what_to_do(root: Path) -> None:
    write_list(root, *REVERSED)
    words = r"must say 1 for real videos, as published, got the opposite in 5 of 5 lines .* such as"
    with pytest.raises(InvalidInputError, match=words) as told:
        rows(root)
    assert "'0 YouTube-real/00170.mp4'" in str(told.value)
    assert "turn its numbers round" in str(told.value)
    with pytest.raises(InvalidInputError, match="got the opposite in 5 of 5 lines"):
        index(IndexSettings("celebdf", root, root.parent / "out", workers=1))


def test_the_doctor_tells_of_a_turned_list_once_and_of_the_rest(root: Path) -> None:
    write_list(root, *REVERSED)
    told = [one.what for one in examine("celebdf", root)]
    assert told[0] == "Celeb-real: 4 of the 590 videos of v2"
    assert sum("got the opposite in 5 of 5 lines" in one for one in told) == 1


def test_one_wrong_number_is_refused_too(root: Path) -> None:
    write_list(root, *LIST[:4], REVERSED[4])
    with pytest.raises(
        InvalidInputError, match=r"opposite in 1 of 5 lines .* such as '1 Celeb-syn"
    ):
        rows(root)


@pytest.mark.parametrize("line", ["label path", "1 00170.mp4", "1 Other/1.mp4", "2 Celeb-real/a"])
def test_a_line_of_another_form_is_refused_with_its_number(root: Path, line: str) -> None:
    write_list(root, LIST[0], line)
    with pytest.raises(InvalidInputError, match=f"got '{line}' in line 2 of .*; take the list of"):
        rows(root)


def test_blank_lines_windows_line_ends_and_backslashes_are_read(root: Path) -> None:
    text = "\ufeff1 youtube-real\\00170.mp4\r\n\r\n0  Celeb-synthesis/id1_id0_0007.mp4\r\n"
    (root / "List_of_testing_videos.txt").write_text(text, newline="")
    tested = {row["id"] for row in rows(root).values() if row["split"] == "test"}
    assert tested == {"YouTube-real/00170.mp4", FAKE}


def test_people_in_training_and_test_are_counted(root: Path) -> None:
    (finding,) = findings(root, "people: ")
    assert finding.what == "people: none of the 2 in test videos is in training"
    touch(root / "Celeb-synthesis", "id1_id28_0007", "id28_id1_0008")
    (finding,) = findings(root, "people: ")
    assert (finding.level, finding.what) == (
        "suspicious",
        "people: 1 of the 2 in test videos are in training too, where 2 of 7 videos show them",
    )
    assert "split=disjoint" in finding.advice
    assert "unmask catalog split --crossing leave_out" in finding.advice


def test_training_videos_of_people_of_the_test_may_be_left_out(root: Path) -> None:
    touch(root / "Celeb-synthesis", "id1_id28_0007", "id28_id1_0008")
    found = rows(root, split="disjoint")
    open_ones = {row["id"] for row in found.values() if row["split"] is None}
    assert open_ones == {f"Celeb-synthesis/{one}.mp4" for one in ("id1_id28_0007", "id28_id1_0008")}
    trained = {row["id"] for row in found.values() if row["split"] == "train"}
    assert {"YouTube-real/00007.mp4", "Celeb-real/id28_0008.mp4"} < trained
    (finding,) = findings(root, "split disjoint", split="disjoint")
    assert (finding.level, finding.what) == (
        "present",
        "split disjoint: 2 videos of people of the test are left out, which leaves 2 fake and "
        "3 real ones to train on",
    )
    (overlap,) = findings(root, "people: ", split="disjoint")
    assert overlap.level == "present"


def test_a_disjoint_split_that_leaves_no_fakes_is_told(root: Path) -> None:
    write_list(root, *LIST, "0 Celeb-synthesis/id28_id20_0008.mp4")
    (finding,) = findings(root, "split disjoint", split="disjoint")
    assert finding.level == "suspicious"
    assert "leaves 0 fake and 1 real ones" in finding.what
    assert "unmask catalog split" in finding.advice


def test_another_way_of_splitting_is_refused(root: Path) -> None:
    with pytest.raises(InvalidInputError, match="split must be official or disjoint, got 'random'"):
        CelebDF(root, split="random")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_whole_copy_of_each_version_is_present(tmp_path: Path, version: str) -> None:
    real, tube, fake = {"v1": (158, 250, 795), "v2": (590, 300, 5639)}[version]
    touch(tmp_path / "Celeb-real", *(f"id{n % 60}_{n:04}" for n in range(real)))
    touch(tmp_path / "YouTube-real", *(f"{n:05}" for n in range(tube)))
    touch(tmp_path / "Celeb-synthesis", *(f"id{n % 60}_id60_{n:04}" for n in range(fake)))
    told = [one.what for one in findings(tmp_path, f"of {version}") if one.level == "present"]
    assert told == [
        f"Celeb-real: {real} of the {real} videos of {version}",
        f"YouTube-real: {tube} of the {tube} videos of {version}",
        f"Celeb-synthesis: {fake} of the {fake} videos of {version}",
    ]
    (finding,) = findings(tmp_path, "without the real video")
    assert finding.what.startswith(f"Celeb-synthesis: {fake - real} fakes without the real video")


def test_a_part_of_a_copy_is_told_with_the_counts(root: Path) -> None:
    (finding,) = findings(root, "Celeb-real: ")
    assert (finding.level, finding.what) == ("suspicious", "Celeb-real: 4 of the 590 videos of v2")
    shutil.rmtree(root / "YouTube-real")
    (finding,) = findings(root, "YouTube-real: ")
    assert finding.level == "missing"


def test_the_list_is_compared_with_the_518_lines_published(root: Path) -> None:
    (finding,) = findings(root, "its 1 is real")
    assert finding.level == "suspicious"
    assert "2 Celeb-real, 1 YouTube-real, 2 Celeb-synthesis" in finding.what
    assert "108 Celeb-real, 70 YouTube-real, 340 Celeb-synthesis" in finding.what
    published = [f"1 Celeb-real/id0_{n:04}.mp4" for n in range(108)]
    published += [f"1 YouTube-real/{n:05}.mp4" for n in range(70)]
    published += [f"0 Celeb-synthesis/id0_id1_{n:04}.mp4" for n in range(340)]
    write_list(root, *published)
    (finding,) = findings(root, "its 1 is real")
    assert finding.level == "present"


def test_listed_videos_that_are_not_there_are_counted(root: Path) -> None:
    (root / FAKE).unlink()
    (finding,) = findings(root, "not there")
    assert finding.what == "test list: 1 videos that are not there: Celeb-synthesis/id1_id0_0007"
    assert rows(root)["Celeb-real/id1_0007.mp4"]["split"] == "test"


def test_the_video_of_one_frame_is_told_and_is_a_row_with_one_frame(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_named_clip(root / "Celeb-real/id27_0005.mp4", root, frames=1)
    (finding,) = findings(root, "single frame")
    assert finding.what == "Celeb-real: id27_0005 is published with a single frame"
    catalog = index(IndexSettings("celebdf", root, tmp_path / "out", workers=1))
    (row,) = catalog.filter(id="Celeb-real/id27_0005.mp4").rows()
    assert (row["frames"], row["status"]) == (1, "ok")
    assert "1 videos have a single frame" in caplog.text


def test_other_names_and_the_folders_of_celeb_df_pp_are_left_out_and_told(root: Path) -> None:
    touch(root / "Celeb-synthesis", "copy of id1_id0_0007")
    touch(root / "Celeb-synthesis/FaceSwap/SimSwap", "id1_id0_0007")
    assert len(rows(root)) == 10
    (finding,) = findings(root, "other names")
    assert "1 videos with other names than published: copy of id1_id0_0007.mp4" in finding.what
    (finding,) = findings(root, "folders, such as")
    assert finding.what == "Celeb-synthesis: 1 folders, such as FaceSwap/"
    assert "Celeb-DF++" in finding.advice


def test_files_that_are_no_videos_are_told(root: Path) -> None:
    (root / "Celeb-real/Thumbs.db").touch()
    (finding,) = findings(root, "no videos")
    assert finding.what == "Celeb-real: files that are no videos: 1 .db"
