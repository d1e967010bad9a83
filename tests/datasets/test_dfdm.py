"""The reader of DFDM."""

import shutil
from collections import Counter
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from makers.dfdm import CRFS, REALS, SWAPS, TAGS, fakes_of, make, make_built, write_list
from makers.named_clip import write_named_clip
from unmask.contracts import Finding
from unmask.datasets.dfdm import DFDM
from unmask.datasets.dfdm_checks import check_rate, check_rates_agree
from unmask.datasets.dfdm_tree import Rate
from unmask.datasets.doctor import examine
from unmask.datasets.index import IndexSettings, index
from unmask.datasets.layout import Listing
from unmask.errors import InvalidInputError, NotFoundError

FAKE = "DFDM_crf10/id28_id20_0008_4dfaker.mp4"
ORIGINAL = "DFDM_crf23/id0_id1_0007_1original.mp4"
MODELS = {"original", "lightweight", "iae", "dfaker", "dfl_h128"}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    make(folder / "dfdm")
    return folder


@pytest.fixture
def root(published: Path, tmp_path: Path) -> Path:
    """Return a copy that a test may change."""
    return Path(shutil.copytree(published / "dfdm", tmp_path / "dfdm"))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    make_built(tmp_path / "built")
    return tmp_path / "built"


def rows(root: Path, **options: Any) -> dict[object, Mapping[str, object]]:
    return {row["id"]: row for row in DFDM(root, **options).find()}


def findings(root: Path, about: str, **options: Any) -> list[Finding]:
    return [one for one in DFDM(root, **options).check() if about in one.what]


def whole() -> list[Rate]:
    """Return the published number of videos: 430 of five models at three rates."""
    names = [f"id{n % 43}_id59_{n:04}_{tag}.mp4" for n, tag in product(range(430), TAGS)]
    return [Rate(crf, Listing([Path(name) for name in names]), Listing()) for crf in CRFS]


def test_a_fake_says_who_is_seen_who_was_put_in_by_what_and_at_which_rate(root: Path) -> None:
    assert rows(root)[FAKE] == {
        "id": FAKE,
        "path": FAKE,
        "label": 1,
        "original_label": "4dfaker",
        "family": "swap",
        "method": "dfaker",
        "person": "id28",
        "source_person": "id20",
        "parents": ["Celeb-real/id28_0008.mp4"],
        "split": "train",
        "quality": "c10",
        "crf": 10,
        "mask": None,
    }


def test_all_models_are_there_at_every_rate(root: Path) -> None:
    fakes = [row for row in rows(root).values() if row["label"] == 1]
    counts = Counter((row["method"], row["crf"]) for row in fakes)
    assert counts == dict.fromkeys(product(MODELS, CRFS), 4)


def test_a_real_video_is_that_of_celeb_df_with_the_split_of_its_fakes(root: Path) -> None:
    assert rows(root)["Celeb-real/id0_0007.mp4"] == {
        "id": "Celeb-real/id0_0007.mp4",
        "path": "Celeb-real/id0_0007.mp4",
        "label": 0,
        "original_label": "real",
        "person": "id0",
        "quality": "raw",
        "split": "test",
    }


def test_real_videos_that_no_fake_was_made_from_are_left_out(root: Path) -> None:
    write_named_clip(root / "Celeb-real/id5_0000.mp4", root)
    assert "Celeb-real/id5_0000.mp4" not in rows(root)


def test_a_real_video_whose_fakes_are_in_several_splits_has_none(root: Path) -> None:
    write_list(root, "train", [*fakes_of("train"), "id0_id28_0007_3iae"])
    write_named_clip(root / "DFDM_crf0/id0_id28_0007_3iae.mp4", root)
    found = rows(root)
    assert found["Celeb-real/id0_0007.mp4"]["split"] is None
    assert found["Celeb-real/id1_0007.mp4"]["split"] == "test"


@pytest.mark.parametrize("place", ["dfdm/videos of Celeb-DF", "Celeb-DF-v2", "far/away"])
def test_celeb_df_is_found_within_and_beside_or_may_be_given(
    root: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / place).mkdir(parents=True)
    shutil.move(root / "Celeb-real", tmp_path / place / "Celeb-real")
    options = {"celeb_df": tmp_path / place} if place == "far/away" else {}
    inside = "videos of Celeb-DF/" if place.startswith("dfdm") else ""
    item = f"{inside}Celeb-real/id28_0008.mp4"
    found = rows(root, **options)
    assert found[FAKE]["parents"] == [item]
    assert (root / str(found[item]["path"])).samefile(tmp_path / place / "Celeb-real/id28_0008.mp4")


