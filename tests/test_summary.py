"""Counts of a catalog, against counting its rows one after the other."""

import io
from collections import defaultdict
from typing import Any

import pytest
from rich.console import Console

from makers.catalogs import catalog_of, originals, row, swapped_in_pairs, tangled
from unmask.catalog import Catalog
from unmask.splitting import split_by_person
from unmask.summary import GROUPS, as_text, summary

SPLITS = ("train", "val", "test")
LABELS = {0: "real", 1: "fake", None: None}


def counted(catalog: Catalog) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Return the same counts by looking at each row."""
    members: dict[tuple[str, str | None], list[dict[str, Any]]] = defaultdict(list)
    for one in catalog.rows():
        members["all", "all"].append(one)
        for by in GROUPS:
            members[by, LABELS[one[by]] if by == "label" else one[by]].append(one)

    def count(rows: list[dict[str, Any]]) -> dict[str, Any]:
        people = {
            (one["dataset"], name)
            for one in rows
            for name in (one["person"], one["source_person"])
            if name is not None
        }
        splits = {split: sum(one["split"] == split for one in rows) for split in SPLITS}
        seconds = sum(
            one["frames"] / one["frames_per_second"]
            for one in rows
            if one["frames"] is not None and one["frames_per_second"]
        )
        return {"items": len(rows), "people": len(people), **splits, "seconds": seconds}

    return {group: count(rows) for group, rows in members.items()}


@pytest.mark.parametrize("seed", range(5))
def test_counts_equal_counting_every_row(seed: int) -> None:
    timed = [
        one | {"frames": 30 * number, "frames_per_second": (25.0, 29.97, 0.0, None)[number % 4]}
        for number, one in enumerate(tangled(people=15, swaps=10, seed=seed))
    ]
    failed = row("failed", dataset="other", person="p1", status="no_face", reason="dark")
    catalog = split_by_person(catalog_of(*timed, failed), seed=seed, crossing="leave_out")
    rows = summary(catalog).rows(named=True)
    found = {(one.pop("by"), one.pop("value")): one for one in rows}
    wanted = counted(catalog)
    assert found.keys() == wanted.keys()
    for group, numbers in wanted.items():
        assert found[group] == pytest.approx(numbers), group


def test_the_largest_group_comes_first() -> None:
    catalog = catalog_of(row("a", method="x"), row("b", method="y"), row("c", method="y"))
    rows = summary(catalog).rows()
    assert [one[1] for one in rows if one[0] == "method"] == ["y", "x"]


def test_an_empty_catalog_has_no_counts() -> None:
    assert summary(catalog_of()).height == 0


def test_the_text_shows_every_group_in_80_columns() -> None:
    rows = [*swapped_in_pairs(["a", "b", "c", "d", "e", "f"]), *originals(["g"])]
    timed = [one | {"frames": 250, "frames_per_second": 25.0} for one in rows]
    console = Console(file=io.StringIO(), width=80)
    console.print(as_text(summary(split_by_person(catalog_of(*timed), seed=0))))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[0].split() == ["items", "people", "train", "val", "test", "minutes"]
    assert lines[1].split()[:3] == ["all", "25", "7"]
    assert lines[1].split()[-1] == "4.2"  # 25 items of 10 s
    assert [line.strip() for line in lines if line and line[0] != " "][1:] == list(GROUPS)
    # No method: 7 originals and 6 copies of them.
    assert any(line.split()[:3] == ["not", "given", "13"] for line in lines)
