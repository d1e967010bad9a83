"""The catalog: one table row for each video or image, beside the media that it names."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from unmask.errors import InvalidInputError, NotFoundError
from unmask.files import write_whole
from unmask.lineage import ancestors, parents
from unmask.schema import SCHEMA, check, column, converted, refuse_unknown

VERSION = 1
VERSION_KEY = "unmask.catalog"

MEDIA_COLUMNS = ("path", "mask", "landmarks")
FOLDER_AND_NAME = "^(.*/|)(.*)$"
# What an item is, whatever folder it lies in and however long it took to make.
IDENTITY = (
    "id", "dataset", "label", "family", "method", "action", "person", "source_person", "split",
    "quality", "sha256", "status",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Catalog:
    """A checked table of items and the folder that its relative paths start from.

    Args:
        table: one row for each item, with the columns of `SCHEMA`, in any order.
        root: the folder of the catalog file.

    Raises:
        InvalidInputError: if the table is no catalog; the message names the row and the column.
    """

    table: pl.DataFrame
    root: Path

    def __post_init__(self) -> None:
        check(self.table)
        object.__setattr__(self, "table", self.table.select(list(SCHEMA)))

    def __len__(self) -> int:
        return self.table.height

    def media(self, path: str) -> Path:
        """Return where a path of the table lies on disk."""
        return self.root / path

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries."""
        return self.table.to_dicts()

    def usable(self) -> "Catalog":
        """Return only the items whose status is `ok`."""
        return self.filter(status="ok")

    def filter(self, **wanted: object) -> "Catalog":
        """Return the items whose columns have the wanted values; a list means any of them.

        Raises:
            NotFoundError: if there is no such column.
            InvalidInputError: if a value is not of the column's type.

        Example:
            >>> catalog = make_catalog(
            ...     [{"id": split, "path": "a.mp4", "dataset": "d", "split": split}
            ...      for split in ("train", "val", "test")], Path())
            >>> len(catalog.filter(split=["val", "test"])), len(catalog.filter(person=None))
            (2, 3)
        """
        conditions = (_is_any_of(name, value) for name, value in wanted.items())
        return Catalog(self.table.filter(pl.lit(True), *conditions), self.root)

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
        if root == self.root:
            return self
        if here == there:
            return Catalog(self.table, root)
        told = [_told_from(there, here, self.table[name]) for name in MEDIA_COLUMNS]
        return Catalog(self.table.with_columns(told), root)

    def ancestors(self) -> pl.DataFrame:
        """Return one row (id, ancestor) for each item that each item was made from.

        Parents that are not in the catalog are among the ancestors.
        """
        return ancestors(parents(self.table))

    def people(self) -> pl.DataFrame:
        """Return one row (id, person) for everybody who is seen in an item or was put into it.

        The person is told as `data set/person`, for a name has its meaning within one data set.
        """
        both = [
            self.table.select("id", person=pl.format("{}/{}", "dataset", column))
            for column in ("person", "source_person")
        ]
        return pl.concat(both).drop_nulls().unique(maintain_order=True)

    def check_media(self, columns: Sequence[str] = MEDIA_COLUMNS) -> None:
        """Refuse a catalog whose usable items name files that are not there.

        Raises:
            NotFoundError: the message names the first row with its column and path.
        """
        usable = self.table.with_row_index("row").filter(pl.col("status") == "ok")
        for name in columns:
            absent = _absent(self.root, usable.select("row", "id", path=name).drop_nulls())
            if absent.height:
                row, item, path = absent.row(0)
                raise NotFoundError(
                    f"row {row} (id {item!r}): column {name!r} must name a file that exists, got "
                    f"{self.root / path} ({absent.height} are absent); correct the path, or index "
                    "the data set again"
                )

    def write(self, path: Path) -> None:
        """Write the catalog as Parquet, whole or not at all; paths are told from its folder."""
        table = self.moved(path.parent).table
        content = BytesIO()
        table.write_parquet(content, compression="zstd", metadata={VERSION_KEY: str(VERSION)})
        write_whole(path, content.getvalue())

    def content_hash(self) -> str:
        """Return one SHA-256 of what the items are, whatever their order and their folder.

        Each value of `IDENTITY`, by rising id, goes in as its length in bytes, a colon and its
        text; a null goes in as a hyphen. So it depends on no library's way of writing.
        """
        texts = [pl.col(name).cast(pl.String) for name in IDENTITY]
        told = [pl.format("{}:{}", text.str.len_bytes(), text).fill_null("-") for text in texts]
        lines = self.table.sort("id").select(pl.concat_str(told)).to_series()
        hashed = sha256()
        for part in lines.to_frame().iter_slices(1 << 16):
            hashed.update(part.to_series().str.join("").item().encode())
        return hashed.hexdigest()


