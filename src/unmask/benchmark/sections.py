"""The sections of the report page, each made of results and their scores."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

import polars as pl
from matplotlib.figure import Figure

from unmask.benchmark import plots
from unmask.benchmark.markup import Markup, breakable, join, tag
from unmask.benchmark.measure import video_scores
from unmask.benchmark.pictures import Picture, data_uri
from unmask.benchmark.results import METRICS, Decisions, Level, Result
from unmask.benchmark.tables import Cell, Table, figure, interval_text, quality_order
from unmask.contracts import FAKE, REAL
from unmask.metrics.calibration import reliability
from unmask.metrics.ranking import roc

MOST_COLUMNS = 5  # that fit the width of the text
MOST_PICTURES = 24  # of one kind, so that the page stays small

Scores = Mapping[str, pl.DataFrame]  # by the name of the result


def representative(results: Sequence[Result]) -> list[Result]:
    """Return the results to draw: trained and tested on one quality, else all; no oracles."""
    honest = [one for one in results if not one.oracle] or list(results)
    same = [one for one in honest if one.train.qualities == one.test.qualities]
    return sorted(same or honest, key=lambda one: (quality_order(one.test.quality), one.name))


def table_element(table: Table) -> Markup:
    """Return a table of results; with two leading columns the first becomes group headings."""
    heads = [tag("th", one, scope="col") for one in table.heads[-1:]]
    heads += [tag("th", one, scope="col", class_="number") for one in table.columns]
    bodies = []
    for group, rows in groupby(table.rows, key=lambda row: row.heads[:-1]):
        lines = [
            tag(
                "tr",
                tag("th", breakable(row.heads[-1]), scope="row"),
                *(_cell(one, table.shaded_from) for one in row.cells),
            )
            for row in rows
        ]
        if group:
            wide = tag("th", *group, scope="rowgroup", colspan=1 + len(table.columns))
            lines.insert(0, tag("tr", wide, class_="group"))
        bodies.append(tag("tbody", *lines))
    whole = tag(
        "table",
        tag("caption", table.title),
        tag("thead", tag("tr", *heads)),
        *bodies,
    )
    notes = tag("ul", *(tag("li", one) for one in table.notes), class_="notes")
    width = "table wide" if len(table.columns) > MOST_COLUMNS else "table"
    return tag("div", tag("div", whole, class_=width), notes if table.notes else None)


def _cell(cell: Cell, shaded_from: float | None = None) -> Markup:
    if cell.measured is None:
        return tag("td", "–", class_="number")
    value = figure(cell.measured.value, cell.digits)
    heat = None
    if shaded_from is not None:
        heat = min(max((cell.measured.value - shaded_from) / (1 - shaded_from), 0.0), 1.0)
    interval = interval_text(cell.measured, digits=cell.digits)
    return tag(
        "td",
        tag("b", value) if cell.best else value,
        tag("small", interval) if interval else None,
        tag("small", f"publ. {figure(cell.published.value)}") if cell.published else None,
        class_="number heat" if heat is not None else "number",
        style=None if heat is None else f"--heat:{heat:.2f}",
    )


def intervals_element(results: Sequence[Result]) -> Markup:
    """Return every drawn result's AUC by video with its interval."""
    shown = representative(results)
    groups = {
        detector: [
            (one.test.quality, one.measured("auc", "video"))
            for one in shown
            if one.detector == detector
        ]
        for detector in sorted({one.detector for one in shown})
    }
    told = "; ".join(
        f"{detector} " + ", ".join(f"{name} {figure(one.value)}" for name, one in group)
        for detector, group in groups.items()
    )
    drawn = plots.interval_figure(groups, chance=0.5)
    return figure_element("AUC by video with 95 % intervals", drawn, f"AUC by video: {told}")


def all_measures_element(results: Sequence[Result], level: Level) -> Markup:
    """Return every measure of every drawn result in one wide table."""
    shown = representative(results)
    names = [name for name in METRICS if all(name in _metrics(one, level) for one in shown)]
    heads = [tag("th", one, scope="col") for one in ("Detector", "Tested on")]
    heads += [tag("th", METRICS[name].title, scope="col", class_="number") for name in names]
    lines = [
        tag(
            "tr",
            tag("th", breakable(one.detector), scope="row"),
            tag("td", one.test.quality),
            *(_cell(Cell(one.measured(name, level))) for name in names),
        )
        for one in shown
    ]
    caption = tag("caption", f"All measures by {level}; threshold chosen on validation")
    table = tag("table", caption, tag("thead", tag("tr", *heads)), tag("tbody", *lines))
    return tag("div", table, class_="table wide", tabindex=0)


def _metrics(result: Result, level: Level) -> Mapping[str, object]:
    return (result.frame if level == "frame" else result.video).metrics


def roc_element(results: Sequence[Result], scores: Scores) -> Markup:
    """Return one figure of ROC curves by video for each tested quality."""

    def drawn(quality: str, group: Sequence[Result]) -> Markup:
        named = {
            f"{one.detector} {figure(one.measured('auc', 'video').value)}": one for one in group
        }
        curves = {}
        for name, one in named.items():
            videos = video_scores(scores[one.name], rule=one.aggregate)
            curves[name] = roc(videos["score"].to_numpy(), videos["label"].to_numpy())
        told = f"ROC curves by video at {quality}, with AUC: {', '.join(named)}"
        return figure_element(quality, plots.roc_figure(curves), told)

    return _grouped(results, scores, lambda one: one.test.quality, drawn)


