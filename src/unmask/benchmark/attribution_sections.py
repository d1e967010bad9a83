"""The sections of the attribution page that are made of figures."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from unmask.benchmark import plots
from unmask.benchmark.attribution_results import CLASS_MEASURES, AttributionResult, OpenSetResult
from unmask.benchmark.attribution_tables import (
    alike,
    asked_alike,
    class_table,
    measured_names,
    measures_table,
    open_set_table,
    rate_table,
)
from unmask.benchmark.layout import lede
from unmask.benchmark.markup import Markup, join, tag
from unmask.benchmark.results import Measured
from unmask.benchmark.sections import figure_element, table_element
from unmask.benchmark.tables import figure, quality_order
from unmask.metrics.ranking import roc
from unmask.metrics.tally import FloatArray

Confidences = Mapping[str, tuple[FloatArray, FloatArray]]


def results_element(results: Sequence[AttributionResult]) -> Markup:
    """Return the accuracy at each quality, and every other measure."""
    others = [
        table_element(rate_table(results, metric=name))
        for name in measured_names(results)
        if name != "accuracy"
    ]
    return join(
        lede(
            "How often the maker of a video is named; by guessing it is "
            f"{figure(results[0].chance)}. Bold is the best of its column."
        ),
        tag("div", table_element(rate_table(results)), _intervals(results), class_="pair"),
        table_element(measures_table(results)),
        tag("details", tag("summary", "Every measure at every quality"), *others),
    )


def _intervals(results: Sequence[AttributionResult]) -> Markup:
    groups: dict[str, list[tuple[str, Measured]]] = {}
    for one in alike(results):
        mixed = len(one.train.qualities) > 1
        told = f"{one.test.quality}, mixed" if mixed else one.test.quality
        groups.setdefault(one.detector, []).append((told, one.metrics["accuracy"]))
    told = "; ".join(
        f"{detector} " + ", ".join(f"{name} {figure(one.value)}" for name, one in group)
        for detector, group in groups.items()
    )
    drawn = plots.interval_figure(groups, chance=results[0].chance)
    return figure_element("Accuracy with 95 % intervals", drawn, f"Accuracy by video: {told}")


def confusion_element(results: Sequence[AttributionResult]) -> Markup:
    """Return the confusion matrices, those at other qualities than trained on folded away."""
    shown = alike(results)
    others = [one for one in results if one not in shown]
    return join(
        lede(
            "Each row holds the videos of one maker: how many percent of them, and below how many, "
            "were given each name. The diagonal is right."
        ),
        tag("div", *map(_matrix, shown), class_="grid"),
        tag(
            "details",
            tag("summary", f"At other qualities than trained on ({len(others)})"),
            tag("div", *map(_matrix, others), class_="grid"),
        )
        if others
        else None,
    )


def _matrix(result: AttributionResult) -> Markup:
    name = f"{result.detector} · {result.test.quality}"
    if result.test.qualities != result.train.qualities:
        name += f", trained on {result.train.quality}"
    rows = zip(result.classes, result.confusion, strict=True)
    told = "; ".join(f"{maker}: {', '.join(map(str, counts))}" for maker, counts in rows)
    drawn = plots.confusion_figure(result.classes, result.confusion)
    return figure_element(name, drawn, f"Confusion matrix of {name}. Named, by maker: {told}")


def classes_element(results: Sequence[AttributionResult]) -> Markup:
    """Return how each class alone is named."""
    tables = [
        tag(
            "details",
            tag("summary", f"{title} of each class at every quality"),
            table_element(class_table(results, metric=name)),
        )
        for name, title in CLASS_MEASURES.items()
    ]
    return join(
        lede("How often a video of each maker is given its name, with 95 % intervals."),
        tag("div", *map(_recalls, alike(results)), class_="grid"),
        *tables,
    )


def _recalls(result: AttributionResult) -> Markup:
    found = [(one.name, one.metrics["recall"]) for one in result.per_class if one.videos]
    told = ", ".join(f"{name} {figure(one.value)}" for name, one in found)
    tested = result.test.quality + (", mixed" if len(result.train.qualities) > 1 else "")
    drawn = plots.interval_figure({tested: found}, chance=result.chance)
    return figure_element(
        result.detector, drawn, f"Recall of {result.detector} at {tested}: {told}"
    )


def open_set_element(results: Sequence[OpenSetResult], confidences: Confidences) -> Markup | None:
    """Return how well networks say that they do not know a maker; None where none was asked.

    Args:
        results: of makers that were left out.
        confidences: by the name of such a result, those of videos of known makers and of the
            unknown one, in [0, 1].
    """
    own = open_set_table(results)
    if own is None:
        return None
    first, shown = results[0], asked_alike(results)
    others = sorted(
        {one.test.quality for one in results if one not in shown},
        key=quality_order,
    )
    tables = [open_set_table(results, quality=one) for one in others]
    drawn = [one for one in shown if one.name in confidences]
    groups = groupby(sorted(drawn, key=lambda one: one.detector), key=lambda one: one.detector)
    figures = [_unknown_figures(name, list(group), confidences) for name, group in groups]
    return join(
        lede(
            "A maker was left out of the training; its videos should be refused. A video is "
            f"accepted from a threshold of the confidence ({first.threshold.rule}) on, chosen on "
            "validation: so that known videos pass, or where a second maker was left out, too, "
            "between those and its videos. Known makers are the positives; OSCR is the AUROC in "
            "which a wrongly named video never wins."
        ),
        tag("div", table_element(own), class_="dense"),
        tag("div", *(one for pair in figures for one in pair), class_="grid"),
        *(
            tag(
                "details",
                tag("summary", f"Tested at {quality}"),
                tag("div", table_element(table), class_="dense"),
            )
            for quality, table in zip(others, tables, strict=True)
            if table
        ),
    )


def _asked_about(result: OpenSetResult) -> str:
    name = result.left_out or "real"
    if result.test.quality == result.train.quality:
        return name
    return f"{name} at {result.test.quality}, {result.train.quality}"


def _unknown_figures(
    detector: str, results: Sequence[OpenSetResult], confidences: Confidences
) -> list[Markup]:
    """Return the curves of one detector and how its confidences are spread."""
    shown = [one for one in results if not one.held_out] or list(results)
    names = {one.name: _asked_about(one) for one in shown}
    curves, rows = {}, {}
    for one in shown:
        known, unknown = confidences[one.name]
        values = np.concatenate([known, unknown])
        is_known = np.repeat([1, 0], [len(known), len(unknown)])
        auroc = figure(one.unknown[0].metrics["auroc"].value)
        curves[f"{names[one.name]} {auroc}"] = roc(values, is_known)
        rows[names[one.name]] = (values, 1 - is_known)
    across = {"across": "unknown accepted", "upwards": "known accepted"}
    told = f"Known makers told from the one left out by {detector}: {', '.join(curves)}"
    spread = (
        f"Confidences of {detector}: known makers upwards, the one left out downwards, the "
        "threshold dashed"
    )
    return [
        figure_element(f"{detector} · curves", plots.roc_figure(curves, **across), told),
        figure_element(
            f"{detector} · confidence",
            plots.histogram_figure(
                rows, [one.threshold.value for one in shown], across="confidence"
            ),
            spread,
            "Known makers upwards, the one left out downwards; the threshold is dashed.",
        ),
    ]