def test_celeb_df_beside_it_is_indexed_with_paths_that_lead_there(
    root: Path, tmp_path: Path
) -> None:
    (tmp_path / "Celeb-DF-v2").mkdir()
    shutil.move(root / "Celeb-real", tmp_path / "Celeb-DF-v2/Celeb-real")
    (tmp_path / "link").symlink_to(root)
    catalog = index(IndexSettings("dfdm", tmp_path / "link", tmp_path / "out", workers=1))
    assert (catalog.table["status"] == "ok").all()
    catalog.check_media()
    assert catalog.table.filter(label=0)["id"].to_list() == [
        f"Celeb-real/{name}.mp4" for name in sorted([*REALS["train"], *REALS["test"]])
    ]


def test_without_celeb_df_there_are_fakes_alone_and_the_doctor_says_how_to_get_more(
    root: Path,
) -> None:
    shutil.rmtree(root / "Celeb-real")
    assert {row["label"] for row in rows(root).values()} == {1}
    assert rows(root)[FAKE]["parents"] == []
    (finding,) = findings(root, "real videos")
    assert (finding.level, finding.what) == ("missing", "real videos: none")
    assert "celeb_df=FOLDER" in finding.advice


def test_a_celeb_df_without_real_videos_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(
        NotFoundError, match="celeb_df must be a folder that holds Celeb-real/, got"
    ):
        DFDM(root, celeb_df=tmp_path / "nowhere")


def test_fakes_whose_real_video_is_not_there_are_counted(root: Path) -> None:
    (root / "Celeb-real/id28_0008.mp4").unlink()
    (finding,) = findings(root, "without the real video")
    assert finding.what == "15 fakes without the real video of their target"


def test_videos_tagged_original_are_fakes_of_a_model_unless_they_are_said_to_be_real(
    root: Path,
) -> None:
    row = rows(root)[ORIGINAL]
    assert (row["label"], row["method"], row["source_person"]) == (1, "original", "id1")
    row = rows(root, original="real")[ORIGINAL]
    assert (row["label"], row.get("family"), row.get("method")) == (0, None, None)
    assert (row["person"], row.get("source_person"), row["split"]) == ("id0", None, "test")
    assert rows(root, original="real")[FAKE]["label"] == 1


def test_the_doctor_tells_that_the_meaning_of_the_tag_is_disputed(root: Path) -> None:
    (finding,) = findings(root, "tagged original")
    assert finding.level == "suspicious"
    assert finding.what.startswith("12 videos tagged original are read as fakes of the model")
    (finding,) = findings(root, "tagged original", original="real")
    assert finding.what.startswith("12 videos tagged original are read as real videos: ")


def test_a_third_meaning_of_the_tag_is_refused(root: Path) -> None:
    with pytest.raises(InvalidInputError, match="original must be fake or real, got 'unsure'"):
        DFDM(root, original="unsure")


@pytest.mark.parametrize("tag", ["dfaker", "4DFaker", "4_dfaker"])
def test_a_tag_may_lack_its_number_and_be_written_in_another_case(root: Path, tag: str) -> None:
    (root / FAKE).rename(root / f"DFDM_crf10/id28_id20_0008_{tag}.mp4")
    row = rows(root)[f"DFDM_crf10/id28_id20_0008_{tag}.mp4"]
    assert (row["method"], row["original_label"]) == ("dfaker", tag)


def test_unknown_tags_and_other_names_are_left_out_and_told(root: Path) -> None:
    (root / FAKE).rename(root / "DFDM_crf10/id28_id20_0008_6new.mp4")
    shutil.copy(root / ORIGINAL, root / "DFDM_crf23/clip.mp4")
    assert len(rows(root)) == 63
    told = [one.what for one in findings(root, "other names or tags")]
    assert told == [
        "DFDM_crf10: 1 videos with other names or tags than published: id28_id20_0008_6new.mp4",
        "DFDM_crf23: 1 videos with other names or tags than published: clip.mp4",
    ]


def test_a_whole_copy_is_present() -> None:
    rates = whole()
    told = [one for rate in rates for one in check_rate(rate, is_built=False)]
    told += check_rates_agree(rates)
    assert [(one.level, one.what) for one in told] == [
        *(("present", f"DFDM_crf{crf}: 2150 videos, 430 of each model") for crf in CRFS),
        ("present", "the same 2150 videos at 3 rates"),
    ]


def test_a_part_of_a_copy_is_told_with_the_counts_of_the_models(root: Path) -> None:
    (root / FAKE).unlink()
    (finding,) = findings(root, "DFDM_crf10: ")
    assert (finding.level, finding.what) == (
        "suspicious",
        "DFDM_crf10: 19 videos, 4 original, 4 lightweight, 4 iae, 3 dfaker, 4 dfl_h128; "
        "published are 430 of each",
    )


