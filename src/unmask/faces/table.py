"""The face table: one row for each face in each frame that was asked for, or for its absence."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from unmask.errors import InvalidInputError, NotFoundError, unknown_name

VERSION = 1
VERSION_KEY, SETTINGS_KEY = "unmask.faces", "unmask.faces.settings"

SCHEMA: dict[str, pl.DataType] = {
    "item": pl.String(),  # the id in the catalog
    "frame": pl.Int64(),  # null where the whole item could not be used
    "time": pl.Float64(),  # seconds
    "track": pl.Int32(),  # which face of the item; null where the frame shows none
    "left": pl.Float32(),  # the box, in pixels of the upright frame
    "top": pl.Float32(),
    "right": pl.Float32(),
    "bottom": pl.Float32(),
    "landmarks": pl.List(pl.Float32()),  # five times x, y, in the order of `Face`
    "confidence": pl.Float32(),
    "crop": pl.String(),  # from the table's folder; null unless the status is ok
    "status": pl.String(),
    "reason": pl.String(),
}
REQUIRED = ("item", "status")

STATUSES = {
    "ok": "the face was cut out",
    "no_face": "the frame shows no face",
    "other_face": "the frame shows faces, but not the one that was chosen",
    "empty_mask": "the mask is empty there: nothing was forged",
    "outside": "the face lies outside of the frame",
    "unreadable": "the item or the frame cannot be decoded",
    "unreadable_mask": "the item's mask cannot be decoded",
}


@dataclass(frozen=True, eq=False)
class FaceTable:
    """A checked table of faces and the folder that its crops' paths start from.

    Args:
        table: with exactly the columns of `SCHEMA`.
        root: the folder of the table's file.
        settings: how the faces were prepared.

    Raises:
        InvalidInputError: if the table is no face table; the message names row and column.
    """

    table: pl.DataFrame
    root: Path
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self.table)

    def __len__(self) -> int:
        return self.table.height

    def __str__(self) -> str:
        counts = (
            self.table["status"]
            .value_counts(sort=True)
            .sort("count", "status", descending=[True, False])
        )
        told = ", ".join(f"{count} {status}" for status, count in counts.iter_rows())
        items = self.table["item"].n_unique()
        return f"{len(self)} rows of {items} items ({told or 'none'}) in {self.root}"

    def usable(self) -> "FaceTable":
        """Return only the rows whose status is `ok`."""
        return FaceTable(self.table.filter(pl.col("status") == "ok"), self.root, self.settings)

    def crop(self, path: str) -> Path:
        """Return where a crop lies on disk."""
        return self.root / path

    def write(self, path: Path) -> None:
        """Write the table as Parquet, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        said = {VERSION_KEY: str(VERSION), SETTINGS_KEY: json.dumps(self.settings, sort_keys=True)}
        with beside.open("wb") as file:
            self.table.write_parquet(file, compression="zstd", metadata=said)
            file.flush()
            os.fsync(file.fileno())  # Else a power cut could keep the name and lose the content.
        beside.replace(path)


def make_face_table(
    rows: Iterable[Mapping[str, Any]], root: Path, settings: Mapping[str, Any] | None = None
) -> FaceTable:
    """Return a face table of rows; columns that a row lacks are null.

    Raises:
        InvalidInputError: if a row is not valid.

    Example:
        >>> str(make_face_table([{"item": "a", "frame": 3, "status": "no_face"}], Path("faces")))
        '1 rows of 1 items (1 no_face) in faces'
    """
    listed = [{name: row.get(name) for name in SCHEMA} for row in rows]
    return FaceTable(pl.from_dicts(listed, schema=SCHEMA), root, settings or {})


def read_face_table(path: Path) -> FaceTable:
    """Return the face table in a Parquet file.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if it is not Parquet, of another version, or no face table.
    """
    if not path.is_file():
        raise NotFoundError(f"a face table must exist, got {path}; make one with `unmask faces`")
    try:
        said = pl.read_parquet_metadata(path)
        table = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvalidInputError(
            f"a face table must be a whole Parquet file, got {path} "
            f"({str(error).splitlines()[0]}); make it again"
        ) from None
    if said.get(VERSION_KEY) != str(VERSION):
        raise InvalidInputError(
            f"a face table must be of version {VERSION}, got version "
            f"{said.get(VERSION_KEY, 'none')} in {path}; make it with this release of unmask"
        )
    return FaceTable(table, path.parent, json.loads(said.get(SETTINGS_KEY, "{}")))


def _check(table: pl.DataFrame) -> None:
    for name in table.columns:
        if name not in SCHEMA:
            raise InvalidInputError(f"{unknown_name('the face table', name, SCHEMA)}")
    for name, kind in SCHEMA.items():
        if name not in table.columns:
            raise InvalidInputError(
                f"a face table must have the column {name!r}, got {', '.join(table.columns)}; "
                "make it with `unmask faces`"
            )
        if table.schema[name] != kind:
            raise InvalidInputError(
                f"column {name!r} must be of type {kind}, got {table.schema[name]}; cast it"
            )
    is_ok = pl.col("status") == "ok"
    rules = [
        *((name, "be given", pl.col(name).is_null()) for name in REQUIRED),
        ("status", f"be one of {', '.join(STATUSES)}", ~pl.col("status").is_in(list(STATUSES))),
        (
            "crop",
            "be given where the status is ok, and only there",
            is_ok == pl.col("crop").is_null(),
        ),
        ("frame", "be given where the status is ok", is_ok & pl.col("frame").is_null()),
        ("landmarks", "hold five times x, y", pl.col("landmarks").list.len() != 10),
        (
            "crop",
            "stay inside the table's folder",
            pl.col("crop").str.contains(r"(^/)|(^|/)\.\.(/|$)|\\"),
        ),
    ]
    for name, rule, wrong in rules:
        found = table.with_row_index("row").filter(wrong).head(1)
        if found.height:
            raise InvalidInputError(
                f"row {found['row'][0]}: column {name!r} must {rule}, got {found[name][0]!r}; "
                "make the table again with `unmask faces`"
            )