def make_catalog(rows: Iterable[Mapping[str, object]] | pl.DataFrame, root: Path) -> Catalog:
    """Return a catalog of rows or of a table; what they lack is null, or `video` and `ok`.

    Args:
        rows: dictionaries with some of the columns, or a table, as read from a CSV file, whose
            columns are converted to the catalog's types.
        root: the folder that relative paths start from.

    Raises:
        NotFoundError: if there is an unknown column; the message has the closest name.
        InvalidInputError: if a row is not valid; the message names the row and the column.

    Example:
        >>> row = {"id": "a", "path": "clips/a.mp4", "dataset": "mine", "label": 0}
        >>> make_catalog([row], Path("folder")).table.select("id", "kind", "label", "status").rows()
        [('a', 'video', 0, 'ok')]
    """
    defaults: dict[str, object] = {"kind": "video", "status": "ok"}
    if isinstance(rows, pl.DataFrame):
        absent = {name: defaults.get(name) for name in SCHEMA if name not in rows.columns}
        whole = rows.with_columns(**{name: pl.lit(value) for name, value in absent.items()})
        return Catalog(pl.DataFrame([converted(values) for values in whole]), root)
    listed = [defaults | dict(row) for row in rows]
    for name in sorted({name for row in listed for name in row}):
        refuse_unknown(name)
    columns = [column(name, [row.get(name) for row in listed]) for name in SCHEMA]
    return Catalog(pl.DataFrame(columns), root)


def read_catalog(path: Path) -> Catalog:
    """Return the catalog in a Parquet file.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if it is not Parquet, of another version, or not a catalog.
    """
    if not path.is_file():
        raise NotFoundError(
            f"a catalog file must exist, got {path}; correct the path, or make one with "
            "`unmask index`"
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


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _is_any_of(name: str, wanted: object) -> pl.Expr:
    refuse_unknown(name)
    if not isinstance(wanted, Collection) or isinstance(wanted, str):
        wanted = [wanted]
    values = column(name, list(wanted))
    return pl.col(name).is_in(values.implode(), nulls_equal=True)


def _told_from(there: Path, here: Path, paths: pl.Series) -> pl.Series:
    """Return paths that start from the folder `here` as they read from `there`."""
    folders = paths.str.extract(FOLDER_AND_NAME, 1)
    distinct = folders.unique().drop_nulls()

    def told(folder: str) -> str:
        if folder.startswith("/"):
            return folder
        way = Path(os.path.relpath(here / folder, there)).as_posix()
        return "" if way == "." else f"{way}/"

    new = [told(folder) for folder in distinct]
    moved = folders.replace_strict(distinct, new, return_dtype=pl.String)
    return (moved + paths.str.extract(FOLDER_AND_NAME, 2)).alias(paths.name)


def _absent(root: Path, named: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose `path` is no file; one listing a folder beats one look a file."""
    folders = named["path"].str.extract(FOLDER_AND_NAME, 1).unique()
    found = [folder + name for folder in folders for name in _files(root / folder)]
    return named.join(pl.DataFrame({"path": found}, {"path": pl.String}), on="path", how="anti")


def _files(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file()]
