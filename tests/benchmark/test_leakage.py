from pathlib import Path

import pytest

from unmask.benchmark.leakage import LeakageError, refuse_seen
from unmask.catalog import Catalog, make_catalog

RAW, C23, FAKE, OTHER = "1" * 64, "2" * 64, "3" * 64, "4" * 64


def row(name: str, sha256: str, person: str, **more: object) -> dict[str, object]:
    place = {"id": name, "path": name, "dataset": "folder", "sha256": sha256, "person": person}
    return place | more


def everything(root: Path) -> Catalog:
    rows = [
        row("raw", RAW, "anna", split="train"),
        row("c23/raw", C23, "anna", parents=["raw"], split="test"),
        row("fake", FAKE, "carl", parents=["c23/raw"], source_person="dora", split="test"),
        row("other", OTHER, "emil", split="test"),
    ]
    return make_catalog(rows, root)


def test_a_test_set_of_unseen_videos_and_persons_is_let_through(tmp_path: Path) -> None:
    catalog = everything(tmp_path)

    refuse_seen(catalog.filter(id="other"), hashes=[RAW], persons=["folder/anna"], lineage=catalog)


def test_a_copy_at_another_quality_of_a_seen_video_is_refused(tmp_path: Path) -> None:
    catalog = everything(tmp_path)

    with pytest.raises(LeakageError, match=r"1 seen videos \(c23/raw\) and 0 seen persons"):
        refuse_seen(catalog.filter(id="c23/raw"), hashes=[RAW], persons=[], lineage=catalog)


def test_a_forgery_made_from_a_copy_of_a_seen_video_is_refused(tmp_path: Path) -> None:
    catalog = everything(tmp_path)

    with pytest.raises(LeakageError, match=r"1 seen videos \(fake\)"):
        refuse_seen(catalog.filter(id="fake"), hashes=[RAW], persons=[], lineage=catalog)


def test_a_seen_source_person_of_a_swap_is_refused(tmp_path: Path) -> None:
    catalog = everything(tmp_path)

    with pytest.raises(LeakageError, match=r"1 seen persons \(folder/dora\); test on another"):
        refuse_seen(catalog.filter(id="fake"), hashes=[], persons=["folder/dora"], lineage=catalog)


def test_a_person_of_the_same_name_in_another_data_set_is_another_person(tmp_path: Path) -> None:
    catalog = everything(tmp_path)

    refuse_seen(catalog, hashes=[], persons=["celeb_df/anna"], lineage=catalog)


def test_an_item_without_a_hash_is_refused_since_nobody_can_know(tmp_path: Path) -> None:
    catalog = make_catalog([{"id": "a", "path": "a", "dataset": "d"}], tmp_path)

    with pytest.raises(LeakageError, match="sha256 must be known of every test item, got none for"):
        refuse_seen(catalog, hashes=[RAW], persons=[], lineage=catalog)
