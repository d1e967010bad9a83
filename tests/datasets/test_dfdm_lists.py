"""The lists of training and test videos of DFDM."""

from collections import Counter
from pathlib import Path

import pytest

from makers.dfdm import REALS, SWAPS, TAGS, fakes_of, findings, make, rows, write_list
from unmask.datasets.celebdf_names import LIST
from unmask.datasets.dfdm import DFDM
from unmask.datasets.dfdm_lists import VideoList
from unmask.datasets.doctor import examine
from unmask.errors import InvalidInputError, NotFoundError

FAKE = "DFDM_crf10/id28_id20_0008_4dfaker.mp4"
ORIGINAL = "DFDM_crf23/id0_id1_0007_1original.mp4"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make(tmp_path / "dfdm")
    return tmp_path / "dfdm"


def test_without_lists_the_split_stays_open_and_what_is_derived_is_called_so(root: Path) -> None:
    for part in SWAPS:
        (root / f"{part}_list.txt").unlink()
    assert {row["split"] for row in rows(root).values()} == {None}
    (finding,) = findings(root, "lists of training")
    assert finding.level == "missing"
    assert "published accuracies fit 301 videos of each model to train on and 129" in finding.what
    assert "unmask catalog split --crossing leave_out" in finding.advice


LINES = {
    "a name": "{name}.mp4",
    "without suffix": "{name}",
    "a path": "DFDM_crf10/{name}.mp4",
    "a path of Windows": "D:\\DFDM\\DFDM_crf10\\{name}.mp4",
    "a label after": "{name}.mp4 1",
    "a label before": "1 {name}.mp4",
    "a table": '7,"DFDM_crf10/{name}.mp4",fake',
    "with its real video": "Celeb-real/x.mp4\t{name}.avi",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
@pytest.mark.parametrize("place", ["", "lists", "Splits", "DFDM_crf10"])
def test_lists_are_read_in_whichever_form_and_place(root: Path, line: str, place: str) -> None:
    for part, title in (("train", "DFDM_training"), ("test", "List_of_testing_videos")):
        (root / f"{part}_list.txt").unlink()
        (root / place).mkdir(exist_ok=True)
        text = "".join(f"{line.format(name=name)}\r\n" for name in fakes_of(part))
        (root / place / f"{title}.txt").write_text(f"\ufeff{text}\n", newline="")
    parts = Counter(row["split"] for row in rows(root).values() if row["label"] == 1)
    assert parts == {"train": 30, "test": 30}


def test_the_folder_of_the_lists_may_be_given(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    write_list(tmp_path / "mine", "val", fakes_of("train"))
    assert rows(root, lists=tmp_path / "mine")[FAKE]["split"] == "val"
    with pytest.raises(NotFoundError, match="lists must be a folder, got"):
        DFDM(root, lists=tmp_path / "nowhere")


def test_other_text_files_are_no_lists(root: Path) -> None:
    (root / "training_notes.txt").write_text("To train, ask for the password.\n")
    assert not findings(root, "training_notes")


def test_a_list_that_names_files_which_are_not_there_is_told(root: Path) -> None:
    write_list(root, "test", [*fakes_of("test"), "id7_id8_0001_3iae"])
    (finding,) = findings(root, "test_list.txt: 1 of")
    assert finding.what == "test_list.txt: 1 of 11 videos are not there: id7_id8_0001_3iae"


def test_a_list_whose_name_says_no_part_is_ignored_and_told(root: Path) -> None:
    (root / "test_list.txt").rename(root / "list2.txt")
    assert rows(root)[ORIGINAL]["split"] is None
    (finding,) = findings(root, "list2.txt")
    assert finding.what == "list2.txt: names 10 videos, but not whether to train or to test"
    assert "test_list.txt" in finding.advice


def test_lines_that_name_no_video_are_told(root: Path) -> None:
    text = (root / "test_list.txt").read_text()
    (root / "test_list.txt").write_text(f"path,label\n{text}")
    (finding,) = findings(root, "lines name no video")
    assert finding.what == "test_list.txt: 1 lines name no video: 'path,label'"
    assert rows(root)[ORIGINAL]["split"] == "test"


def test_a_video_in_the_lists_of_two_splits_is_refused(root: Path) -> None:
    write_list(root, "test", [*fakes_of("test"), "id28_id20_0008_4dfaker"])
    words = "must stand in the lists of one split, got id28_id20_0008_4dfaker in those of test and"
    with pytest.raises(InvalidInputError, match=words):
        rows(root)
    told = [one for one in examine("dfdm", root) if words in one.what]
    assert [one.level for one in told] == ["suspicious"]


def test_numbers_beside_the_names_are_explained_by_the_names(root: Path) -> None:
    numbers = {tag: number for number, tag in enumerate(TAGS)}
    lines = [f"{name} {numbers[name.split('_')[3]]}" for name in fakes_of("test")]
    (root / "test_list.txt").write_text("\n".join(lines))
    (finding,) = findings(root, "by the files' names")
    assert (finding.level, finding.what) == (
        "present",
        "test_list.txt: by the files' names, 0 is original, 1 is lightweight, 2 is iae, "
        "3 is dfaker, 4 is dfl_h128",
    )


def test_numbers_of_real_and_fake_are_explained_whichever_way_round(root: Path) -> None:
    lines = [f"0 {name}" for name in fakes_of("test")] + [f"1 {name}" for name in REALS["test"]]
    (root / "test_list.txt").write_text("\n".join(lines))
    (finding,) = findings(root, "by the files' names")
    assert "0 is dfaker or dfl_h128 or iae or lightweight or original, 1 is real" in finding.what
    assert rows(root)[ORIGINAL]["label"] == 1


@pytest.mark.parametrize("numbers", ["01", "0"], ids=["in turn", "all the same"])
def test_numbers_that_fit_nothing_are_told_and_ignored(root: Path, numbers: str) -> None:
    names = [*fakes_of("test"), *REALS["test"]]
    lines = [f"{numbers[place % len(numbers)]} {name}" for place, name in enumerate(names)]
    (root / "test_list.txt").write_text("\n".join(lines))
    (finding,) = findings(root, "nobody can tell")
    assert finding.level == "suspicious"
    assert rows(root)[ORIGINAL]["split"] == "test"


def test_people_in_training_and_test_are_counted(root: Path) -> None:
    (finding,) = findings(root, "people: ")
    assert finding.what == "people: none of the 2 in test videos is in training"
    names = fakes_of("train")
    write_list(root, "train", names[:5])
    write_list(root, "test", [*names[5:], *fakes_of("test")])
    (finding,) = findings(root, "people: ")
    assert (finding.level, finding.what) == (
        "suspicious",
        "people: 2 of the 4 in test videos are in training too, where 16 of 16 videos show them",
    )


@pytest.mark.parametrize("with_lists", [True, False], ids=["beside lists of DFDM", "alone"])
def test_the_test_list_of_celeb_df_is_none_of_dfdm(root: Path, *, with_lists: bool) -> None:
    before = rows(root)
    if not with_lists:
        for part in SWAPS:
            (root / f"{part}_list.txt").unlink()
    reals = [name for names in REALS.values() for name in names]
    lines = [f"1 Celeb-real/{name}.mp4" for name in reals] + ["1 YouTube-real/00170.mp4"]
    (root / LIST).write_text("\n".join([*lines, "0 Celeb-synthesis/id28_id20_0008.mp4"]))
    assert {item: row["split"] for item, row in rows(root).items()} == {
        item: row["split"] if with_lists else None for item, row in before.items()
    }
    (finding,) = findings(root, LIST)
    assert finding.what == f"{LIST}: names 4 real videos and no fake of DFDM"


def test_a_fake_listed_for_another_split_than_its_real_video_is_refused(root: Path) -> None:
    write_list(root, "test", [*fakes_of("test"), "id28_0008"])
    words = (
        "a fake must be listed for the split of its real video, got id28_id20_0008_1original for "
        "train and id28_0008 for test; take the lists"
    )
    with pytest.raises(InvalidInputError, match=words):
        rows(root)
    assert [one.level for one in examine("dfdm", root) if words in one.what] == ["suspicious"]


@pytest.mark.parametrize(
    ("stem", "part"),
    [
        ("train_list", "train"),
        ("DFDM_training", "train"),
        ("TestList01", "test"),
        ("List_of_testing_videos", "test"),
        ("validation", "val"),
        ("val-crf23", "val"),
        ("latest", None),
        ("constrained", None),
        ("evaluation", None),
        ("train_and_test", None),
    ],
)
def test_only_whole_words_of_a_name_say_the_part(stem: str, part: str | None) -> None:
    assert VideoList(Path(f"{stem}.txt"), [("id0_id1_0007_3iae", None)], []).part == part
