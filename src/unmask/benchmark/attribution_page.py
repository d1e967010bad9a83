"""The page of the attribution protocol: one HTML file with everything in it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from unmask.benchmark.attribution_clips import Watched, clips_element
from unmask.benchmark.attribution_published import DATASET
from unmask.benchmark.attribution_results import AttributionResult, OpenSetResult
from unmask.benchmark.attribution_sections import (
    Confidences,
    classes_element,
    confusion_element,
    open_set_element,
    results_element,
)
from unmask.benchmark.attribution_tables import alike, published_table
from unmask.benchmark.compression import Story
from unmask.benchmark.layout import document, facts_element, key_element, lede, title_elements
from unmask.benchmark.markup import Markup, breakable, join, tag
from unmask.benchmark.page import FEW_PERSONS, FEW_VIDEOS, STAND_IN
from unmask.benchmark.sections import table_element
from unmask.benchmark.tables import figure, interval_text
from unmask.errors import InvalidInputError

TITLE = "Who made this fake"


@dataclass(frozen=True)
class AttributionReport:
    """What the page tells.

    Args:
        results: of known makers, of one run.
        unknown: of makers that were left out, of the same run.
        confidences: by the name of such a result, those of videos of known makers and of the
            unknown one, in [0, 1].
        clips: with what was attended to, by the detector's name.
        story: what the page says besides the figures.
    """

    results: Sequence[AttributionResult]
    unknown: Sequence[OpenSetResult] = ()
    confidences: Confidences = field(default_factory=dict)
    clips: Mapping[str, Sequence[Watched]] = field(default_factory=dict)
    story: Story = field(default_factory=lambda: Story(title=TITLE))

    @property
    def every(self) -> list[AttributionResult | OpenSetResult]:
        """All results."""
        return [*self.results, *self.unknown]


def render_attribution(report: AttributionReport) -> str:
    """Return the page; all that comes from data is escaped, and nothing is loaded from outside.

    Raises:
        InvalidInputError: if there is no result.
    """
    if not report.results:
        raise InvalidInputError("a report must have at least one result, got none; run a protocol")
    sections = {
        "Results": results_element(report.results),
        "Published": join(
            lede(_published_lede(report.results)),
            table_element(published_table()),
        ),
        "Limits": _limits(report),
        "Confusion": confusion_element(report.results),
        "Classes": classes_element(report.results),
        "None of these": open_set_element(report.unknown, report.confidences),
        "Attention": _attention(report.clips),
        "What was scored": _counts(report.results),
        "Reproduce": _reproduce(report),
    }
    return document(report.story.title, _header(report), sections)


def _header(report: AttributionReport) -> list[Markup | None]:
    results, story = report.results, report.story
    classes = results[0].classes
    newest = max(one.created for one in results)
    summary = story.summary or (
        f"Each network was trained to tell {len(classes)} classes apart: {', '.join(classes)}. It "
        "was chosen on validation videos and tested once, on persons whom it had not seen.",
    )
    return [
        *title_elements(
            story.title,
            summary,
            protocol="attribution",
            measured=newest,
            commit=results[0].commit,
        ),
        tag("p", STAND_IN, class_="notice", role="note") if story.stand_in else None,
        _key_figures(results, report.unknown),
    ]


def _key_figures(results: Sequence[AttributionResult], unknown: Sequence[OpenSetResult]) -> Markup:
    best = max(alike(results), key=lambda one: one.metrics["accuracy"].value)
    measured = best.metrics["accuracy"]
    tested = sum(best.counts.tested.values())
    lost = max(sum(one.counts.dropped.values()) for one in results)
    told = f"{best.detector} at {best.test.quality} {interval_text(measured)}".strip()
    figures = [
        (f"Highest accuracy of {len(alike(results))}", figure(measured.value), told),
        ("Guessing", figure(best.chance), f"one of {len(best.classes)}"),
        ("Videos in a test", f"{tested:,}", f"of {best.counts.persons:,} persons"),
        ("Not scored", f"{lost:,}", "items of a test, each with its reason"),
    ]
    if refused := _told_unknown(unknown):
        figures.insert(2, refused)
    return key_element(figures)


def _told_unknown(unknown: Sequence[OpenSetResult]) -> tuple[str, str, str] | None:
    """Return the best detector's mean AUROC over the makers that were left out, one at a time."""
    found: dict[str, list[float]] = {}
    for one in unknown:
        if one.left_out and not one.held_out and one.test.qualities == one.train.qualities:
            found.setdefault(one.detector, []).append(one.unknown[0].metrics["auroc"].value)
    if not found:
        return None
    means = {name: float(np.mean(values)) for name, values in found.items()}
    best = max(means, key=lambda name: means[name])
    told = f"{best}, mean over {len(found[best])} left out; 0.5 is guessing"
    return "AUROC of unknown makers", figure(means[best]), told


