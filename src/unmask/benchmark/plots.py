"""Figures of scores, drawn with Matplotlib's objects, to be saved or set into a page."""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unmask.benchmark.results import Measured
from unmask.contracts import FAKE, REAL
from unmask.metrics.calibration import Reliability
from unmask.metrics.ranking import Roc
from unmask.metrics.tally import FloatArray, IntArray

# Named by what they are for, so that a page can exchange them for those of its dark theme.
# The series are hues of Okabe and Ito ("Color Universal Design", 2008), dark enough for lines.
COLOURS = {
    "ink": "#1d2327",
    "muted": "#5b656d",
    "rule": "#d5dadd",
    "paper": "#fdfdfc",
    "series-1": "#0b6aa8",
    "series-2": "#c2500a",
    "series-3": "#0a7f5f",
    "series-4": "#a5497f",
    "series-5": "#8a6d00",
    "series-6": "#3f4b9e",
}
SERIES = [colour for name, colour in COLOURS.items() if name.startswith("series")]
DASHES = ["-", (0, (5, 1.6)), (0, (1.4, 1.2)), (0, (6, 1.5, 1.3, 1.5))]
MARKERS = ["o", "s", "^", "D", "v", "P"]
REAL_COLOUR, FAKE_COLOUR = COLOURS["series-1"], COLOURS["series-2"]
MOST_POINTS = 400  # of a curve: more are not seen, and weigh

HEADING: Mapping[str, Any] = {
    "xycoords": ("axes fraction", "data"),
    "textcoords": "offset points",
    "va": "center",
    "weight": "bold",
    "bbox": {"facecolor": COLOURS["paper"], "edgecolor": "none", "pad": 1.5},
}
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "unmask",
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.labelcolor": COLOURS["muted"],
    "ytick.labelcolor": COLOURS["muted"],
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.grid": True,
    "grid.color": COLOURS["rule"],
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.5,
}


def roc_figure(
    curves: Mapping[str, Roc],
    *,
    across: str = "reals judged fake",
    upwards: str = "fakes judged fake",
) -> Figure:
    """Return the operating points of each named detector as one curve.

    Args:
        curves: by name.
        across: what the false positives are.
        upwards: what the true positives are.
    """
    with _figure(3.4, 3.3) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (2, 2)))
        for (name, curve), colour, dash in zip(
            curves.items(), cycle(SERIES), cycle(DASHES), strict=False
        ):
            kept = _thinned(len(curve.thresholds))
            axes.plot(
                curve.false_positive_rate[kept],
                curve.true_positive_rate[kept],
                color=colour,
                linestyle=dash,
                label=name,
            )
        _unit_square(axes, across, upwards)
        axes.legend(loc="lower right", handlelength=2.6)
    return figure


def reliability_figure(curves: Mapping[str, Reliability]) -> Figure:
    """Return the share of fakes over the mean score of each bin, dots as large as bins are full."""
    with _figure(3.4, 3.3) as (figure, axes):
        axes.plot([0, 1], [0, 1], color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (2, 2)))
        for (name, curve), colour, marker in zip(
            curves.items(), cycle(SERIES), cycle(MARKERS), strict=False
        ):
            full = curve.counts > 0
            sizes = 6 + 110 * curve.counts[full] / curve.counts.sum()
            x, y = curve.mean_score[full], curve.fake_share[full]
            axes.plot(x, y, color=colour, linewidth=1, alpha=0.45)
            axes.scatter(x, y, sizes, color=colour, marker=marker, linewidths=0, label=name)
        _unit_square(axes, "mean score", "share of fakes")
        legend = axes.legend(loc="upper left", handletextpad=0.3)
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_sizes([22])  # type: ignore[attr-defined]
    return figure


