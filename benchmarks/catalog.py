"""A catalog of a million rows against plain dictionaries, and against pandas where it is installed.

Run `python benchmarks/catalog.py [--rows N]`. Each side does the same in a process of its own: load
everything, keep one split at one quality, split by person with both persons of a swap together,
count by six columns, and write everything. The dictionaries are read from JSON lines, the others
from Parquet. Only ours checks what it reads, and follows parents where it splits. The seconds are
those of the best of three turns; the memory is at its peak.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from unmask.catalog import make_catalog, read_catalog
from unmask.splitting import split_by_person
from unmask.summary import GROUPS, summary

FRACTIONS = {"train": 0.7, "val": 0.15, "test": 0.15}
PEOPLE, CIRCLE = 5000, 10  # people swap faces within circles
TURNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    sides = [unmask, dictionaries, *([pandas] if find_spec("pandas") else [])]
    with TemporaryDirectory() as name:
        folder = Path(name)
        apart(make_files, folder, rows)
        print(
            f"{rows:,} rows: {size(folder / 'catalog.parquet')} as Parquet, "
            f"{size(folder / 'catalog.jsonl')} as JSON lines"
        )
        for side in sides:
            turns = [apart(measured, side, folder) for _ in range(TURNS)]
            best = {step: min(turn[step] for turn in turns) for step in turns[0]}
            print(f"{side.__name__:>12}: " + ", ".join(f"{k} {v:.2f}" for k, v in best.items()))


def apart(work: Callable[..., Any], *given: object) -> Any:
    """Call in a process of its own, whose peak memory nothing else has raised."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(work, given)


def measured(side: Callable[[Path], Iterator[str]], folder: Path) -> dict[str, float]:
    """Return the seconds of each step, of all, and the gigabytes at the peak."""
    seconds, last = {}, time.perf_counter()
    for step in side(folder):
        now = time.perf_counter()
        seconds[step], last = now - last, now
    peak = getrusage(RUSAGE_SELF).ru_maxrss / 2**20  # KiB on Linux
    return seconds | {"all": sum(seconds.values()), "GiB": peak}


def make_files(folder: Path, rows: int) -> None:
    number, random = np.arange(rows), np.random.default_rng(0)
    person = number // 4 % PEOPLE
    other = person // CIRCLE * CIRCLE + random.integers(0, CIRCLE, rows)
    original, is_fake = pl.Series(number // 4 * 4), number % 4 > 1
    table = pl.DataFrame(
        {
            "id": pl.select(pl.format("clips/{}.mp4", pl.Series(number))).to_series(),
            "dataset": pl.repeat("made", rows, eager=True),
            "label": is_fake.astype(np.int8),
            "person": pl.select(pl.format("person {}", pl.Series(person))).to_series(),
            "source_person": pl.select(pl.format("person {}", pl.Series(other))).to_series(),
            "parents": pl.select(pl.concat_list(pl.format("clips/{}.mp4", original))).to_series(),
            "split": np.array(list(FRACTIONS))[number % 3],
            "quality": np.array(["raw", "c23"])[number % 2],
            "sha256": [random.bytes(32).hex() for _ in range(rows)],
            "frames": random.integers(1, 500, rows),
            "frames_per_second": pl.repeat(25.0, rows, eager=True),
        }
    ).with_columns(
        path="id",
        family=pl.when(label=1).then(pl.lit("swap")),
        method=pl.when(label=1).then(pl.lit("made_swap")),
        source_person=pl.when(label=1).then("source_person"),
        parents=pl.when(pl.int_range(pl.len()) % 4 > 0).then("parents"),
    )
    catalog = make_catalog(table, folder)
    catalog.write(folder / "catalog.parquet")
    catalog.table.write_ndjson(folder / "catalog.jsonl")


def size(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f} MB"


def unmask(folder: Path) -> Iterator[str]:
    catalog = read_catalog(folder / "catalog.parquet")
    yield "load"
    catalog.filter(split="test", quality="c23")
    yield "filter"
    split = split_by_person(catalog, seed=0, fractions=FRACTIONS)
    yield "split"
    summary(split)
    yield "summary"
    split.write(folder / "out.parquet")
    yield "write"


def dictionaries(folder: Path) -> Iterator[str]:
    with (folder / "catalog.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    yield "load"
    [row for row in rows if row["split"] == "test" and row["quality"] == "c23"]
    yield "filter"
    group: dict[str, str] = {}  # leads from each person to the first of the group

    def first(person: str) -> str:
        while group.setdefault(person, person) != person:
            group[person] = group[group[person]]
            person = group[person]
        return person

    for row in rows:
        if row["source_person"]:
            group[first(row["source_person"])] = first(row["person"])
    groups = sorted({first(row["person"]) for row in rows})
    order = np.random.default_rng(0).permutation(len(groups))
    edges = np.cumsum([0, *FRACTIONS.values()]) * len(groups)
    places = {
        groups[one]: name
        for name, low, high in zip(FRACTIONS, edges, edges[1:], strict=False)
        for one in order[round(low) : round(high)]
    }
    for row in rows:
        row["split"] = places[first(row["person"])]
    yield "split"
    for by in GROUPS:
        Counter(row[by] for row in rows)
        people = {(row[by], row["person"]) for row in rows}
        people |= {(row[by], row["source_person"]) for row in rows}
    yield "summary"
    with (folder / "out.jsonl").open("w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    yield "write"


def pandas(folder: Path) -> Iterator[str]:
    pd = import_module("pandas")
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    table = pd.read_parquet(folder / "catalog.parquet")
    yield "load"
    table[(table["split"] == "test") & (table["quality"] == "c23")]
    yield "filter"
    source = table["source_person"].fillna(table["person"])
    codes, _ = pd.factorize(pd.concat([table["person"], source]))
    left, right = np.split(codes, 2)
    people = codes.max() + 1
    links = coo_array((np.ones(len(left)), (left, right)), shape=(people, people))
    count, groups = connected_components(links, directed=False)
    edges = np.round(np.cumsum([0, *FRACTIONS.values()]) * count).astype(int)
    places = np.random.default_rng(0).permutation(np.repeat(list(FRACTIONS), np.diff(edges)))
    table["split"] = places[groups[left]]
    yield "split"
    seen = pd.concat([table, table.assign(person=table["source_person"])])
    for by in GROUPS:
        table.groupby(by, dropna=False).size()
        seen.groupby(by, dropna=False)["person"].nunique()
    yield "summary"
    table.to_parquet(folder / "out.parquet")
    yield "write"


if __name__ == "__main__":
    main()
