"""The reader of DFDM."""

import shutil
from collections import Counter
from itertools import product
from pathlib import Path

import pytest

from makers.dfdm import CRFS, REALS, TAGS, fakes_of, findings, make, make_built, rows, write_list
from makers.named_clip import write_named_clip
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