def test_absent_rates_are_told(root: Path) -> None:
    shutil.rmtree(root / "DFDM_crf0")
    (root / "DFDM_crf23").rename(root / "dfdm_CRF23")
    (finding,) = findings(root, "no videos")
    assert (finding.level, finding.what) == ("missing", "DFDM_crf0: no videos")
    assert "dfdm_CRF23/id0_id1_0007_1original.mp4" in rows(root)


def test_videos_that_some_rates_lack_are_told(root: Path) -> None:
    (root / FAKE).unlink()
    (finding,) = findings(root, "every rate")
    assert (finding.level, finding.what) == (
        "suspicious",
        "1 videos are not there at every rate: id28_id20_0008_4dfaker is in DFDM_crf0 and "
        "DFDM_crf23 only",
    )


def test_names_that_stand_for_several_videos_are_told(root: Path) -> None:
    (root / "DFDM_crf10/again").mkdir()
    shutil.copy(root / FAKE, root / "DFDM_crf10/again")
    (finding,) = findings(root, "several videos")
    assert finding.what == ("DFDM_crf10: 1 names stand for several videos: id28_id20_0008_4dfaker")


def test_empty_files_are_told(root: Path) -> None:
    (root / FAKE).write_bytes(b"")
    (finding,) = (one for one in examine("dfdm", root) if "empty" in one.what)
    assert finding.what.startswith("1 of 64 files are empty or broken links: ")


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


def test_what_we_build_has_real_videos_at_every_rate_which_are_the_parents(built: Path) -> None:
    found = rows(built)
    assert found[FAKE]["parents"] == ["real_crf10/id28_0008.mp4"]
    assert found[FAKE]["mask"] == "masks/id28_id20_0008_4dfaker.mp4"
    assert found["real_crf10/id28_0008.mp4"] == {
        "id": "real_crf10/id28_0008.mp4",
        "path": "real_crf10/id28_0008.mp4",
        "label": 0,
        "original_label": "real",
        "person": "id28",
        "quality": "c10",
        "crf": 10,
        "parents": [],
        "split": "train",
    }
    assert Counter(row["label"] for row in found.values()) == {1: 60, 0: 12}


def test_people_of_what_we_build_are_not_those_of_a_celeb_df_beside_it(built: Path) -> None:
    shutil.copytree(built / "real_crf0", built.parent / "Celeb-DF-v2/Celeb-real")
    assert not any("Celeb-real" in str(item) for item in rows(built))
    given = rows(built, celeb_df=built.parent / "Celeb-DF-v2")
    assert given["real_crf10/id28_0008.mp4"]["parents"] == ["Celeb-real/id28_0008.mp4"]


def test_of_two_versions_of_celeb_df_beside_it_the_second_is_taken(
    root: Path, tmp_path: Path
) -> None:
    for version in (1, 2):
        shutil.copytree(root / "Celeb-real", tmp_path / f"Celeb-DF-v{version}" / "Celeb-real")
    shutil.rmtree(root / "Celeb-real")
    path = rows(root)["Celeb-real/id28_0008.mp4"]["path"]
    assert path == "../Celeb-DF-v2/Celeb-real/id28_0008.mp4"


def test_what_we_build_is_not_measured_by_what_is_published(built: Path) -> None:
    levels = Counter(one.level for one in examine("dfdm", built))
    assert levels["missing"] == levels["suspicious"] == 0
    (finding,) = findings(built, "DFDM_crf0: ")
    assert finding.what == "DFDM_crf0: 20 videos, 4 of each model"
    (finding,) = findings(built, "real videos: ")
    assert finding.what == "real videos: 4 in real_crf0, 4 in real_crf10, 4 in real_crf23"


def test_what_we_build_of_some_models_is_whole_if_they_have_as_many(built: Path) -> None:
    for file in built.glob("DFDM_crf*/*_5dfl-h128.mp4"):
        file.unlink()
    (finding,) = findings(built, "DFDM_crf23: ")
    assert (finding.level, finding.what) == (
        "present",
        "DFDM_crf23: 16 videos, 4 dfaker, 4 iae, 4 lightweight, 4 original",
    )
    (built / ORIGINAL).unlink()
    (finding,) = findings(built, "DFDM_crf23: ")
    assert finding.level == "suspicious"


def test_files_that_are_no_videos_are_told_but_for_lists(root: Path) -> None:
    (root / "DFDM_crf0/notes.doc").touch()
    (root / "DFDM_crf0/test.txt").write_text("id0_id1_0007_3iae.mp4")
    (finding,) = findings(root, "files that are no videos")
    assert finding.what == "DFDM_crf0: files that are no videos: 1 .doc"
