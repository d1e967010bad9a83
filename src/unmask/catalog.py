"""The catalog: one table row for each video or image, beside the media that it names."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from unmask.errors import InvalidInputError, NotFoundError, unknown_name

VERSION = 1
VERSION_KEY = "unmask.catalog"

KINDS = ("video", "image")
FAMILIES = ("swap", "expression", "attribute", "full_face", "blend", "adversarial")
SPLITS = ("train", "val", "test")

SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),  # the whole path within the data set; never used twice
    "path": pl.String(),  # of the media, from the catalog's folder, or absolute
    "kind": pl.String(),
    "dataset": pl.String(),
    "label": pl.Int8(),  # 0 real, 1 fake, null unknown
    "original_label": pl.String(),  # what the data set itself says
    "family": pl.String(),
    "method": pl.String(),
    "action": pl.String(),
    "person": pl.String(),  # who is seen: the target of a swap
    "source_person": pl.String(),  # whose face or motion was put in
    "parents": pl.List(pl.String()),  # the ids that this item was made from
    "split": pl.String(),
    "quality": pl.String(),  # raw, c23, c40 ...
    "crf": pl.Int16(),
    "seed": pl.Int64(),
    "settings": pl.String(),  # JSON: how the item was made
    "licence": pl.String(),
    "sha256": pl.String(),
    "mask": pl.String(),
    "landmarks": pl.String(),  # .npz with `landmarks` (T, K, 2), where they are known
    "frames": pl.Int64(),
    "frames_per_second": pl.Float64(),
    "width": pl.Int64(),
    "height": pl.Int64(),
    "status": pl.String(),  # ok, or the problem's short name
    "reason": pl.String(),
}
REQUIRED = ("id", "path", "kind", "dataset", "status")
MEDIA_COLUMNS = ("path", "mask", "landmarks")


@dataclass(frozen=True)
class Catalog:
    """A checked table of items and the folder that its relative paths start from.

    Args:
        table: one row for each item, with exactly the columns of `SCHEMA`.
        root: the folder of the catalog file.

    Raises:
        InvalidInputError: if the table is no catalog; the message names the row and the column.
    """

    table: pl.DataFrame
    root: Path

    def __post_init__(self) -> None:
        check(self.table)

    def __len__(self) -> int:
        return self.table.height

    def media(self, path: str) -> Path:
        """Return where a path of the table lies on disk."""
        return self.root / path

    def usable(self) -> "Catalog":
        """Return only the items whose status is `ok`."""
        return Catalog(self.table.filter(pl.col("status") == "ok"), self.root)

    def filter(self, **wanted: object) -> "Catalog":
        """Return the items whose columns have the wanted values; a list means any of them.

        Raises:
            NotFoundError: if there is no such column.

        Example:
            `catalog.filter(split="test", quality=["c23", "c40"])`
        """
        for name in wanted:
            if name not in SCHEMA:
                raise unknown_name("the catalog", name, SCHEMA)
        conditions = [
            pl.col(name).is_in(list(value))
            if isinstance(value, list | tuple | set)
            else pl.col(name).eq_missing(pl.lit(value))
            for name, value in wanted.items()
        ]
        return Catalog(self.table.filter(*conditions) if conditions else self.table, self.root)

    def join(self, *others: "Catalog") -> "Catalog":
        """Return one catalog of all items; paths are rewritten to start from this one's folder.

        Raises:
            InvalidInputError: if an id stands in more than one of them.
        """
        moved = [other.moved(self.root).table for other in others]
        return Catalog(pl.concat([self.table, *moved]), self.root)

    def moved(self, root: Path) -> "Catalog":
        """Return the same items with their paths told from another folder."""
        here, there = self.root.resolve(), root.resolve()
        if here == there:
            return Catalog(self.table, root)
        way = Path(os.path.relpath(here, there)).as_posix()
        paths = [
            pl.when(pl.col(name).str.starts_with("/"))
            .then(pl.col(name))
            .otherwise(pl.concat_str(pl.lit(way + "/"), pl.col(name)))
            .alias(name)
            for name in MEDIA_COLUMNS
        ]
        return Catalog(self.table.with_columns(paths), root)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        return self.table.to_dicts()

    def write(self, path: Path) -> None:
        """Write the catalog as Parquet, whole or not at all; paths are told from its folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        moved = self.moved(path.parent)
        beside = path.with_name(f".{path.name}.part")
        moved.table.write_parquet(
            beside, compression="zstd", metadata={VERSION_KEY: str(VERSION)}, mkdir=True
        )
        beside.replace(path)

    def content_hash(self) -> str:
        """Return one hash of what the items are: ids, labels, splits and media hashes."""
        names = ["id", "label", "person", "source_person", "split", "quality", "sha256", "status"]
        hashed = sha256()
        for line in self.table.select(names).sort("id").iter_rows():
            hashed.update(json.dumps(line).encode())
        return hashed.hexdigest()


