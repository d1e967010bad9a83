from pathlib import Path

from unmask.catalog import Catalog, make_catalog
from unmask.training.seen import seen_items

RAW, C23, FAKE, OTHER = "1" * 64, "2" * 64, "3" * 64, "4" * 64


def row(name: str, sha256: str, person: str, **more: object) -> dict[str, object]:
    return {"id": name, "path": name, "dataset": "d", "sha256": sha256, "person": person} | more


def everything(root: Path) -> Catalog:
    rows = [
        row("raw", RAW, "anna"),
        row("c23/raw", C23, "anna", parents=["raw"]),
        row("fake", FAKE, "carl", parents=["c23/raw"], source_person="dora"),
        row("other", OTHER, "emil"),
    ]
    return make_catalog(rows, root)


def test_a_copy_of_a_seen_video_and_what_was_made_of_it_are_seen(tmp_path: Path) -> None:
    catalog = everything(tmp_path)
    found = seen_items(catalog, hashes=[RAW], persons=[], lineage=catalog)
    assert found.videos == {"raw", "c23/raw", "fake"}
    assert found.persons.is_empty()


def test_only_the_items_that_are_asked_about_are_told(tmp_path: Path) -> None:
    catalog = everything(tmp_path)
    some = catalog.filter(id=["fake", "other"])
    found = seen_items(some, hashes=[RAW], persons=["d/anna", "d/emil"], lineage=catalog)
    assert found.videos == {"fake"}
    assert found.persons.rows() == [("other", "d/emil")]


def test_the_source_of_a_swap_is_one_of_its_persons(tmp_path: Path) -> None:
    catalog = everything(tmp_path)
    found = seen_items(catalog, hashes=[], persons=["d/dora"], lineage=catalog)
    assert found.videos == frozenset()
    assert found.persons.rows() == [("fake", "d/dora")]


def test_a_person_of_the_same_name_in_another_data_set_is_another_person(tmp_path: Path) -> None:
    catalog = everything(tmp_path)
    found = seen_items(catalog, hashes=[], persons=["celeb_df/anna"], lineage=catalog)
    assert found.persons.is_empty()
