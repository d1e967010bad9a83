from pathlib import Path
from typing import Any

import polars as pl
import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.table import SCHEMA, FaceTable, make_face_table, read_face_table

OK: dict[str, Any] = {
    "item": "a/b.mp4",
    "frame": 7,
    "time": 0.28,
    "track": 0,
    "left": 1.5,
    "top": 2.5,
    "right": 30.5,
    "bottom": 40.5,
    "landmarks": [float(k) for k in range(10)],
    "confidence": 0.99,
    "crop": "crops/a/b.mp4/000007_0.png",
    "status": "ok",
}
NONE: dict[str, Any] = {"item": "a/b.mp4", "frame": 8, "time": 0.32, "status": "no_face"}


def test_a_written_table_is_read_as_it_was(tmp_path: Path) -> None:
    table = make_face_table([OK, NONE], tmp_path, {"profile": "square"})
    table.write(tmp_path / "deep/faces.parquet")
    read = read_face_table(tmp_path / "deep/faces.parquet")
    assert read.table.equals(table.table)
    assert read.settings == {"profile": "square"}
    assert read.root == tmp_path / "deep"
    assert read.crop(OK["crop"]) == tmp_path / "deep/crops/a/b.mp4/000007_0.png"
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["faces.parquet"]


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    make_face_table([], tmp_path).write(tmp_path / "faces.parquet")
    assert len(read_face_table(tmp_path / "faces.parquet")) == 0


def test_usable_rows_are_those_with_the_status_ok() -> None:
    table = make_face_table([OK, NONE], Path("out"))
    assert table.usable().table["frame"].to_list() == [7]
    assert str(table) == "2 rows of 1 items (1 no_face, 1 ok) in out"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"item": None}, "row 1: column 'item' must be given, got None"),
        ({"status": None}, "row 1: column 'status' must be given"),
        ({"status": "fine"}, "column 'status' must be one of ok, no_face, .*, got 'fine'"),
        ({"crop": None}, "column 'crop' must be given where the status is ok, and only there"),
        ({"status": "no_face"}, "column 'crop' must be given where the status is ok, and only"),
        ({"frame": None}, "column 'frame' must be given where the status is ok, got None"),
        ({"landmarks": [1.0, 2.0]}, "column 'landmarks' must hold five times x, y"),
        ({"crop": "/etc/passwd"}, "column 'crop' must stay inside the table's folder"),
        ({"crop": "crops/../../x.png"}, "column 'crop' must stay inside the table's folder"),
    ],
)
def test_a_wrong_row_is_refused_with_its_number(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        make_face_table([NONE, OK | change], Path())


def test_a_wrong_column_is_refused_by_its_name() -> None:
    table = make_face_table([OK], Path()).table
    with pytest.raises(InvalidInputError, match="must have the column 'crop', got item, frame"):
        FaceTable(table.drop("crop"), Path())
    with pytest.raises(InvalidInputError, match="the face table has no 'fame'; did you mean 'fra"):
        FaceTable(table.with_columns(fame=1), Path())
    with pytest.raises(InvalidInputError, match="column 'left' must be of type Float32, got Int32"):
        FaceTable(table.cast({"left": pl.Int32}), Path())


def test_a_file_that_is_no_face_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"a face table must exist, got .*none\.parquet; make"):
        read_face_table(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("frame,item")
    with pytest.raises(InvalidInputError, match="a face table must be a whole Parquet file, got"):
        read_face_table(tmp_path / "text.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(InvalidInputError, match="must be of version 1, got version none in"):
        read_face_table(tmp_path / "other.parquet")


def test_a_row_has_all_columns_in_order() -> None:
    assert make_face_table([NONE], Path()).table.columns == list(SCHEMA)
