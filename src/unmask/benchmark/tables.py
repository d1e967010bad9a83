"""Tables of measures, those of a compression study among them, as Markdown, CSV and LaTeX."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.benchmark.results import METRICS, Level, Measured, Published, Result
from unmask.errors import InvalidInputError, unknown_name
from unmask.files import write_whole

MIXED = "mixed"


@dataclass(frozen=True)
class Cell:
    """A measure, its published value if there is one, and whether it is the best of its column.

    `digits` is how many decimals are shown.
    """

    measured: Measured | None
    published: Published | None = None
    best: bool = False
    digits: int = 3


@dataclass(frozen=True)
class Row:
    """One line: what stands before the cells, and the cells."""

    heads: tuple[str, ...]
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """A table of one measure.

    Args:
        title: one line, without a full stop.
        heads: the names of the leading columns.
        columns: the names of the others, such as the tested qualities.
        rows: the lines; each has as many heads and cells as there are columns of both.
        notes: what a reader has to know, published sources among it.
        level: what was measured, faces in frames or videos.
        metric: which measure the cells hold.
        across: what the columns are, in one word of the CSV file.
        shaded_from: the value from which on up to 1 cells are shaded; None shades none.
    """

    title: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    level: Level
    metric: str
    across: str = "tested_on"
    shaded_from: float | None = None


def same_quality_table(
    results: Sequence[Result], *, metric: str = "auc", level: Level = "video"
) -> Table:
    """Return detectors by quality, each trained and tested on the same one.

    Raises:
        NotFoundError: if there is no such metric.
        InvalidInputError: if two results fall into one cell.
    """
    same = [one for one in results if one.train.qualities == one.test.qualities]
    return _table(
        f"{_named(metric, level)}, trained and tested on the same quality",
        ("Detector",),
        same,
        lambda one: (_detector(one),),
        metric,
        level,
    )


def cross_quality_table(
    results: Sequence[Result], *, metric: str = "auc", level: Level = "video"
) -> Table:
    """Return detectors and the qualities they were trained on by the quality tested on.

    Raises:
        NotFoundError: if there is no such metric.
        InvalidInputError: if two results fall into one cell.
    """
    return _table(
        f"{_named(metric, level)}, trained on one quality and tested on another",
        ("Detector", "Trained on"),
        results,
        lambda one: (_detector(one), one.train.quality),
        metric,
        level,
    )


def markdown_table(table: Table) -> str:
    """Return the table in Markdown: value, interval and published value in each cell."""

    def line(cells: Iterable[str]) -> str:
        return (
            "| " + " | ".join(re.sub(r"\s+", " ", one).replace("|", r"\|") for one in cells) + " |"
        )

    rule = ["---"] * len(table.heads) + ["---:"] * len(table.columns)
    lines = [f"**{table.title}**", "", line([*table.heads, *table.columns]), line(rule)]
    lines += [line([*row.heads, *map(_markdown_cell, row.cells)]) for row in table.rows]
    lines += ["", *(f"- {note}" for note in table.notes)] if table.notes else []
    return "\n".join(lines) + "\n"


def csv_table(table: Table) -> str:
    """Return the table as CSV, one line for each cell that holds a measure."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    heads = [head.lower().replace(" ", "_") for head in table.heads]
    writer.writerow([*heads, table.across, "level", "metric", "value", "low", "high", "published"])
    for row in table.rows:
        for column, cell in zip(table.columns, row.cells, strict=True):
            if (one := cell.measured) is not None:
                published = cell.published.value if cell.published else None
                figures = [one.value, one.low, one.high, published]
                writer.writerow([*row.heads, column, table.level, table.metric, *figures])
    return file.getvalue()


def latex_table(table: Table, *, label: str = "tab:compression") -> str:
    """Return the table in LaTeX, for the package booktabs."""

    def line(cells: Iterable[str]) -> str:
        return "    " + " & ".join(cells) + r" \\"

    columns = "l" * len(table.heads) + "r" * len(table.columns)
    body = [line([*map(latex_text, row.heads), *map(_latex_cell, row.cells)]) for row in table.rows]
    notes = [rf"  \par\smallskip\footnotesize {latex_text(note)}" for note in table.notes]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{latex_text(table.title)}}}",
            rf"  \label{{{label}}}",
            rf"  \begin{{tabular}}{{{columns}}}",
            r"    \toprule",
            line(map(latex_text, [*table.heads, *table.columns])),
            r"    \midrule",
            *body,
            r"    \bottomrule",
            r"  \end{tabular}",
            *notes,
            r"\end{table}",
            "",
        ]
    )


def write_table(table: Table, folder: Path, name: str) -> None:
    """Write a table to `NAME.md`, `NAME.csv` and `NAME.tex`, each whole or not at all."""
    for ending, text in (
        ("md", markdown_table(table)),
        ("csv", csv_table(table)),
        ("tex", latex_table(table, label=f"tab:{name}")),
    ):
        write_whole(folder / f"{name}.{ending}", text.encode())


def latex_text(text: str) -> str:
    r"""Return text in which nothing is a command of LaTeX.

    Example:
        >>> print(latex_text("95 % of a_b"))
        95 \% of a\_b
    """
    named = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return re.sub(r"[\\~^&%$#_{}]", lambda one: named.get(one[0], "\\" + one[0]), text)


