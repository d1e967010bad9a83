"""How many items, people and minutes a catalog holds, by what they are."""

import polars as pl
from rich.table import Table

from unmask.catalog import Catalog
from unmask.schema import SPLITS

GROUPS = ("dataset", "label", "method", "quality", "split", "status")
LABELS = {0: "real", 1: "fake"}
COUNTS = ("items", "people", *SPLITS)


def summary(catalog: Catalog) -> pl.DataFrame:
    """Return counts of the whole catalog and of each value of `GROUPS`.

    Returns:
        A table with the columns `by` (all, or one of `GROUPS`), `value` (null where nothing is
        given), `items`, `people`, `train`, `val`, `test` and `seconds`; within each `by` the
        largest group comes first. Items of unknown length add no seconds.
    """
    items = catalog.table.select(
        *("dataset", "method", "quality", "split", "status", "person", "source_person"),
        all=pl.lit("all"),
        label=pl.col("label").replace_strict(LABELS, return_dtype=pl.String),
        seconds=pl.col("frames") / pl.col("frames_per_second"),
    )
    who = [pl.format("{}/{}", "dataset", column) for column in ("person", "source_person")]
    seen = pl.concat(items.with_columns(person=person) for person in who).drop_nulls("person")
    # Numbers are counted several times as fast as names.
    seen = seen.with_columns(pl.col("person").cast(pl.Categorical).to_physical())
    return pl.concat(_by(name, items, seen) for name in ("all", *GROUPS))


def _by(name: str, items: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    counts = items.group_by(name).agg(
        *((pl.col("split") == split).sum().alias(split) for split in SPLITS),
        items=pl.len(),
        seconds=pl.col("seconds").filter(pl.col("seconds").is_finite()).sum(),
    )
    people = seen.group_by(name).agg(people=pl.col("person").n_unique())
    joined = counts.join(people, on=name, how="left", nulls_equal=True)
    named = joined.with_columns(pl.col("people").fill_null(0), by=pl.lit(name), value=name)
    return named.sort("items", "value", descending=[True, False]).select(
        "by", "value", *COUNTS, "seconds"
    )


def as_text(counts: pl.DataFrame) -> Table:
    """Return a summary as a table for the terminal."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("", overflow="ellipsis", no_wrap=True, min_width=16)
    for name in (*COUNTS, "minutes"):
        shown.add_column(name, justify="right", no_wrap=True)
    for (by,), group in counts.group_by("by", maintain_order=True):
        if by != "all":
            shown.add_row(f"[bold]{by}")
        for row in group.iter_rows(named=True):
            name = row["value"] if by == "all" else f"  {row['value'] or 'not given'}"
            cells = [f"{row[count]:,}" for count in COUNTS]
            shown.add_row(name, *cells, f"{row['seconds'] / 60:,.1f}")
    return shown