def histogram_figure(
    rows: Mapping[str, tuple[FloatArray, IntArray]],
    thresholds: Sequence[float],
    *,
    across: str = "score",
) -> Figure:
    """Return for each named row how the scores (n,) of both labels (n,) are spread.

    The reals stand upwards and the fakes hang downwards, each as a share of its class; the
    thresholds are drawn across.

    Args:
        rows: scores in [0, 1] and labels, by name.
        thresholds: one for each row.
        across: what the scores are.
    """
    with _style():
        figure = Figure(figsize=(3.4, 0.5 + 0.95 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), 1, sharex=True, squeeze=False)
        for axes, (name, (scores, labels)), threshold in zip(
            grid[:, 0], rows.items(), thresholds, strict=True
        ):
            _mirrored(axes, scores, labels)
            axes.axvline(threshold, color=COLOURS["ink"], linewidth=0.9, linestyle=(0, (3, 2)))
            axes.set_ylabel(name, rotation=0, ha="right", va="center", color=COLOURS["ink"])
        grid[-1, 0].set_xlabel(across)
    return figure


def interval_figure(rows: Mapping[str, Sequence[tuple[str, Measured]]], *, chance: float) -> Figure:
    """Return values with their intervals, one line each.

    Args:
        rows: for each detector the named measures, in the order of the lines.
        chance: the value of a detector that knows nothing, drawn as a line.
    """
    lines = sum(len(group) + 1 for group in rows.values())
    with _figure(3.4, 0.45 + 0.2 * lines) as (figure, axes):
        axes.axvline(chance, color=COLOURS["muted"], linewidth=0.8, linestyle=(0, (2, 2)))
        labels: list[str] = []
        for (name, group), colour, marker in zip(
            rows.items(), cycle(SERIES), cycle(MARKERS), strict=False
        ):
            axes.annotate(name, (0, len(labels)), (2, 0), color=colour, **HEADING)
            labels.append("")
            for label, one in group:
                if one.low is not None and one.high is not None:
                    axes.plot([one.low, one.high], [len(labels)] * 2, color=colour, linewidth=2)
                axes.plot(one.value, len(labels), marker, color=colour, markersize=5)
                labels.append(label)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, labelcolor=COLOURS["ink"])
        axes.spines["left"].set_visible(False)
        measured = [one for group in rows.values() for _, one in group]
        lowest = min([chance, *(one.value if one.low is None else one.low for one in measured)])
        axes.set_xlim(max(0.0, lowest - 0.03), 1.012)
    return figure


