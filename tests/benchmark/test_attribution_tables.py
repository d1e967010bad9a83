import csv
from dataclasses import replace
from pathlib import Path

import pytest

from makers.attribution_study import MAKERS, make_attribution_study, make_result
from unmask.benchmark.attribution_results import (
    AttributionResult,
    OpenSetResult,
    read_attribution_results,
    read_open_set_results,
)
from unmask.benchmark.attribution_tables import (
    class_table,
    measures_table,
    open_set_table,
    published_table,
    rate_table,
    write_attribution_tables,
)
from unmask.benchmark.result_file import write_record
from unmask.benchmark.results import Part
from unmask.benchmark.tables import Cell, Table, latex_table, markdown_table
from unmask.errors import InvalidInputError, NotFoundError

RESULTS, UNKNOWN = make_attribution_study()


def cell(table: Table, *heads: str, column: str) -> Cell:
    (row,) = (one for one in table.rows if one.heads == heads)
    return row.cells[table.columns.index(column)]


def result(detector: str, tested: str) -> AttributionResult:
    (found,) = (one for one in RESULTS if (one.detector, one.test.quality) == (detector, tested))
    return found


def test_each_cell_of_the_rates_holds_the_accuracy_of_its_detector_and_quality() -> None:
    table = rate_table(RESULTS)
    assert table.columns == ("c0", "c10", "c23")
    assert [row.heads for row in table.rows] == [("dma_sta",), ("meso4",), ("guessing",)]
    for one in RESULTS:
        found = cell(table, one.detector, column=one.test.quality)
        assert found.measured == one.metrics["accuracy"]
    assert cell(table, "guessing", column="c0").measured.value == 1 / 5  # type: ignore[union-attr]
    assert table.shaded_from == 1 / 5


def test_best_of_each_column_is_marked_and_guessing_does_not_compete() -> None:
    table = rate_table(RESULTS)
    for column in table.columns:
        own, other = (cell(table, name, column=column) for name in ("dma_sta", "meso4"))
        assert own.measured is not None
        assert other.measured is not None
        assert own.best == (own.measured.value >= other.measured.value)
        assert not cell(table, "guessing", column=column).best


def test_smallest_log_loss_is_the_best() -> None:
    table = rate_table(RESULTS, metric="log_loss")
    values = {row.heads[0]: row.cells[1] for row in table.rows}
    assert values.keys() == {"dma_sta", "meso4"}
    (best,) = (name for name, one in values.items() if one.best)
    assert best == min(values, key=lambda name: values[name].measured.value)  # type: ignore[union-attr]
    assert table.shaded_from is None


def test_networks_trained_on_several_qualities_have_lines_of_their_own() -> None:
    mixed = [
        replace(one, train=Part("made", ("c0", "c10", "c23"), "train", MAKERS)) for one in RESULTS
    ]
    table = rate_table([*RESULTS, *mixed])
    heads = [row.heads for row in table.rows]
    assert heads[:2] == [("dma_sta", "c10"), ("dma_sta", "mixed")]
    assert heads[-1] == ("guessing", "5 classes")
    tested = [
        row.heads for row in measures_table([*RESULTS, *mixed]).rows if "dma_sta" in row.heads
    ]
    assert tested == [
        ("dma_sta", "c10"),
        *[("dma_sta", f"{quality}, trained on mixed") for quality in ("c0", "c10", "c23")],
    ]


def test_table_of_measures_has_those_that_were_taken_of_the_quality_trained_on() -> None:
    table = measures_table(RESULTS)
    assert table.title.endswith("tested on c10")
    found = cell(table, "meso4", column="Macro F1")
    assert found.measured == result("meso4", "c10").metrics["macro_f1"]
    assert "Lower is better: Log loss, Calibration error (ECE)." in table.notes


