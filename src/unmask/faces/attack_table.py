"""The attack table: what an attack did to each face of each frame that was asked for."""

from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from unmask.errors import InvalidInputError, NotFoundError
from unmask.files import write_whole

TABLE = "attacks.parquet"
VERSION, VERSION_KEY = 1, "unmask.attacks"

SCHEMA: dict[str, pl.DataType] = {
    "item": pl.String(),  # the attacked item's id in the catalog
    "parent": pl.String(),  # the id of what it was made from
    "frame": pl.Int64(),  # null where the whole item could not be used
    "time": pl.Float64(),  # seconds
    "track": pl.Int32(),  # which face of the item; null where the frame shows none
    "left": pl.Float32(),  # the box before the attack, in pixels of the upright frame
    "top": pl.Float32(),
    "right": pl.Float32(),
    "bottom": pl.Float32(),
    "status": pl.String(),  # of a face table, or `failed`
    "reason": pl.String(),
    "iterations": pl.Int64(),
    "queries": pl.Int64(),
    "linf": pl.Float64(),  # the largest change of a value, in [0, 1], as it is written
    "l2": pl.Float64(),  # the length of the change of all values of the crop, in [0, 1]
    "psnr": pl.Float64(),  # dB, of the crop; null where nothing was changed
    "ssim": pl.Float64(),  # of the crop; null where it is smaller than the window
    "score_before": pl.Float64(),  # P(fake) of the clean crop
    "score_after": pl.Float64(),  # P(fake) of the 8-bit crop that is written
    "score_found": pl.Float64(),  # P(fake) after the face was found again in the written file
    "found": pl.Boolean(),  # whether it was; null where there was none to attack
}


def make_attack_table(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Return an attack table of rows; columns that a row lacks are null.

    Example:
        >>> table = make_attack_table([{"item": "a", "frame": 3, "status": "no_face"}])
        >>> table.select("item", "frame", "status", "score_after").rows()
        [('a', 3, 'no_face', None)]
    """
    listed = [{name: row.get(name) for name in SCHEMA} for row in rows]
    return pl.from_dicts(listed, schema=SCHEMA)


def write_attack_table(table: pl.DataFrame, path: Path) -> None:
    """Write an attack table as Parquet, whole or not at all."""
    content = BytesIO()
    table.write_parquet(content, compression="zstd", metadata={VERSION_KEY: str(VERSION)})
    write_whole(path, content.getvalue())


def read_attack_table(path: Path) -> pl.DataFrame:
    """Return the attack table in a Parquet file, with the columns of `SCHEMA`.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if it is not Parquet, of another version, or no attack table.
    """
    if not path.is_file():
        raise NotFoundError(
            f"an attack table must exist, got {path}; `unmask attack` writes it, "
            "and its folder has to be moved as a whole"
        )
    try:
        version = pl.read_parquet_metadata(path).get(VERSION_KEY)
        table = pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvalidInputError(
            f"an attack table must be a whole Parquet file, got {path} "
            f"({str(error).splitlines()[0]}); make it again"
        ) from None
    if version != str(VERSION) or dict(table.schema) != SCHEMA:
        raise InvalidInputError(
            f"an attack table must be of version {VERSION}, got version {version or 'none'} with "
            f"{', '.join(table.columns)} in {path}; make it with this release of unmask"
        )
    return table