def confusion_figure(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> Figure:
    """Return how many items of each class were given each class, shaded by the share of the row.

    Args:
        classes: their names.
        counts: a row for each true class, a column for each class that was given.
    """
    matrix = np.asarray(counts, dtype=np.float64)
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    with _figure(3.4, 0.75 + 0.44 * len(classes)) as (figure, axes):
        for (row, column), share in np.ndenumerate(shares):
            colour = COLOURS["series-1" if row == column else "series-2"]
            # No darker, so that the ink is read on it in both themes of a page.
            box = Rectangle((column, row), 1, 1, facecolor=colour, alpha=0.5 * share, linewidth=0)
            axes.add_patch(box)
            middle: dict[str, Any] = {"x": column + 0.5, "ha": "center", "va": "center"}
            if not matrix[row, column]:
                axes.text(y=row + 0.5, s="0", color=COLOURS["muted"], **middle)
                continue
            axes.text(y=row + 0.38, s=f"{100 * share:.0f} %", weight="bold", **middle)
            count = f"{matrix[row, column]:.0f}"
            axes.text(y=row + 0.74, s=count, size=7, color=COLOURS["muted"], **middle)
        edges = np.arange(len(classes) + 1)
        axes.set(xlim=(0, len(classes)), ylim=(len(classes), 0), xlabel="named", ylabel="made by")
        axes.set_xticks(edges[:-1] + 0.5, classes, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_yticks(edges[:-1] + 0.5, classes)
        axes.grid(visible=False)
        axes.hlines(edges, 0, len(classes), color=COLOURS["rule"], linewidth=0.5)
        axes.vlines(edges, 0, len(classes), color=COLOURS["rule"], linewidth=0.5)
        axes.tick_params(length=0, labelcolor=COLOURS["ink"])
        axes.spines[:].set_visible(False)
    return figure


LONG_NAME = 16  # letters: two such names do not fit side by side


def curves_figure(
    curves: Mapping[str, Sequence[tuple[float, Measured]]],
    *,
    across: str,
    upwards: str,
    ticks: Mapping[float, str],
) -> Figure:
    """Return shares over a number, one line with its intervals for each name.

    Args:
        curves: for each name the points from left to right.
        across: what the number is.
        upwards: what the share is.
        ticks: the marks of the number and what they are called.
    """
    columns = 1 if any(len(name) > LONG_NAME for name in curves) else 2
    rows = -(-len(curves) // columns)
    with _figure(3.4, 2.4 + 0.16 * rows) as (figure, axes):
        for (name, points), colour, marker, dash in zip(
            curves.items(), cycle(SERIES), cycle(MARKERS), cycle(DASHES), strict=False
        ):
            x = [at for at, _ in points]
            values = [one.value for _, one in points]
            low = [one.value if one.low is None else one.low for _, one in points]
            high = [one.value if one.high is None else one.high for _, one in points]
            axes.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
            axes.plot(x, values, color=colour, linestyle=dash, marker=marker, ms=4, label=name)
        axes.set(ylim=(-0.03, 1.03), xlabel=across, ylabel=upwards)
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", ".25", ".5", ".75", "1"])
        figure.legend(loc="outside upper left", ncols=columns, handlelength=2.6, borderaxespad=0)
    return figure


def svg(figure: Figure, *, title: str) -> str:
    """Return the figure as an `svg` element for a page, in the page's own colours and font.

    Args:
        figure: one of this module's.
        title: what it shows, for those who do not see it.
    """
    with _style():
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue().decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    used = set(re.findall(r"#([\w-]+)[)\"]", text))
    text = re.sub(r' id="([\w.-]+)"', lambda one: one[0] if one[1] in used else "", text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", text)
    for name, colour in COLOURS.items():
        text = text.replace(colour, f"var(--{name})")
    view = re.search(r'viewBox="[^"]*"', text)
    opening = f'<svg {view[0] if view else ""} role="img" aria-label="{escape(title)}">'
    text = re.sub(r"<svg[^>]*>", lambda _: opening, text, count=1, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", text)


@contextmanager
def _style() -> Iterator[None]:
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        yield


@contextmanager
def _figure(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    with _style():
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots()


def _unit_square(axes: Axes, across: str, upwards: str) -> None:
    ticks = [0, 0.25, 0.5, 0.75, 1]
    axes.set(xlim=(-0.015, 1.015), ylim=(-0.015, 1.015), xlabel=across, ylabel=upwards)
    axes.set_xticks(ticks, ["0", ".25", ".5", ".75", "1"])
    axes.set_yticks(ticks, ["0", ".25", ".5", ".75", "1"])
    axes.set_aspect("equal")


def _mirrored(axes: Axes, scores: FloatArray, labels: IntArray) -> None:
    edges = np.linspace(0, 1, 26)
    for label, sign, colour in ((REAL, 1, REAL_COLOUR), (FAKE, -1, FAKE_COLOUR)):
        counts, _ = np.histogram(scores[labels == label], edges)
        shares = sign * counts / max(counts.sum(), 1)
        axes.bar(edges[:-1], shares, 1 / 25, align="edge", color=colour, linewidth=0)
    axes.axhline(0, color=COLOURS["muted"], linewidth=0.6)
    reach = 1.08 * max(abs(end) for end in axes.get_ylim())
    axes.set(xlim=(0, 1), ylim=(-reach, reach))
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(axis="x", length=0)


def _thinned(count: int) -> IntArray:
    """Return the places of at most MOST_POINTS points, both ends among them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(np.int64))
