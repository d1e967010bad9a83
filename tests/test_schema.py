"""A table that is no catalog is refused with the row and the column; values keep their meaning."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from makers.catalogs import catalog_of, row
from unmask.errors import InvalidInputError, NotFoundError
from unmask.schema import SCHEMA, check, column, converted


def with_second_row(**wrong: object) -> pl.DataFrame:
    """Return a table of three rows, the second of which is wrong."""
    table = catalog_of(row("a"), row("b"), row("c")).table
    values = {
        name: pl.Series([None, value, None], dtype=SCHEMA[name]) for name, value in wrong.items()
    }
    return table.with_columns(
        pl.when(pl.int_range(pl.len()) == 1).then(series).otherwise(name).alias(name)
        for name, series in values.items()
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"id": None}, r"\(id None\): column 'id' must be given, got None"),
        ({"path": ""}, r"\(id 'b'\): column 'path' must be given, got ''; correct the row"),
        ({"dataset": None}, "column 'dataset' must be given, got None"),
        ({"status": None}, "column 'status' must be given"),
        ({"id": "a/../../b"}, r"column 'id' must stay inside the data set, got 'a/\.\./\.\./b'"),
        ({"id": "/b"}, "column 'id' must stay inside the data set, got '/b'"),
        ({"id": ".."}, r"column 'id' must stay inside the data set, got '\.\.'"),
        ({"id": "a\\b"}, "column 'id' must stay inside the data set"),
        ({"id": "a\0b"}, "column 'id' must stay inside the data set"),
        ({"kind": "audio"}, "column 'kind' must be one of video, image, got 'audio'"),
        ({"family": "swop"}, "column 'family' must be one of swap, expression, .*, got 'swop'"),
        ({"split": "dev"}, "column 'split' must be one of train, val, test, got 'dev'"),
        ({"label": 2}, r"column 'label' must be 0 \(real\), 1 \(fake\) or null, got 2"),
        ({"label": 0, "family": "swap"}, r"column 'label' must be 1 \(fake\) where a family"),
        ({"sha256": "A" * 64}, "column 'sha256' must be 64 hexadecimal digits, got 'AAA"),
        ({"sha256": "a" * 63}, "column 'sha256' must be 64 hexadecimal digits"),
        ({"crf": 52}, "column 'crf' must lie between 0 and 51, got 52"),
        ({"frames": -1}, "column 'frames' must be 0 or more, got -1"),
        (
            {"frames_per_second": float("nan")},
            "column 'frames_per_second' must be 0 or more, got n",
        ),
        (
            {"frames_per_second": float("inf")},
            "column 'frames_per_second' must be 0 or more, got i",
        ),
        ({"width": -5}, "column 'width' must be 0 or more, got -5"),
        ({"status": "no_face"}, "column 'reason' must say why the status is not ok, got None"),
        ({"parents": ["b"]}, r"column 'parents' must never lead back to .*, got \['b'\]"),
        ({"id": "a"}, r"\(id 'a'\): column 'id' must be used once, got 'a'"),
    ],
)
def test_a_wrong_value_is_refused_with_its_row_and_column(
    wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"row 1 .*{words}"):
        check(with_second_row(**wrong))


@pytest.mark.parametrize(
    "right",
    [
        {"id": "a b/..c/d..e/ü.mp4"},
        {"label": 0, "family": "adversarial"},
        {"label": 1, "family": "swap"},
        {"label": None, "family": "swap"},
        {"crf": 0, "frames": 0, "frames_per_second": 0.0},
        {"parents": ["elsewhere", "c", "a"]},
        {"status": "no_face", "reason": "nobody is seen"},
    ],
)
def test_what_a_catalog_may_hold_is_accepted(right: dict[str, Any]) -> None:
    check(with_second_row(**right))


def test_an_empty_table_is_a_catalog() -> None:
    check(pl.DataFrame(schema=SCHEMA))


def test_an_unknown_column_is_answered_with_the_closest_one() -> None:
    table = pl.DataFrame(schema=SCHEMA).with_columns(lable=pl.lit(1))
    with pytest.raises(NotFoundError, match=r"the catalog has no 'lable'; did you mean 'label'\?"):
        check(table)


def test_a_missing_column_is_named() -> None:
    table = pl.DataFrame(schema=SCHEMA).drop("split")
    with pytest.raises(InvalidInputError, match="must have the column 'split', got only id, path"):
        check(table)


def test_a_column_of_another_type_is_named_with_both_types() -> None:
    table = pl.DataFrame(schema=SCHEMA | {"label": pl.String()})
    with pytest.raises(InvalidInputError, match="column 'label' must be of type Int8, got String"):
        check(table)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("label", [0, "real"], "row 1: column 'label' must be of type Int8, got 'real'"),
        ("label", [0, 1, 300], "row 2: column 'label' must be of type Int8, got 300"),
        ("frames", [1.5], r"row 0: column 'frames' must be of type Int64, got 1\.5"),
        ("person", ["a", 7], "row 1: column 'person' must be of type String, got 7"),
        ("parents", [["a"], "b"], "row 1: column 'parents' must be a list of ids, got 'b'"),
        ("parents", [[1]], r"row 0: column 'parents' must be a list of ids, got \[1\]"),
    ],
)
def test_a_python_value_of_another_type_is_refused(
    name: str, values: list[object], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        column(name, values)


def test_python_values_become_columns() -> None:
    assert column("label", [np.int64(1), None, 0]).to_list() == [1, None, 0]
    assert column("frames_per_second", [25, 29.97]).to_list() == [25.0, 29.97]
    assert column("parents", [[], None, ["a"]]).to_list() == [[], None, ["a"]]


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (pl.Series("label", ["0", "fake"]), "row 1: column 'label' must be of type Int8, got 'f"),
        (pl.Series("label", [0.0, 0.5]), r"row 1: column 'label' must be of type Int8, got 0\.5"),
        (pl.Series("label", [0, 300]), "row 1: column 'label' must be of type Int8, got 300"),
        (pl.Series("parents", ["a;b"]), "row 0: column 'parents' must be a list of ids, got 'a;b'"),
        (pl.Series("person", [["a"]]), r"row 0: column 'person' must be of type String, got"),
    ],
)
def test_a_conversion_that_would_lose_a_value_is_refused(series: pl.Series, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        converted(series)


@pytest.mark.parametrize(
    ("series", "wanted"),
    [
        (pl.Series("label", [0, 1, None], dtype=pl.Int64), [0, 1, None]),
        (pl.Series("label", [True, False]), [1, 0]),
        (pl.Series("crf", ["23", None, "40"]), [23, None, 40]),
        (pl.Series("frames", [270.0, None]), [270, None]),
        (pl.Series("person", [17, 4]), ["17", "4"]),
        (pl.Series("split", [None, None]), [None, None]),
        (pl.Series("parents", [None, None]), [None, None]),
    ],
)
def test_a_column_of_a_file_takes_the_type_of_the_catalog(
    series: pl.Series, wanted: list[object]
) -> None:
    result = converted(series)
    assert result.to_list() == wanted
    assert result.dtype == SCHEMA[series.name]


def test_converting_an_unknown_column_is_refused() -> None:
    with pytest.raises(NotFoundError, match=r"the catalog has no 'persn'; did you mean 'person'"):
        converted(pl.Series("persn", ["a"]))
