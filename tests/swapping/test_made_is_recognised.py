"""What the verbs of swapping make is read back, and recognised as made."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from makers import forgeable
from makers.forgeable import clip_row
from unmask.catalog import Catalog
from unmask.datasets.dfdm import DFDM
from unmask.datasets.doctor import examine
from unmask.datasets.index import IndexSettings, index
from unmask.swapping.dfdm import DfdmSettings, build_dfdm
from unmask.swapping.forge_swap import SwapSettings, forge_swap

SMALL: dict[str, Any] = {
    "width": 0.02, "iterations": 1, "batch": 2, "threads": 1, "faces": 20, "face_size": 96,
    "workers": 1,
}  # fmt: skip
SAID = (
    "id", "label", "family", "method", "split", "quality", "crf", "sha256", "frames", "width",
    "height", "frames_per_second",
)  # fmt: skip
PEOPLE = {"ann": "train", "bob": "train", "cid": "test", "dot": "test"}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a catalog with a clip of each of four drawn people."""
    root = tmp_path_factory.mktemp("drawn")
    return forgeable.make(root, *(clip_row(root, one, split=part) for one, part in PEOPLE.items()))


@pytest.fixture(scope="module")
def built(drawn: Path) -> Catalog:
    """Return what is built: two pairs by two models at two rates."""
    out = drawn.parent / "built"
    chosen: dict[str, Any] = {"models": ("original", "iae"), "rates": (0, 23)}
    return build_dfdm(DfdmSettings(drawn, pairs=2, out=out, **chosen, **SMALL))


def says_made(path: Path) -> bool:
    return any(one.what.startswith("synthetic mark: ") for one in examine(None, path))


def test_every_file_of_a_built_data_set_is_recognised(built: Catalog) -> None:
    fakes = built.filter(label=1).rows()
    assert len(fakes) == 8
    for row in fakes:
        assert says_made(built.media(row["path"])), row["id"]
        assert says_made(built.media(row["mask"])), row["mask"]
    reals = list((built.root / "real_crf23").iterdir())
    assert len(reals) == 2
    assert not any(says_made(path) for path in reals)


def test_every_file_of_a_forged_swap_is_recognised(drawn: Path) -> None:
    who: dict[str, Any] = {"target": "ann", "source": "bob", "model": "lightweight"}
    made = forge_swap(SwapSettings(catalog=drawn, out=drawn.parent / "swaps", **who, **SMALL))
    (row,) = made.filter(label=1).rows()
    assert says_made(made.media(row["path"]))
    assert says_made(made.media(row["mask"]))


def test_a_built_data_set_is_read_as_its_own_catalog_tells_it(
    built: Catalog, tmp_path: Path
) -> None:
    read = index(IndexSettings("dfdm", built.root, tmp_path, workers=1))
    made = built.filter(id=list(read.table["id"]))
    assert len(read) == len(made) == 12
    assert read.table.sort("id").select(SAID).equals(made.table.sort("id").select(SAID))
    table = pl.read_csv(built.root / "persons.csv")
    numbers = dict(zip(table["id"], table["person"], strict=True))
    for row in read.rows():
        (own,) = made.filter(id=row["id"]).rows()
        assert numbers[row["person"]] == own["person"]
        assert numbers.get(row["source_person"]) == own["source_person"]
        assert (row["mask"] is None) == (own["mask"] is None)
        if row["mask"]:
            assert read.media(row["mask"]).samefile(built.media(own["mask"]))


def test_the_doctor_finds_nothing_odd_in_a_built_data_set(built: Catalog) -> None:
    told = examine("dfdm", built.root)
    assert [one.what for one in told if one.level != "present"] == ["DFDM_crf10: no videos"]
    assert told[-1].what == (
        "opened 12 of 12 files, spread over all: all can be read, 8 with a synthetic mark"
    )


def test_built_fakes_have_the_real_video_of_their_rate_as_parent(built: Catalog) -> None:
    for row in DFDM(built.root).find():
        for parent in row["parents"]:  # type: ignore[attr-defined]
            assert (built.root / parent).is_file()
            assert parent.startswith(f"real_crf{row['crf']}/{row['person']}_")
        assert len(row["parents"]) == row["label"]  # type: ignore[arg-type]
