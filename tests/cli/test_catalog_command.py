import sys
from pathlib import Path

import pytest

from unmask.catalog import make_catalog, read_catalog
from unmask.cli.main import main


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    rows = [
        {"id": f"{person}/{crf}", "path": "x.mp4", "dataset": "d", "person": person, "crf": crf}
        for person in ("anna", "bert", "cleo", "dora")
        for crf in (23, 40)
    ]
    path = tmp_path / "catalog.parquet"
    make_catalog(rows, tmp_path).write(path)
    return path


def run(*arguments: object, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(sys, "argv", ["unmask", "catalog", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return ended.code
    return 0


def test_show_counts_items_and_people(
    catalog: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", catalog, monkeypatch=monkeypatch) == 0
    first = next(line for line in capsys.readouterr().out.splitlines() if "all" in line)
    assert {"8", "4"} <= set(first.split())


def test_filter_keeps_the_items_with_any_of_the_values(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "some.parquet"
    arguments = ["filter", catalog, "person=anna,bert", "crf=40", "--out", out]
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    assert read_catalog(out).table["id"].to_list() == ["anna/40", "bert/40"]


def test_split_puts_each_person_into_one_split(
    catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "split.parquet"
    arguments = ["split", catalog, "--out", out, "--fractions", "0.5,0.25,0.25"]
    assert run(*arguments, monkeypatch=monkeypatch) == 0
    splits = read_catalog(out).table.group_by("person").agg("split")["split"].to_list()
    assert all(len(set(of_one)) == 1 for of_one in splits)
    assert sorted({of_one[0] for of_one in splits}) == ["test", "train", "val"]


def test_join_refuses_an_item_that_stands_in_both(
    catalog: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["join", catalog, catalog, "--out", tmp_path / "both.parquet"]
    assert run(*arguments, monkeypatch=monkeypatch) == 2
    assert "column 'id' must be used once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["filter", "person"], "a condition must be column=value, got 'person'"),
        (["filter", "crf=low"], "crf must be compared with numbers, got 'low'"),
        (["filter", "persn=anna"], "did you mean 'person'?"),
        (["split", "--fractions", "half"], "fractions must be numbers with commas between"),
        (["split", "--crossing", "apart"], "crossing must be together or leave_out, got 'apart'"),
        (["verify"], "column 'path' must name a file that exists"),
    ],
)
def test_wrong_input_is_answered_with_what_to_do(
    arguments: list[str],
    message: str,
    catalog: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command, *rest = arguments
    out = [] if command == "verify" else ["--out", tmp_path / "out.parquet"]
    assert run(command, catalog, *rest, *out, monkeypatch=monkeypatch) == 2
    assert message in capsys.readouterr().err
