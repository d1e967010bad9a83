import csv
import io
import re
from dataclasses import replace

import pytest

from makers.study import make_result, make_study
from unmask.benchmark.results import Measured, Result
from unmask.benchmark.tables import (
    cross_quality_table,
    csv_table,
    interval_text,
    latex_table,
    latex_text,
    markdown_table,
    same_quality_table,
)
from unmask.errors import InvalidInputError, NotFoundError

DETECTORS = ("meso4", "xception")


def study(dataset: str = "openpeople") -> list[Result]:
    return [result for result, _ in make_study(DETECTORS, dataset=dataset)]


def test_same_quality_table_has_a_line_a_detector_and_a_column_a_quality() -> None:
    table = same_quality_table(study())
    assert table.columns == ("raw", "c23", "c40")
    assert [row.heads for row in table.rows] == [("meso4",), ("xception",)]
    (wanted,) = [
        one
        for one in study()
        if (one.detector, one.train.quality, one.test.quality) == ("xception", "c40", "c40")
    ]
    assert table.rows[1].cells[2].measured == wanted.measured("auc", "video")


def test_cross_quality_table_has_a_line_for_each_training_with_mixed_last() -> None:
    table = cross_quality_table(study())
    assert [row.heads[1] for row in table.rows] == ["raw", "c23", "c40", "mixed"] * 2
    assert all(cell.measured is not None for row in table.rows for cell in row.cells)


def test_best_of_a_column_is_the_lowest_where_lower_is_better() -> None:
    table = same_quality_table(study(), metric="eer")
    for place in range(3):
        values = [row.cells[place].measured.value for row in table.rows]  # type: ignore[union-attr]
        assert [row.cells[place].best for row in table.rows] == [
            value == min(values) for value in values
        ]


def test_oracle_rows_are_named_and_are_never_best() -> None:
    (result, _) = make_result()
    better = replace(result, oracle=True, video=make_result(detector="meso4")[0].video)
    table = same_quality_table([result, better])
    assert [row.heads[0] for row in table.rows] == ["xception", "xception (oracle)"]
    assert not table.rows[1].cells[0].best
    assert "Oracle: something was chosen on the test set" in table.notes[-1]


def test_published_value_stands_beside_ours_with_its_source() -> None:
    table = same_quality_table(study("deepfakemnist"), metric="accuracy", level="frame")
    text = markdown_table(table)
    assert "(published 0.924)" in text
    assert "Published: DeepFakeMnist+ (arXiv 2108.07949)" in text
    assert "published" not in markdown_table(same_quality_table(study("deepfakemnist")))


def test_missing_result_leaves_a_dash() -> None:
    results = [
        one for one in study() if not (one.detector == "meso4" and one.test.quality == "c40")
    ]
    text = markdown_table(same_quality_table(results))
    assert re.search(r"\| meso4 \|.*\| – \|\n", text)


def test_markdown_keeps_a_name_with_a_bar_in_its_cell() -> None:
    result, _ = make_result()
    text = markdown_table(same_quality_table([replace(result, detector="a|b\nc")]))
    assert r"| a\|b c |" in text


def test_csv_has_a_line_for_each_cell_that_a_program_reads_back() -> None:
    table = same_quality_table(study("deepfakemnist"), metric="accuracy", level="frame")
    rows = list(csv.DictReader(io.StringIO(csv_table(table))))
    assert len(rows) == 6
    cell = table.rows[1].cells[0]
    assert cell.measured is not None
    assert (rows[3]["detector"], rows[3]["tested_on"]) == ("xception", "raw")
    assert float(rows[3]["value"]) == cell.measured.value
    assert rows[3]["published"] == "0.9238"


def test_latex_escapes_names_and_uses_the_rules_of_booktabs() -> None:
    result, _ = make_result()
    text = latex_table(same_quality_table([replace(result, detector="net_v1 & 50 %")]))
    assert r"net\_v1 \& 50 \%" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{lr}"):
        assert rule in text
    assert latex_text("\\~^{}") == r"\textbackslash{}\textasciitilde{}\textasciicircum{}\{\}"


def test_measure_without_an_interval_shows_its_value_alone() -> None:
    assert interval_text(Measured(1.0, None, None, "")) == ""
    assert interval_text(Measured(0.5, 0.25, 0.75, "")) == "0.250–0.750"


def test_two_seeds_in_one_cell_are_refused_with_their_names() -> None:
    result, _ = make_result()
    with pytest.raises(
        InvalidInputError, match=r"come from one result, got compression-xception-.* "
    ):
        same_quality_table([result, replace(result, seed=5)])


def test_unknown_metric_is_answered_with_the_closest() -> None:
    with pytest.raises(
        NotFoundError, match="the metrics has no 'acuracy'; did you mean 'accuracy'"
    ):
        same_quality_table(study(), metric="acuracy")
