import io
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from unmask.benchmark.plots import (
    COLOURS,
    histogram_figure,
    interval_figure,
    reliability_figure,
    roc_figure,
    svg,
)
from unmask.benchmark.results import Measured
from unmask.metrics.calibration import reliability
from unmask.metrics.ranking import roc

RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 2, 20_000)
SCORES = np.clip(RANDOM.normal(0.4 + 0.2 * LABELS, 0.2), 0, 1)


def figures() -> dict[str, Figure]:
    return {
        "roc": roc_figure({"a <b> & c": roc(SCORES, LABELS)}),
        "reliability": reliability_figure({"raw": reliability(SCORES, LABELS)}),
        "histogram": histogram_figure({"raw": (SCORES, LABELS), "c40": (SCORES, LABELS)}, [0.5, 1]),
        "intervals": interval_figure(
            {"meso4": [("raw", Measured(0.8, 0.7, 0.9, "")), ("c40", Measured(1, None, None, ""))]},
            chance=0.5,
        ),
    }


@pytest.mark.parametrize("name", ["roc", "reliability", "histogram", "intervals"])
def test_figure_becomes_valid_small_svg_in_the_colours_of_the_page(name: str) -> None:
    text = svg(figures()[name], title='<roc> & "more"')
    element = ElementTree.fromstring(text.replace("xlink:", ""))
    assert element.get("aria-label") == '<roc> & "more"'
    assert element.get("role") == "img"
    assert "var(--ink)" in text or "var(--muted)" in text
    assert not any(colour in text for colour in COLOURS.values())
    assert "http" not in text
    assert len(text) < 60_000


def test_same_figure_gives_the_same_text_each_time() -> None:
    assert svg(figures()["roc"], title="x") == svg(figures()["roc"], title="x")


def test_curve_of_many_points_keeps_both_ends() -> None:
    line = roc_figure({"a": roc(SCORES, LABELS)}).axes[0].lines[1]
    x, y = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert len(x) <= 400
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)


def test_figure_can_be_saved_as_a_picture() -> None:
    file = io.BytesIO()
    figures()["histogram"].savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")
