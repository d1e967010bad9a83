"""The tables of the attribution protocol."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from unmask.benchmark.attribution_published import PUBLISHED, READ, SOURCE
from unmask.benchmark.attribution_results import (
    CLASS_MEASURES,
    KNOWN_MEASURES,
    MEASURES,
    PROTOCOL,
    UNKNOWN_MEASURES,
    AttributionResult,
    OpenSetResult,
)
from unmask.benchmark.results import Measured, Metric
from unmask.benchmark.study import keep_only
from unmask.benchmark.tables import Cell, Row, Table, interval_notes, quality_order, write_table

CHANCE = "guessing"
CHOSEN_ON_TEST = "The published network was chosen on its test set, ours on validation."


def rate_table(results: Sequence[AttributionResult], *, metric: str = "accuracy") -> Table:
    """Return detectors, and what they were trained on, by the quality tested on."""
    columns = sorted({one.test.quality for one in results}, key=quality_order)
    trained = sorted({one.train.quality for one in results}, key=quality_order)
    count = 1 if len(trained) == 1 else 2  # a column of equal words says less than the title
    lines: dict[tuple[str, ...], dict[str, Measured]] = {}
    for one in _ordered(results):
        cells = lines.setdefault((one.detector, one.train.quality)[:count], {})
        if metric in one.metrics:
            cells[one.test.quality] = one.metrics[metric]
    better = MEASURES[metric].higher_is_better
    best = {name: _best([found.get(name) for found in lines.values()], better) for name in columns}
    rows = [
        Row(heads, tuple(_cell(found.get(name), best[name]) for name in columns))
        for heads, found in lines.items()
    ]
    chance = results[0].chance
    if metric in ("accuracy", "balanced_accuracy"):
        guessed = Measured(chance, None, None, "")
        told = (CHANCE, f"{len(results[0].classes)} classes")[:count]
        rows.append(Row(told, (Cell(guessed),) * len(columns)))
    return _table(
        f"{MEASURES[metric].title} by video, trained on {' or '.join(trained)}, by the quality "
        "tested on",
        ("Detector", "Trained on")[:count],
        columns,
        rows,
        metric,
        "tested_on",
        shaded_from=chance if better else None,
    )


def measures_table(results: Sequence[AttributionResult]) -> Table:
    """Return detectors by every measure, each tested on the quality that it was trained on."""
    shown = alike(results)
    columns = {
        name: one for name, one in MEASURES.items() if any(name in of.metrics for of in shown)
    }
    best = {
        name: _best([of.metrics.get(name) for of in shown], one.higher_is_better)
        for name, one in columns.items()
    }
    tested = {_tested(one) for one in shown}
    count = 1 if len(tested) == 1 else 2
    rows = [
        Row(
            (one.detector, _tested(one))[:count],
            tuple(_cell(one.metrics.get(name), best[name]) for name in columns),
        )
        for one in shown
    ]
    return _table(
        f"Every measure by video, tested on {' or '.join(sorted(tested))}",
        ("Detector", "Tested on")[:count],
        _titles(columns),
        rows,
        "measure",
        "measure",
        notes=[_lower_is_better(columns)],
    )


def class_table(results: Sequence[AttributionResult], *, metric: str) -> Table:
    """Return detectors and tests by one measure of `CLASS_MEASURES`, class by class."""
    columns = results[0].classes
    rows = []
    for one in _ordered(results):
        found = {of.name: of.metrics.get(metric) for of in one.per_class}
        rows.append(
            Row((one.detector, _tested(one)), tuple(Cell(found.get(name)) for name in columns))
        )
    return _table(
        f"{CLASS_MEASURES[metric]} of each class by video",
        ("Detector", "Tested on"),
        columns,
        rows,
        metric,
        "class",
        shaded_from=0.0,
    )


def open_set_table(results: Sequence[OpenSetResult], *, quality: str | None = None) -> Table | None:
    """Return detectors and what they do not know by how well they say so; None without any.

    Where a maker was left out it is that one; where all are known it is reals.

    Args:
        results: of any tests.
        quality: the tested quality; by default those of the training, or all where none of these
            was tested.
    """
    shown = (
        asked_alike(results)
        if quality is None
        else [one for one in results if one.test.quality == quality]
    )
    rows = [
        Row(
            (one.detector, _unknown(one)),
            (
                *(Cell(one.unknown[0].metrics.get(name)) for name in UNKNOWN_MEASURES),
                *(Cell(one.known.get(name)) for name in KNOWN_MEASURES),
            ),
        )
        for one in sorted(shown, key=_open_order)
    ]
    if not rows:
        return None
    return _table(
        "Refusing what was left out of the training, by video",
        ("Detector", "Unknown"),
        _titles(UNKNOWN_MEASURES | KNOWN_MEASURES),
        rows,
        "measure",
        "measure",
        notes=[_lower_is_better(UNKNOWN_MEASURES)],
    )


def published_table() -> Table:
    """Return the published accuracies of DMA-STA, each line under its mark."""
    columns = tuple(dict.fromkeys(name for found in PUBLISHED.values() for name in found))
    rows = []
    for mark, found in PUBLISHED.items():
        values = (found.get(name) for name in columns)
        told = [None if one is None else Measured(one, None, None, mark) for one in values]
        rows.append(Row((mark,), tuple(Cell(one, digits=2 if mark == READ else 3) for one in told)))
    return Table(
        title="DMA-STA on DFDM at crf 10: accuracy, not ours",
        heads=("Where from",),
        columns=columns,
        rows=tuple(rows),
        notes=(f"{SOURCE}.", CHOSEN_ON_TEST),
        level="video",
        metric="accuracy",
        across="maker",
    )


def alike(results: Sequence[AttributionResult]) -> list[AttributionResult]:
    """Return the results tested on the quality of their training, the mixed ones at each."""
    ordered = _ordered(results)
    same = [one for one in ordered if one.test.quality in one.train.qualities]
    return same or ordered


def asked_alike(results: Sequence[OpenSetResult]) -> list[OpenSetResult]:
    """Return what `alike` does, of results with unknown makers."""
    same = [one for one in results if one.test.quality in one.train.qualities]
    return same or list(results)


def write_attribution_tables(
    results: Sequence[AttributionResult], unknown: Sequence[OpenSetResult], folder: Path
) -> None:
    """Write every table as Markdown, CSV and LaTeX; those of an earlier run are deleted."""
    tables: dict[str, Table | None] = {
        **{f"rates_{name}": rate_table(results, metric=name) for name in measured_names(results)},
        "measures": measures_table(results),
        **{f"classes_{name}": class_table(results, metric=name) for name in CLASS_MEASURES},
        "published": published_table(),
    }
    for quality in {one.test.quality for one in unknown}:
        tables[f"open_set_{quality}"] = open_set_table(unknown, quality=quality)
    written = {f"{PROTOCOL}_{name}": table for name, table in tables.items() if table}
    for name, table in written.items():
        write_table(table, folder, name)
    for ending in ("md", "csv", "tex"):
        keep_only(folder, f"{PROTOCOL}_*.{ending}", written)


def measured_names(results: Sequence[AttributionResult]) -> list[str]:
    """Return those of `MEASURES` that could be measured."""
    return [name for name in MEASURES if any(name in one.metrics for one in results)]


def _tested(result: AttributionResult) -> str:
    if result.train.quality == result.test.quality:
        return result.test.quality
    return f"{result.test.quality}, trained on {result.train.quality}"


def _unknown(result: OpenSetResult) -> str:
    parts = [result.unknown[0].name]
    if result.held_out:
        parts.append(f"threshold from {result.held_out}")
    if result.test.quality != result.train.quality:
        parts.append(f"{result.test.quality}, trained on {result.train.quality}")
    return ", ".join(parts)


def _ordered(results: Sequence[AttributionResult]) -> list[AttributionResult]:
    """Return results by detector, as first named, then by training and test."""
    detectors = list(dict.fromkeys(one.detector for one in results))

    def key(one: AttributionResult) -> tuple[object, ...]:
        qualities = quality_order(one.train.quality), quality_order(one.test.quality)
        return detectors.index(one.detector), *qualities

    return sorted(results, key=key)


def _open_order(result: OpenSetResult) -> tuple[object, ...]:
    order = (quality_order(one) for one in (result.train.quality, result.test.quality))
    return result.detector, not result.left_out, result.left_out, result.held_out, *order


def _titles(metrics: Mapping[str, Metric]) -> list[str]:
    return [one.title for one in metrics.values()]


def _lower_is_better(metrics: Mapping[str, Metric]) -> str:
    names = [one.title for one in metrics.values() if not one.higher_is_better]
    return f"Lower is better: {', '.join(names)}."


def _best(found: Sequence[Measured | None], higher_is_better: bool) -> float | None:
    """Return the best value of a column with a choice."""
    values = [one.value for one in found if one]
    choose: Callable[[list[float]], float] = max if higher_is_better else min
    return choose(values) if len(values) > 1 else None


def _cell(measured: Measured | None, best: float | None) -> Cell:
    return Cell(measured, best=measured is not None and measured.value == best)


def _table(
    title: str,
    heads: tuple[str, ...],
    columns: Sequence[str],
    rows: Sequence[Row],
    metric: str,
    across: str,
    *,
    shaded_from: float | None = None,
    notes: Sequence[str] = (),
) -> Table:
    intervals = interval_notes([row for row in rows if row.heads[0] != CHANCE])
    return Table(
        title=title,
        heads=heads,
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*notes, *intervals),
        level="video",
        metric=metric,
        across=across,
        shaded_from=shaded_from,
    )