def _published_lede(results: Sequence[AttributionResult]) -> str:
    if all(one.test.dataset == DATASET for one in results):
        return "The data set is the same; which videos were tested is not published."
    return (
        "These were measured on DFDM, with its own persons, lengths of training and videos: they "
        "say what the problem is like, not how these networks compare."
    )


def _attention(clips: Mapping[str, Sequence[Watched]]) -> Markup | None:
    if not any(clips.values()):
        return None
    return join(
        lede(
            "Clips of test videos, one named rightly and one wrongly of each maker where there are "
            "both: those of which the network was surest. Under each frame stands its weight in "
            "the clip. The heat is the weight of the places in the last layer, dark for the lowest "
            "and bright for the highest of the clip. It says where the network looks, not why."
        ),
        *(
            join(tag("h3", breakable(name)), clips_element(some))
            for name, some in clips.items()
            if some
        ),
    )


def _limits(report: AttributionReport) -> Markup:
    results, told = report.results, list(report.story.caveats)
    fewest = min(min(one.counts.tested.values()) for one in results)
    if fewest < FEW_VIDEOS:
        told.append(
            f"Some tests hold only {fewest} videos of a class. Intervals of so few come out too "
            "short near 0 and 1: read them as the least that is uncertain."
        )
    people = min(one.counts.persons for one in results)
    if people < FEW_PERSONS:
        told.append(
            f"Some tests show only {people} persons. Intervals by video tell what other videos of "
            "these persons would give, not what other persons would."
        )
    told += [
        f"That {one.detector} at {one.test.quality} does better than guessing is not shown: the "
        "interval of its accuracy holds that of guessing."
        for one in alike(results)
        if (low := one.metrics["accuracy"].low) is not None and low <= one.chance
    ]
    told.append(
        "The makers stand in the test as they stand in the data set; elsewhere their shares, and "
        "with them precision, differ."
    )
    if len(results) > 1:
        told.append(
            "Each interval is of one figure by itself. The highest of several is chosen on the "
            "test set and flatters a little."
        )
    told += dict.fromkeys(note for one in report.every for note in one.notes)
    return tag("ul", *(tag("li", one) for one in told))


def _counts(results: Sequence[AttributionResult]) -> Markup:
    heads = ("Detector", "Trained on", "Tested on", "Trained", "Validated", "Tested", "Scored")
    lines = [_count_line(one) for one in results]
    headings = [
        tag("th", name, scope="col", class_="number" if place > 2 else None)
        for place, name in enumerate((*heads, "Dropped"))
    ]
    caption = tag("caption", "Videos behind each result, and what was scored of those tested")
    table = tag("table", caption, tag("thead", tag("tr", *headings)), tag("tbody", *lines))
    classes = [
        f"{name} {results[0].counts.trained.get(name, 0)} / "
        f"{results[0].counts.validated.get(name, 0)} / {results[0].counts.tested.get(name, 0)}"
        for name in results[0].classes
    ]
    return join(
        lede(
            f"Videos of each maker trained, validated and tested, of {results[0].detector} at "
            f"{results[0].test.quality}: {', '.join(classes)}."
        ),
        tag(
            "details",
            tag("summary", f"Counts of {len(results)} results"),
            tag("div", table, class_="table wide", tabindex=0),
        ),
    )


def _count_line(one: AttributionResult) -> Markup:
    counts = one.counts
    numbers = [sum(some.values()) for some in (counts.trained, counts.validated, counts.tested)]
    reasons = ", ".join(f"{count} {name}" for name, count in counts.dropped.items())
    scored = f"{counts.faces:,} {'faces' if one.frames == 1 else f'clips of {one.frames}'}"
    cells = [f"{number:,}" for number in numbers] + [scored]
    return tag(
        "tr",
        tag("th", breakable(one.detector), scope="row"),
        tag("td", one.train.quality),
        tag("td", one.test.quality),
        *(tag("td", cell, class_="number") for cell in cells),
        tag("td", reasons.replace("_", " ") or "none", class_="number"),
    )


def _reproduce(report: AttributionReport) -> Markup:
    first, every = report.results[0], report.every
    facts = {
        "commit": _distinct(one.commit for one in every),
        "catalog": _distinct(one.catalog_sha256 for one in report.results),
        "seed": _distinct(str(one.seed) for one in every),
        "video's probabilities": _distinct(one.aggregate for one in every),
        "versions": ", ".join(f"{name} {number}" for name, number in first.versions.items()),
    }
    weights = {one.checkpoint.name: one.checkpoint.sha256 for one in every}
    settings = json.dumps(dict(first.settings), indent=2, ensure_ascii=False)
    return join(
        tag("pre", tag("code", report.story.command)) if report.story.command else None,
        facts_element(facts),
        tag("details", tag("summary", "Settings"), tag("pre", tag("code", settings))),
        tag("details", tag("summary", f"Weights ({len(weights)})"), facts_element(weights)),
    )


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))