def test_classes_that_were_never_named_have_no_precision() -> None:
    first, *others = make_result().per_class
    lacking = replace(first, metrics={"recall": first.metrics["recall"]})
    table = class_table([replace(make_result(), per_class=(lacking, *others))], metric="precision")
    assert cell(table, "dma_sta", "c10", column=MAKERS[0]).measured is None
    assert cell(table, "dma_sta", "c10", column=MAKERS[1]).measured is not None


def test_open_set_tells_what_is_unknown_and_where_the_threshold_is_from() -> None:
    table = open_set_table(UNKNOWN)
    assert table is not None
    assert [row.heads for row in table.rows if row.heads[0] == "meso4"] == [
        ("meso4", "dfaker"),
        ("meso4", "iae"),
        ("meso4", "iae, threshold from dfaker"),
    ]
    one = next(of for of in UNKNOWN if (of.detector, of.left_out) == ("meso4", "iae"))
    assert cell(table, "meso4", "iae", column="AUROC").measured == one.unknown[0].metrics["auroc"]
    accepted = cell(table, "meso4", "iae", column="Known accepted")
    assert accepted.measured == one.known["accepted"]
    assert open_set_table(UNKNOWN, quality="c0") is None
    assert open_set_table([]) is None


def test_published_figures_stand_under_their_mark() -> None:
    text = markdown_table(published_table())
    assert "| about, in abstract and README | 0.70 |" in text
    assert "| recalled, not verified | 0.719 |" in text
    assert "not ours" in text


def test_every_table_is_written_three_times_and_those_of_an_earlier_run_go(tmp_path: Path) -> None:
    write_attribution_tables(RESULTS, UNKNOWN, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    kinds = ("rates_accuracy", "measures", "classes_f1", "published", "open_set_c10")
    wanted = {f"attribution_{kind}.{ending}" for kind in kinds for ending in ("md", "csv", "tex")}
    assert wanted <= names
    with (tmp_path / "attribution_rates_accuracy.csv").open() as file:
        rows = {(row["detector"], row["tested_on"]): row for row in csv.DictReader(file)}
    expected = result("meso4", "c23").metrics["accuracy"]
    assert float(rows["meso4", "c23"]["value"]) == expected.value
    assert float(rows["meso4", "c23"]["low"]) == expected.low

    write_attribution_tables(RESULTS, [], tmp_path)
    assert not list(tmp_path.glob("*open_set*"))


def test_latex_holds_no_letter_that_it_cannot_set() -> None:
    tables = [rate_table(RESULTS), measures_table(RESULTS), open_set_table(UNKNOWN)]
    for table in tables:
        assert table is not None
        assert set(latex_table(table)) - set(map(chr, range(128))) <= set("“”")


@pytest.mark.parametrize("place", range(3))
def test_results_are_read_as_they_were_written(tmp_path: Path, place: int) -> None:
    known, unknown = RESULTS[place], UNKNOWN[place]
    write_record(known, known.name, tmp_path)
    write_record(unknown, unknown.name, tmp_path)
    assert read_attribution_results(tmp_path) == [known]
    assert read_open_set_results(tmp_path) == [unknown]


def test_every_result_has_a_name_of_its_own() -> None:
    every: list[AttributionResult | OpenSetResult] = [*RESULTS, *UNKNOWN]
    assert len({one.name for one in every}) == len(every)
    assert RESULTS[0].name.startswith("attribution-dma_sta-made-c10-on-c0-")
    assert UNKNOWN[2].name.startswith("open_set-dma_sta-c10-without-iae-and-dfaker-")


def test_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="must hold results of attribution, got none in"):
        read_attribution_results(tmp_path)


def test_result_whose_keys_were_changed_is_refused(tmp_path: Path) -> None:
    path = write_record(RESULTS[0], RESULTS[0].name, tmp_path)
    path.write_text(path.read_text().replace('"confusion"', '"confusoin"'))
    with pytest.raises(InvalidInputError, match="has no 'confusoin'; did you mean 'confusion'"):
        read_attribution_results(tmp_path)
