from pathlib import Path
from typing import Any

import polars as pl
import pytest

from makers.prepared_faces import Prepared, make_prepared
from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.table import FaceTable, make_face_table, read_face_table
from unmask.training.data import TrainingData, joined, load_data, read_faces
from unmask.training.settings import TrainSettings
from unmask.video.sample import evenly_spaced


def load(prepared: Prepared, **settings: Any) -> TrainingData:
    return load_data(TrainSettings(prepared.catalog, prepared.faces, Path("out"), **settings))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return make_prepared(tmp_path_factory.mktemp("made"), frames=3, qualities=("raw", "c23"))


def test_splits_hold_their_own_videos_and_only_faces_that_are_ok(prepared: Prepared) -> None:
    data = load(prepared)
    assert set(data.train.table["person"]) == {"p0", "p1", "p2"}
    assert set(data.validation.table["person"]) == {"p3", "p4"}
    assert len(data.train) == 3 * 2 * 2 * 3  # persons, labels, qualities, frames with a face
    assert all(
        Path(crop).is_file() for crop in [file for clip in data.train.clips for file in clip]
    )


def test_only_the_chosen_qualities_and_methods_are_learned(prepared: Prepared) -> None:
    data = load(prepared, qualities=("c23",), methods=("chequers",))
    assert set(data.train.table["quality"]) == {"c23"}
    assert set(data.train.labels) == {0, 1}


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
def test_fewer_faces_of_a_video_are_evenly_spread(count: int) -> None:
    rows = [{"item": "a", "frame": i, "track": 0, "crop": "x", "status": "ok"} for i in range(9)]
    faces = make_face_table(rows, Path()).table
    kept = joined(pl.DataFrame({"id": ["a"], "label": [0]}), faces, count)
    assert kept.table["frame"].to_list() == evenly_spaced(total=9, count=count)


def test_a_video_with_fewer_faces_gives_what_it_has(prepared: Prepared) -> None:
    assert len(load(prepared, frames_per_video=50).train) == len(load(prepared).train)


def test_what_was_seen_are_both_splits_with_all_that_they_were_made_from(
    prepared: Prepared,
) -> None:
    data = load(prepared, qualities=("c23",))  # whose ancestors are the raw videos
    items = read_catalog(prepared.catalog).table.filter(pl.col("split") != "test")
    assert data.seen.hashes == tuple(items["sha256"].sort())
    assert data.seen.persons == tuple(f"made/p{number}" for number in range(5))


def test_an_unknown_quality_is_answered_with_the_closest(prepared: Prepared) -> None:
    with pytest.raises(NotFoundError, match="quality has no 'c32'; did you mean 'c23'"):
        load(prepared, qualities=("c32",))


def test_an_unknown_method_is_answered_with_the_closest(prepared: Prepared) -> None:
    with pytest.raises(NotFoundError, match="method has no 'checkers'; did you mean 'chequers'"):
        load(prepared, methods=("checkers",))


def changed(folder: Path, **change: Any) -> Prepared:
    """Return faces of which every item of train or val has another value in some columns."""
    names = [f"{kind}/p{number}_raw.mp4" for kind in ("real", "fake") for number in range(5)]
    return make_prepared(folder, frames=1, changes=dict.fromkeys(names, change))


def test_a_missing_split_is_refused_with_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"items of the split 'val', got test, train among"):
        load(changed(tmp_path, split="train"))


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    fakes = {"label": 1, "method": "chequers", "family": "swap"}
    with pytest.raises(InvalidInputError, match="the split 'train' must have real faces, got none"):
        load(changed(tmp_path, **fakes))


def test_an_unknown_label_is_refused_with_the_item(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"label must be known .* 'real/p0_raw.mp4' and 5"):
        load(changed(tmp_path, label=None))


def test_an_unknown_hash_is_refused_with_the_item(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"sha256 must be known .* 'real/p0_raw.mp4'"):
        load(changed(tmp_path, sha256=None))


def test_a_person_in_both_splits_is_refused(tmp_path: Path) -> None:
    change = {"real/p0_raw.mp4": {"person": "p3"}}
    prepared = make_prepared(tmp_path, frames=1, changes=change)
    with pytest.raises(InvalidInputError, match="stand in both train and val, got 'made/p3' and 0"):
        load(prepared)


def test_items_without_a_face_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    prepared = make_prepared(tmp_path, frames=1)
    faces = read_face_table(prepared.faces)
    others = faces.table.filter(pl.col("item") != "real/p0_raw.mp4")
    FaceTable(others, faces.root).write(prepared.faces)
    load(prepared)
    assert "1 of 6 items in train have no usable face" in caplog.text


def test_a_missing_face_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"a face table must exist, got .*unmask faces"):
        read_faces(tmp_path / "faces.parquet")


def test_more_of_the_test_split_changes_no_hash_but_other_faces_do(tmp_path: Path) -> None:
    first = load(make_prepared(tmp_path / "a", frames=2))
    more = load(
        make_prepared(tmp_path / "b", frames=2, changes={"real/p5_raw.mp4": {"label": None}})
    )
    assert first.faces_hash == more.faces_hash
    assert first.catalog_hash != more.catalog_hash
    assert load(make_prepared(tmp_path / "c", frames=3)).faces_hash != first.faces_hash
