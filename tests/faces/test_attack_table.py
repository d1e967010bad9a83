"""The attack table in its file."""

from pathlib import Path

import polars as pl
import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.attack_table import (
    SCHEMA,
    make_attack_table,
    read_attack_table,
    write_attack_table,
)

ROWS = [
    {"item": "a", "parent": "b", "frame": 0, "track": 1, "status": "ok", "linf": 1 / 255},
    {"item": "a", "parent": "b", "frame": 1, "status": "no_face"},
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    table = make_attack_table(ROWS)
    write_attack_table(table, tmp_path / "new" / "attacks.parquet")
    read = read_attack_table(tmp_path / "new" / "attacks.parquet")
    assert read.equals(table)
    assert read.columns == list(SCHEMA)
    assert read["linf"].to_list() == [1 / 255, None]


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"attack table must exist, got .*`unmask attack`"):
        read_attack_table(tmp_path / "attacks.parquet")


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "attacks.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(
        InvalidInputError, match=r"must be a whole Parquet file, got .*make it again"
    ):
        read_attack_table(path)


def test_another_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "attacks.parquet"
    pl.DataFrame({"item": ["a"]}).write_parquet(path)
    with pytest.raises(InvalidInputError, match="must be of version 1, got version none with item"):
        read_attack_table(path)