def figure(value: float, digits: int = 3) -> str:
    """Return a number with so many decimals, and commas from a thousand on."""
    return f"{value:,.{digits}f}"


def interval_text(measured: Measured, *, dash: str = "–", digits: int = 3) -> str:
    """Return the interval as `0.812–0.904`, or nothing where there is none."""
    if measured.low is None or measured.high is None:
        return ""
    return f"{figure(measured.low, digits)}{dash}{figure(measured.high, digits)}"


def quality_order(quality: str) -> tuple[int, int, str]:
    """Return a key that sorts raw before c0 ... c51 before other names before mixed."""
    if quality == "raw":
        return 0, 0, ""
    if re.fullmatch(r"c\d+", quality):
        return 1, int(quality[1:]), ""
    return (3 if quality == MIXED else 2), 0, quality


def _named(metric: str, level: Level) -> str:
    if metric not in METRICS:
        raise unknown_name("the metrics", metric, METRICS)
    return f"{METRICS[metric].title} by {level}"


def _detector(result: Result) -> str:
    return f"{result.detector} (oracle)" if result.oracle else result.detector


def _table(
    title: str,
    heads: tuple[str, ...],
    results: Sequence[Result],
    row_of: Callable[[Result], tuple[str, ...]],
    metric: str,
    level: Level,
) -> Table:
    columns = sorted({one.test.quality for one in results}, key=quality_order)
    found: dict[tuple[tuple[str, ...], str], Result] = {}
    for one in results:
        place = row_of(one), one.test.quality
        if place in found:
            raise InvalidInputError(
                f"a cell must come from one result, got {found[place].name} and {one.name}; "
                "keep one seed, data set and set of methods"
            )
        found[place] = one
    lines = sorted({row for row, _ in found}, key=lambda row: (row[0], quality_order(row[-1])))
    best = {column: _best(found, column, metric, level) for column in columns}
    rows = tuple(
        Row(line, tuple(_cell(found.get((line, one)), metric, level, best[one]) for one in columns))
        for line in lines
    )
    return Table(
        title=title,
        heads=heads,
        columns=tuple(columns),
        rows=rows,
        notes=_notes(rows, results),
        level=level,
        metric=metric,
        shaded_from=0.5 if METRICS[metric].higher_is_better else None,
    )


def _best(
    found: dict[tuple[tuple[str, ...], str], Result], column: str, metric: str, level: Level
) -> float | None:
    """Return the best value of a column with a choice; oracle rows do not compete."""
    values = [
        one.measured(metric, level).value
        for (_, tested), one in found.items()
        if tested == column and not one.oracle
    ]
    if len(values) < 2:
        return None
    return max(values) if METRICS[metric].higher_is_better else min(values)


def _cell(result: Result | None, metric: str, level: Level, best: float | None) -> Cell:
    if result is None:
        return Cell(None)
    measured = result.measured(metric, level)
    published = [one for one in result.published if (one.metric, one.level) == (metric, level)]
    is_best = not result.oracle and measured.value == best
    return Cell(measured, published[0] if published else None, is_best)


def _notes(rows: Sequence[Row], results: Sequence[Result]) -> tuple[str, ...]:
    cells = [cell for row in rows for cell in row.cells]
    remarks: dict[str, dict[str, None]] = {}
    for cell in cells:
        if cell.published:
            told = dict.fromkeys(cell.published.note.split("; ") if cell.published.note else [])
            remarks.setdefault(cell.published.source, {}).update(told)
    sources = [
        f"Published: {source}" + (f" ({'; '.join(told)})" if told else "") + "."
        for source, told in sorted(remarks.items())
    ]
    oracle = (
        ["Oracle: something was chosen on the test set itself; no figure to compare with."]
        if any(one.oracle for one in results)
        else []
    )
    return tuple(interval_notes(rows) + sources + oracle)


def interval_notes(rows: Sequence[Row]) -> list[str]:
    """Return one line on how the intervals of the cells were made; none where there is no cell."""
    cells = [cell for row in rows for cell in row.cells]
    methods = {cell.measured.method for cell in cells if cell.measured}
    return [f"Intervals: {'; '.join(sorted(methods))}."] if methods else []


def _markdown_cell(cell: Cell) -> str:
    if cell.measured is None:
        return "–"
    value = figure(cell.measured.value, cell.digits)
    parts = [f"**{value}**" if cell.best else value]
    if interval := interval_text(cell.measured, digits=cell.digits):
        parts.append(f"[{interval}]")
    if cell.published:
        parts.append(f"(published {figure(cell.published.value)})")
    return " ".join(parts)


def _latex_cell(cell: Cell) -> str:
    if cell.measured is None:
        return "--"
    value = figure(cell.measured.value, cell.digits)
    parts = [rf"\textbf{{{value}}}" if cell.best else value]
    if interval := interval_text(cell.measured, dash="--", digits=cell.digits):
        parts.append(rf"{{\scriptsize [{interval}]}}")
    if cell.published:
        parts.append(rf"{{\scriptsize (publ.\ {figure(cell.published.value)})}}")
    return " ".join(parts)