def calibration_element(results: Sequence[Result], scores: Scores) -> Markup:
    """Return one reliability diagram by face for each detector."""

    def drawn(detector: str, group: Sequence[Result]) -> Markup:
        curves, told = {}, []
        for one in group:
            rows = scores[one.name]
            bins = reliability(rows["score"].to_numpy(), rows["label"].to_numpy())
            curves[one.test.quality] = bins
            error = figure(one.measured("ece", "frame").value)
            told.append(f"{one.test.quality} {error}")
        words = f"Calibration error: {', '.join(told)}"
        return figure_element(
            detector, plots.reliability_figure(curves), f"Reliability of {detector}. {words}", words
        )

    return _grouped(results, scores, lambda one: one.detector, drawn)


def histogram_element(results: Sequence[Result], scores: Scores) -> Markup:
    """Return the spread of the scores of reals and fakes by face for each detector."""

    def drawn(detector: str, group: Sequence[Result]) -> Markup:
        rows = {
            one.test.quality: (
                scores[one.name]["score"].to_numpy(),
                scores[one.name]["label"].to_numpy(),
            )
            for one in group
        }
        thresholds = [one.thresholds.frame for one in group]
        told = f"Scores of {detector}: reals upwards, fakes downwards, at {', '.join(rows)}"
        return figure_element(detector, plots.histogram_figure(rows, thresholds), told)

    return _grouped(results, scores, lambda one: one.detector, drawn)


def _grouped(
    results: Sequence[Result],
    scores: Scores,
    key: Callable[[Result], str],
    drawn: Callable[[str, Sequence[Result]], Markup],
) -> Markup:
    shown = [one for one in representative(results) if one.name in scores]
    groups = {key(one): [other for other in shown if key(other) == key(one)] for one in shown}
    if not groups:
        return tag("p", "No scores are kept beside these results.", class_="lede")
    return tag("div", *(drawn(name, group) for name, group in groups.items()), class_="grid")


def figure_element(heading: str, drawn: Figure, told: str, caption: str | None = None) -> Markup:
    """Return a figure under its heading; `told` says it to those who do not see it."""
    return tag(
        "figure",
        tag("h3", heading),
        Markup(plots.svg(drawn, title=told)),
        tag("figcaption", caption) if caption else None,
    )


def decisions_element(results: Sequence[Result]) -> Markup:
    """Return the confusion matrix by video of each drawn result."""
    shown = sorted(representative(results), key=lambda one: one.detector)
    return tag("div", *(_decisions(one) for one in shown), class_="grid")


def _decisions(result: Result) -> Markup:
    found: Decisions = result.video.decisions
    rows = (
        ("real", ((found.true_negatives, "right"), (found.false_positives, "wrong"))),
        ("fake", ((found.false_negatives, "wrong"), (found.true_positives, "right"))),
    )
    lines = []
    for truth, cells in rows:
        total = sum(count for count, _ in cells)
        told = [
            tag(
                "td",
                count,
                tag("small", f"{100 * count / total:.0f} %"),
                class_=kind,
                style=f"--heat:{count / total:.2f}",
            )
            for count, kind in cells
        ]
        lines.append(tag("tr", tag("th", truth, scope="row", class_=truth), *told))
    heads = [tag("th", one, scope="col", class_="number") for one in ("judged real", "judged fake")]
    caption = tag("caption", f"{result.detector} · {result.test.quality}")
    corner = tag("th", "truth", scope="col")
    table = tag(
        "table",
        caption,
        tag("thead", tag("tr", corner, *heads)),
        tag("tbody", *lines),
        class_="decisions",
    )
    threshold = f"fake from {figure(result.thresholds.video)} on"
    return tag("figure", table, tag("figcaption", threshold))


def pictures_element(pictures: Sequence[Picture]) -> Markup:
    """Return the first pictures with their captions and, where known, scores on a scale."""
    more = len(pictures) - MOST_PICTURES
    return join(
        tag("div", *map(_picture, pictures[:MOST_PICTURES]), class_="pictures"),
        tag("p", f"and {more:,} more", class_="lede") if more > 0 else None,
    )


def _picture(picture: Picture) -> Markup:
    uri = data_uri(picture.image)
    shown = (
        tag("div", "no picture", class_="blank")
        if uri is None
        else tag("img", src=uri, alt=picture.caption, loading="lazy")
    )
    truth = {REAL: "real", FAKE: "fake", None: None}[picture.label]
    words = [tag("span", truth, class_=truth)] if truth else []
    if picture.score is not None:
        words.append(Markup(f"{' ' if words else ''}scored {figure(picture.score)}"))
    mark = (
        None
        if picture.score is None
        else tag(
            "div", tag("i", style=f"--at:{picture.score:.3f}"), class_="scale", aria_hidden="true"
        )
    )
    caption = tag(
        "figcaption",
        tag("strong", breakable(picture.caption)),
        join(*words) if words else None,
        tag("br") if words and picture.detail else None,
        picture.detail or None,
    )
    return tag("figure", shown, mark, caption)
