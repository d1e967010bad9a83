"""What every reader of a data set promises, tried on a tiny copy with the real file names."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest

from unmask.catalog import Catalog
from unmask.contracts import FAKE, REAL
from unmask.datasets import DATASETS
from unmask.datasets.doctor import examine
from unmask.datasets.index import IndexSettings, index
from unmask.datasets.opening import open_dataset
from unmask.errors import InvalidInputError, NotFoundError

ONLY_REAL = {"footage"}  # to make forgeries of
ONLY_FAKE = {"defensedataset"}  # forgeries, clean and attacked

every_dataset = pytest.mark.parametrize("name", list(DATASETS))

Make = Callable[[str], Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Return a function that gives the folder of a data set's tiny copy, made once."""
    folders: dict[str, Path] = {}

    def folder_of(name: str) -> Path:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            import_module(f"makers.{name}").make(folders[name])
        return folders[name]

    return folder_of


@pytest.fixture(scope="module")
def indexed(made: Make, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Catalog]:
    """Return a function that gives the catalog of a data set's tiny copy, made once."""
    catalogs: dict[str, Catalog] = {}

    def catalog_of(name: str) -> Catalog:
        if name not in catalogs:
            out = tmp_path_factory.mktemp("catalog")
            catalogs[name] = index(IndexSettings(name, made(name), out, workers=1))
        return catalogs[name]

    return catalog_of


Indexed = Callable[[str], Catalog]


@every_dataset
def test_every_video_has_a_usable_row(name: str, indexed: Indexed) -> None:
    catalog = indexed(name)
    assert len(catalog) > 0
    assert (catalog.table["status"] == "ok").all()
    frames = pl.when(pl.col("kind") == "image").then(1).otherwise(2)
    assert catalog.table.select(pl.col("frames") == frames).to_series().all()
    assert (catalog.table["dataset"] == name).all()
    catalog.check_media()


@every_dataset
def test_real_and_fake_are_told_apart_in_each_split(name: str, indexed: Indexed) -> None:
    expected = {REAL, FAKE} - ({FAKE} if name in ONLY_REAL else set())
    expected -= {REAL} if name in ONLY_FAKE else set()
    for _, part in indexed(name).table.group_by("split"):
        assert set(part["label"]) == expected


@every_dataset
def test_nobody_stands_in_two_splits(name: str, indexed: Indexed) -> None:
    catalog = indexed(name)
    split = catalog.table.select("id", "split").drop_nulls()
    seen = catalog.people().join(split, on="id").group_by("person").agg(pl.col("split").n_unique())
    assert (seen["split"] == 1).all()


@every_dataset
def test_no_video_stands_in_another_split_than_its_parents(name: str, indexed: Indexed) -> None:
    table = indexed(name).table
    links = table.select("id", "split", "parents").explode("parents").drop_nulls()
    both = links.join(table.select(parents="id", split_of_parent="split"), on="parents")
    assert both.filter(pl.col("split").ne_missing(pl.col("split_of_parent"))).is_empty()


@every_dataset
def test_every_forgery_says_how_and_every_quality_is_named(name: str, indexed: Indexed) -> None:
    table = indexed(name).table
    assert table["quality"].null_count() == 0
    assert table.filter(label=REAL)["method"].null_count() == (table["label"] == REAL).sum()


@every_dataset
def test_ids_are_paths_within_the_data_set(name: str, made: Make) -> None:
    for row in open_dataset(name, made(name)).find():
        assert (made(name) / str(row["id"])).is_file()


@every_dataset
def test_two_looks_find_the_same(name: str, made: Make) -> None:
    rows = [list(open_dataset(name, made(name)).find()) for _ in range(2)]
    assert rows[0] == rows[1]


@every_dataset
def test_the_doctor_sees_what_is_there(name: str, made: Make) -> None:
    findings = examine(name, made(name))
    assert any(finding.level == "present" for finding in findings)
    assert all(finding.advice for finding in findings if finding.level == "missing")


@every_dataset
def test_an_empty_folder_is_answered_with_what_is_wanted(name: str, tmp_path: Path) -> None:
    missing = [finding for finding in examine(name, tmp_path) if finding.level == "missing"]
    assert missing[0].advice
    with pytest.raises(
        InvalidInputError, match=f"the folder of {name} must hold its videos"
    ) as told:
        index(IndexSettings(name, tmp_path, tmp_path / "out"))
    assert missing[0].advice in str(told.value)
    assert not (tmp_path / "out").exists()


@every_dataset
def test_no_folder_at_all_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="the data set's folder must exist"):
        open_dataset(name, tmp_path / "nowhere")


@every_dataset
def test_an_unreadable_video_is_a_row_with_its_reason(name: str, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    import_module(f"makers.{name}").make(root)
    first = next(iter(open_dataset(name, root).find()))
    (root / str(first["path"])).write_bytes(b"\0" * 100)
    catalog = index(IndexSettings(name, root, tmp_path / "out", workers=1))
    (row,) = catalog.filter(id=first["id"]).rows()
    assert row["status"] == "unreadable"
    assert Path(str(first["path"])).name in row["reason"]
    assert len(catalog.usable()) == len(catalog) - 1


@pytest.mark.parametrize("name", sorted(set(DATASETS) - ONLY_REAL))
@pytest.mark.parametrize("place", ["the folder above", "a folder within"])
def test_a_folder_too_high_or_too_low_is_answered_with_the_right_one(
    name: str, place: str, tmp_path: Path
) -> None:
    root = tmp_path / "copy"
    import_module(f"makers.{name}").make(root)
    path = str(next(iter(open_dataset(name, root).find()))["path"])
    given = tmp_path if place == "the folder above" else root / Path(path).parts[0]
    missing = [finding for finding in examine(name, given) if finding.level == "missing"]
    assert f"give {root} instead" in missing[0].advice