def make_catalog(rows: Iterable[Mapping[str, object]], root: Path) -> Catalog:
    """Return a catalog of rows; columns that a row lacks are null, `kind` and `status` default.

    Raises:
        NotFoundError: if a row has an unknown column.
        InvalidInputError: if a row is not valid.
    """
    whole = [{"kind": "video", "status": "ok"} | dict(row) for row in rows]
    for row in whole:
        for name in row:
            if name not in SCHEMA:
                raise unknown_name("the catalog", name, SCHEMA)
    try:
        table = pl.from_dicts(whole, schema=SCHEMA) if whole else pl.DataFrame(schema=SCHEMA)
    except (pl.exceptions.PolarsError, TypeError, OverflowError) as error:
        raise InvalidInputError(
            f"each value of a catalog row must be of its column's type, got {error}; "
            "see unmask.catalog.SCHEMA"
        ) from None
    return Catalog(table, root)


def read_catalog(path: Path) -> Catalog:
    """Return the catalog in a Parquet file.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if it is not Parquet, of another version, or not a catalog.
    """
    if not path.is_file():
        raise NotFoundError(
            f"a catalog file must exist, got {path}; make one with `unmask index` or `unmask demo`"
        )
    try:
        version = pl.read_parquet_metadata(path).get(VERSION_KEY)
        table = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvalidInputError(
            f"a catalog must be a whole Parquet file, got {path} ({str(error).splitlines()[0]}); "
            "make it again"
        ) from None
    if version != str(VERSION):
        raise InvalidInputError(
            f"a catalog must be of version {VERSION}, got version {version or 'none'} in {path}; "
            "make it with this release of unmask"
        )
    return Catalog(table, path.parent)


def check(table: pl.DataFrame) -> None:
    """Refuse a table that is no catalog.

    Raises:
        InvalidInputError: the message names the first wrong row and the column.
    """
    for name in table.columns:
        if name not in SCHEMA:
            raise InvalidInputError(f"{unknown_name('the catalog', name, SCHEMA)}")
    for name, kind in SCHEMA.items():
        if name not in table.columns:
            raise InvalidInputError(
                f"a catalog must have the column {name!r}, got only {', '.join(table.columns)}; "
                "add it, with nulls where nothing is known"
            )
        if table.schema[name] != kind:
            raise InvalidInputError(
                f"column {name!r} must be of type {kind}, got {table.schema[name]}; cast it"
            )
    for name, rule, wrong in _rules():
        found = table.with_row_index("row").filter(wrong).head(1)
        if found.height:
            raise InvalidInputError(
                f"row {found['row'][0]}: column {name!r} must {rule}, got {found[name][0]!r}; "
                "correct the row or leave it out"
            )


def _rules() -> Sequence[tuple[str, str, pl.Expr]]:
    """Return (column, what must hold, where it does not)."""

    def one_of(name: str, allowed: Sequence[str]) -> tuple[str, str, pl.Expr]:
        return name, f"be one of {', '.join(allowed)}", ~pl.col(name).is_in(allowed)

    present = [(name, "be given", pl.col(name).is_null()) for name in REQUIRED]
    counts = [
        (name, "be 0 or more", pl.col(name) < 0)
        for name in ("frames", "frames_per_second", "width", "height")
    ]
    return [
        *present,
        ("id", "be used once", pl.col("id").is_duplicated()),
        ("id", "stay inside the data set", _leaves_its_folder("id")),
        one_of("kind", KINDS),
        one_of("family", FAMILIES),
        one_of("split", SPLITS),
        ("label", "be 0 (real), 1 (fake) or null", ~pl.col("label").is_in([0, 1])),
        ("sha256", "be 64 hexadecimal digits", ~pl.col("sha256").str.contains(r"^[0-9a-f]{64}$")),
        ("crf", "lie between 0 and 51", ~pl.col("crf").is_between(0, 51)),
        *counts,
        (
            "reason",
            "say why the status is not ok",
            (pl.col("status") != "ok") & pl.col("reason").is_null(),
        ),
    ]


def _leaves_its_folder(name: str) -> pl.Expr:
    # Ids become folder names of crops and copies: a hostile one must not reach outside.
    return pl.col(name).str.contains(r"(^/)|(^|/)\.\.(/|$)|\\|\x00") | (pl.col(name) == "")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    hashed = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hashed.update(block)
    return hashed.hexdigest()
