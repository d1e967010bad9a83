"""The table of attributions: a row for each item, with its maker or why it has none."""

from io import BytesIO
from pathlib import Path

import polars as pl
from rich.table import Table

from unmask.attribution.open_set import OpenSet
from unmask.catalog import Catalog
from unmask.contracts import REAL
from unmask.faces.table import STATUSES
from unmask.files import write_whole
from unmask.training.checkpoint import Card
from unmask.training.seen import seen_items

ATTRIBUTIONS = "attributions"
OK = "ok"
DIGITS = 6  # behind the point, of numbers in the CSV file
WHY = {name: why for name, why in STATUSES.items() if name != OK} | {
    "real": "the catalog says that it is real, and the checkpoint knows makers of fakes only",
    "not_prepared": "the face table has no row of it",
    "too_few_faces": "no track has as many faces as the network judges together",
}


def listed(
    items: Catalog,
    named: pl.DataFrame,
    faces: pl.DataFrame,
    seen: pl.DataFrame,
    *,
    asks_real: bool,
) -> pl.DataFrame:
    """Return a row for each item, in the order of the catalog.

    Args:
        items: all that were asked for.
        named: the videos that were given a maker, as `video.named` returns them.
        faces: `item` and `status` of each face.
        seen: `item` and `seen`.
        asks_real: whether the network was asked about real videos, too.
    """
    of_faces = faces.group_by("item").agg(
        missed=pl.when((pl.col("status") == OK).any())
        .then(pl.lit("too_few_faces"))
        .otherwise(pl.col("status").mode().sort().first())
    )
    rows = items.table.select("status", "reason", "method", "label", item="id")
    for one in (of_faces, named, seen):
        rows = rows.join(one, on="item", how="left", maintain_order="left")
    is_left_out = pl.lit(not asks_real) & pl.col("label").eq_missing(REAL)
    rows = rows.with_columns(
        pl.col("faces").fill_null(0),
        status=pl.when(pl.col("status") != OK)
        .then("status")
        .when(is_left_out)
        .then(pl.lit("real"))
        .when(pl.col("maker").is_not_null())
        .then(pl.lit(OK))
        .otherwise(pl.col("missed").fill_null("not_prepared")),
    )
    why = pl.col("status").replace_strict(WHY, default=None, return_dtype=pl.String)
    return rows.select(
        *("item", "status", pl.coalesce("reason", why)),
        *("maker", "probability", "likeliest", "confidence", "ranking", "faces"),
        *(name for name in named.columns if name.startswith("p_")),
        *("method", "seen"),
    )


def seen_of(items: Catalog, lineage: Catalog, card: Card, open_set: OpenSet | None) -> pl.DataFrame:
    """Return `item` and whether it was `seen`; null where nobody knows.

    Args:
        items: that are asked about.
        lineage: a catalog in which their ancestors are found.
        card: of the checkpoint.
        open_set: its threshold, which is chosen on videos, too.
    """
    hashes, persons = set(card.seen_hashes), set(card.seen_persons)
    if open_set is not None:
        hashes, persons = hashes | set(open_set.seen_hashes), persons | set(open_set.seen_persons)
    found = seen_items(items, hashes=hashes, persons=persons, lineage=lineage)
    is_seen = pl.col("id").is_in(list(found.videos | set(found.persons["id"])))
    can_be_told = pl.lit(card.seen_is_known) & pl.col("sha256").is_not_null()
    told = pl.when(is_seen).then(pl.lit(True)).when(can_be_told).then(pl.lit(False))
    return items.table.select(item="id", seen=told)


def write_attributions(out: Path, table: pl.DataFrame) -> None:
    """Write the table as `attributions.parquet` and `attributions.csv`."""
    content = BytesIO()
    table.write_parquet(content)
    write_whole(out / f"{ATTRIBUTIONS}.parquet", content.getvalue())
    flat = table.with_columns(pl.col("ranking").list.join(" > "))
    write_whole(out / f"{ATTRIBUTIONS}.csv", flat.write_csv(float_precision=DIGITS).encode())


def as_text(table: pl.DataFrame) -> Table:
    """Return how many videos were given each maker, and why others were not, for the terminal."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("maker", no_wrap=True)
    for name in ("videos", "median confidence", "seen"):
        shown.add_column(name, justify="right", no_wrap=True)
    is_named = pl.col("status") == OK
    counts = table.group_by(
        is_named=is_named, name=pl.when(is_named).then("maker").otherwise("status")
    ).agg(pl.len().alias("videos"), pl.col("confidence").median(), pl.col("seen").sum())
    ordered = counts.sort("is_named", "videos", "name", descending=[True, True, False])
    for row in ordered.iter_rows(named=True):
        sure = f"{row['confidence']:.3f}" if row["is_named"] else ""
        name = row["name"] if row["is_named"] else f"none: {row['name']}"
        shown.add_row(name, f"{row['videos']:,}", sure, f"{row['seen']:,}")
    return shown
