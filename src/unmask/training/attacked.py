"""Which faces of attacked videos were really changed: an attack may leave some as they were."""

import logging
import os
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unmask.catalog import Catalog
from unmask.errors import InvalidInputError
from unmask.faces.attack_table import TABLE, read_attack_table
from unmask.faces.boxes import SAME, SMALLEST_AREA
from unmask.schema import ADVERSARIAL

logger = logging.getLogger(__name__)

UNCHANGED = "unchanged"
BOX = ("left", "top", "right", "bottom")


def mark_unchanged(faces: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Return a face table in which faces that an attack has not changed are `unchanged`, not `ok`.

    Some frames or faces of a video may not have been attacked, and a face that was judged wrongly
    as it is stays so. The attack table beside the attacked videos tells. A face is one of its rows
    where it is in the same frame and the boxes overlap by half: tracks may be counted otherwise.
    A copy in another quality has the faces of the attacked video that it was made from. Attacked
    items that others have made are taken as changed as a whole, for nobody tells more.

    Args:
        faces: with the columns of a face table.
        catalog: the items, and what they were made from.

    Raises:
        NotFoundError: if there is no attack table beside the attacked videos.
        InvalidInputError: if that is none, or if the attacked video that a copy was made from is
            not in the catalog.
    """
    attacked = _attacked(catalog)
    if attacked.is_empty():
        return faces
    lineage = _lineage(catalog).join(attacked, on="attacked")
    shown = faces.with_row_index("row").filter(pl.col("status") == "ok")
    shown = shown.select("row", "item", "frame", *BOX).join(lineage, on="item")
    pairs = shown.join(_changed(attacked), on=["attacked", "frame"], suffix="_before")
    is_same = pl.col("is_crop") | pl.Series(_overlap(pairs) >= SAME, dtype=pl.Boolean)
    left = shown.join(pairs.filter(is_same), on="row", how="anti")["row"]
    logger.info("left out: %d of %d attacked faces, as nothing was changed", len(left), len(shown))
    is_left = pl.int_range(pl.len()).is_in(left.implode())
    return faces.with_columns(status=pl.when(is_left).then(pl.lit(UNCHANGED)).otherwise("status"))


def _attacked(catalog: Catalog) -> pl.DataFrame:
    """Return what Unmask has attacked: `attacked`, its id, `table`, the path, and `is_crop`."""
    items = catalog.filter(family=ADVERSARIAL, status="ok").table
    _refuse_orphans(items, catalog)
    own = items.filter(_told("attack"))
    # The id of an attacked item is the way to its file from the folder of the attack table.
    depth = [item.count("/") + 1 for item in own["id"]]
    tables = [
        os.path.normpath(catalog.media("/".join([*path.split("/")[:-count], TABLE])))
        for path, count in zip(own["path"], depth, strict=True)
    ]
    # An image of one face bears the region that it was cut from: its table is about that video.
    return own.select(
        attacked="id", table=pl.Series(tables, dtype=pl.String), is_crop=_told("region")
    )


def _told(name: str) -> pl.Expr:
    return pl.col("settings").str.json_path_match(f"$.{name}").is_not_null()


def _refuse_orphans(items: pl.DataFrame, catalog: Catalog) -> None:
    """Refuse copies in another quality of what the catalog does not name."""
    parents = items.filter(_told("degradation")).select("id", "parents").explode("parents")
    orphans = parents.filter(~pl.col("parents").is_in(catalog.table["id"].implode()))
    if orphans.height:
        raise InvalidInputError(
            "the catalog must hold the attacked video that a copy was made from, which says which "
            f"faces were changed, got {orphans['id'][0]!r} without {orphans['parents'][0]!r}; give "
            "the catalog that `unmask degrade` wrote"
        )


def _lineage(catalog: Catalog) -> pl.DataFrame:
    """Return `item` and `attacked`: each adversarial item with itself and all its ancestors."""
    items = catalog.filter(family=ADVERSARIAL).table.select(item="id", attacked="id")
    older = catalog.ancestors().select(item="id", attacked="ancestor")
    return pl.concat([items, older.join(items, on="item", how="semi")])


def _changed(attacked: pl.DataFrame) -> pl.DataFrame:
    """Return `attacked`, `frame` and the box before the attack of each face that was changed."""
    tables = [read_attack_table(Path(path)) for path in attacked["table"].unique().sort()]
    changed = pl.concat(tables).filter(pl.col("linf") > 0).rename({"item": "attacked"})
    frame = pl.when("is_crop").then(0).otherwise("frame").alias("frame")
    return changed.join(attacked, on="attacked").select("attacked", frame, *BOX)


def _overlap(pairs: pl.DataFrame) -> NDArray[np.float64]:
    """Return (n,) how much of the boxes in each row is common to both; NaN where one is unknown."""
    now, before = (
        pairs.select(f"{name}{suffix}" for name in BOX).to_numpy().astype(np.float64)
        for suffix in ("", "_before")
    )
    sides = np.minimum(now[:, 2:], before[:, 2:]) - np.maximum(now[:, :2], before[:, :2])
    shared = np.maximum(sides, 0).prod(1)
    both = sum((box[:, 2:] - box[:, :2]).prod(1) for box in (now, before)) - shared
    return np.asarray(shared / np.maximum(both, SMALLEST_AREA))
