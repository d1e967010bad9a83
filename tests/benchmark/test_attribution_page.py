import re
from base64 import b64decode
from dataclasses import replace

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from makers.attribution_study import (
    STRENGTH,
    make_attribution_study,
    make_result,
    make_unknown,
    make_watched,
)
from unmask.benchmark.attribution_clips import SIDE, clips_element, heated
from unmask.benchmark.attribution_page import AttributionReport, render_attribution
from unmask.benchmark.compression import Story
from unmask.benchmark.plots import confusion_figure
from unmask.benchmark.results import Checkpoint
from unmask.errors import InvalidInputError

EVIL = '<script>alert("1")</script>&'


def report(**changes: object) -> AttributionReport:
    results, unknown = make_attribution_study()
    confidences = {
        one.name: tuple(
            each.values
            for each in make_unknown(one.detector, one.left_out, held_out=one.held_out)[1:]
        )
        for one in unknown
    }
    clips = {"dma_sta-c10": [make_watched(), make_watched("dfaker")]}
    story = Story(title="Who", caveats=("These are few.",), stand_in=True, command="unmask who")
    whole = AttributionReport(results, unknown, confidences, clips, story)  # type: ignore[arg-type]
    return replace(whole, **changes)  # type: ignore[arg-type]


def headings(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>([^<]*)</h2>", page)


def test_page_has_every_section_says_what_it_must_and_is_small() -> None:
    page = render_attribution(report())
    assert headings(page) == [
        *("Results", "Published", "Limits", "Confusion", "Classes", "None of these"),
        *("Attention", "What was scored", "Reproduce"),
    ]
    for told in (
        "These are few.",
        "recalled, not verified",
        "unmask who",
        "do not exist",
        "1 too short",
    ):
        assert told in page
    assert len(page) < 1_000_000


def test_page_without_unknown_makers_and_clips_leaves_these_sections_out() -> None:
    page = render_attribution(report(unknown=(), confidences={}, clips={}))
    assert not {"None of these", "Attention"} & set(headings(page))


def test_page_loads_nothing_from_outside() -> None:
    page = render_attribution(report())
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
    assert "<link" not in page
    sources = re.findall(r'<img src="([^"]*)"', page)
    assert len(sources) == 20
    assert all(one.startswith("data:image/jpeg;base64,") for one in sources)


def test_all_that_comes_from_data_is_escaped() -> None:
    result, (unknown, _, _) = make_result(), make_unknown()
    hostile = replace(
        result, detector=EVIL, checkpoint=Checkpoint(EVIL, EVIL), notes=(EVIL,), commit=EVIL
    )
    hostile = replace(hostile, settings={EVIL: EVIL}, versions={EVIL: EVIL}, aggregate=EVIL)
    asked = replace(unknown, detector=EVIL, left_out=EVIL, held_out=EVIL, notes=(EVIL,))
    watched = replace(make_watched(), item=EVIL, maker=EVIL, named=EVIL)
    story = Story(title=EVIL, summary=(EVIL,), caveats=(EVIL,), command=EVIL)
    page = render_attribution(
        AttributionReport([hostile], [asked], {}, {EVIL: [watched]}, story=story)
    )
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 15


def test_network_that_is_not_shown_to_beat_guessing_is_named() -> None:
    result = make_result("meso4", "c23")
    own = replace(result, train=result.test)
    measured = replace(own.metrics["accuracy"], low=own.chance)
    blind = replace(own, metrics=own.metrics | {"accuracy": measured})  # type: ignore[operator]
    told = "That meso4 at c23 does better than guessing is not shown"
    assert told in render_attribution(AttributionReport([blind]))
    assert told not in render_attribution(AttributionReport([own]))


def test_key_figure_of_the_unknown_is_the_best_mean_over_makers_left_out_alone() -> None:
    _, unknown = make_attribution_study()
    own = [
        one.unknown[0].metrics["auroc"].value
        for one in unknown
        if one.detector == "dma_sta" and not one.held_out
    ]
    page = render_attribution(report())
    assert (
        f"AUROC of unknown makers</dt><dd>{sum(own) / len(own):.3f}<small>dma_sta, mean over 2"
        in page
    )


def test_networks_trained_on_several_qualities_are_told_apart_where_a_maker_is_unknown() -> None:
    one, *kinds = make_unknown()
    several = replace(one.train, qualities=("c0", "c10", "c23"))
    mixed = [
        replace(one, train=several, test=replace(one.test, qualities=(quality,)))
        for quality in ("c0", "c10")
    ]
    values = tuple(each.values for each in kinds)
    page = render_attribution(
        report(unknown=[one, *mixed], confidences={of.name: values for of in (one, *mixed)})
    )
    shown = page.split("None of these</h2>")[1].split("Tested at")[0]
    for quality in ("c0", "c10"):
        assert shown.count(f">iae, {quality}, trained on mixed<") == 1
        assert f"iae at {quality}, mixed " in shown
    assert page.count("<h3>dma_sta · curves</h3>") == 1


def test_unknown_makers_are_shown_where_the_quality_trained_on_was_not_tested() -> None:
    result, *kinds = make_unknown()
    other = replace(result, test=replace(result.test, qualities=("c23",)))
    values = tuple(each.values for each in kinds)
    page = render_attribution(report(unknown=[other], confidences={other.name: values}))
    assert "None of these" in headings(page)
    assert ">iae, c23, trained on c10<" in page


def test_page_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="a report must have at least one result, got none"):
        render_attribution(AttributionReport([]))


def test_dfdm_itself_is_not_called_another_data_set() -> None:
    result = make_result()
    own = replace(result, test=replace(result.test, dataset="dfdm"))
    page = render_attribution(AttributionReport([own]))
    assert "which videos were tested is not published" in page
    assert "which videos were tested is not published" not in render_attribution(report())


def texts(figure: Figure) -> list[str]:
    return [one.get_text() for one in figure.axes[0].texts]


def test_confusion_figure_tells_share_of_the_row_and_count_of_each_cell() -> None:
    figure = confusion_figure(("a", "b"), [[3, 1], [0, 4]])
    assert texts(figure) == ["75 %", "3", "25 %", "1", "0", "100 %", "4"]
    axes = figure.axes[0]
    assert axes.yaxis_inverted()
    alphas = {(box.get_x(), box.get_y()): box.get_alpha() for box in axes.patches}  # type: ignore[attr-defined]
    assert alphas == {(0, 0): 0.375, (1, 0): 0.125, (0, 1): 0, (1, 1): 0.5}


def test_class_without_any_video_is_drawn_without_a_share() -> None:
    assert texts(confusion_figure(("a", "b"), [[0, 0], [1, 1]])) == [
        "0",
        "0",
        "50 %",
        "1",
        "50 %",
        "1",
    ]


def test_heat_is_bright_where_the_network_looks_and_dark_where_it_does_not() -> None:
    grey = np.full((40, 40, 3), 128, np.uint8)
    places = np.zeros((7, 7))
    places[:3] = 1.0
    found = heated(grey, places, low=0.0, high=1.0).astype(int)
    assert found.shape == (SIDE, SIDE, 3)
    assert found[:30].sum() > 2 * found[-30:].sum()


def test_clip_in_which_all_places_weigh_alike_is_drawn_even() -> None:
    found = heated(np.full((40, 40, 3), 128, np.uint8), np.full((7, 7), 0.4), low=0.4, high=0.4)
    assert (found == found[0, 0]).all()


def test_clip_shows_each_frame_with_its_weight_and_whether_the_maker_was_named() -> None:
    right, wrong = make_watched(), make_watched("dfaker")
    told = str(clips_element([right, wrong]))
    assert told.count("<li>") == 20
    assert re.findall(r"--at:([\d.]+)", told)[:10] == [f"{one / 10:.3f}" for one in range(1, 11)]
    assert re.findall(r"<small>([\d.]+)</small>", told)[9] == f"{10 / 55:.3f}"
    assert re.findall(r'named <span class="(\w+)">(\w+)</span>', told) == [
        ("real", "iae"),
        ("fake", "dfaker"),
    ]
    coded = re.findall(r"base64,([^\"]*)", told)[0]
    picture = cv2.imdecode(np.frombuffer(b64decode(coded), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (SIDE, SIDE, 3)


def test_every_detector_of_the_study_has_its_matrix_and_curves() -> None:
    page = render_attribution(report())
    for name in STRENGTH:
        assert f"Confusion matrix of {name} · c10." in page
        assert f"Confusion matrix of {name} · c23, trained on c10." in page
        assert f"Known makers told from the one left out by {name}: iae" in page
