"""The report: one HTML page with everything in it, made of result files."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import polars as pl

from unmask.benchmark import sections
from unmask.benchmark.layout import document, facts_element, key_element, lede, title_elements
from unmask.benchmark.markup import Markup, breakable, join, tag
from unmask.benchmark.pictures import Picture
from unmask.benchmark.results import Level, Result
from unmask.benchmark.tables import (
    cross_quality_table,
    figure,
    interval_text,
    same_quality_table,
)
from unmask.errors import InvalidInputError
from unmask.files import write_whole

FEW_VIDEOS = 30
FEW_PERSONS = 20
STAND_IN = (
    "Stand-in data. The people in these clips do not exist: every “real” clip is itself made by "
    "a machine. The figures show that the pipeline works and how the detectors compare on it; "
    "they say nothing about real footage."
)


@dataclass(frozen=True)
class Report:
    """What the page tells.

    Args:
        title: the heading.
        summary: paragraphs on what was done.
        results: of one seed and one data set.
        scores: the scored faces, by the name of their result.
        hardest: the items whose scores lie farthest from the truth.
        dropped: items that were not scored, with the reason as detail.
        caveats: what else a reader has to know.
        stand_in: whether the people are made by a machine.
        command: what to type to get the same figures.
    """

    title: str
    summary: Sequence[str]
    results: Sequence[Result]
    scores: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    hardest: Sequence[Picture] = ()
    dropped: Sequence[Picture] = ()
    caveats: Sequence[str] = ()
    stand_in: bool = False
    command: str = ""


def write_page(report: Report, path: Path) -> Path:
    """Write the page, whole or not at all, and return its path.

    Raises:
        InvalidInputError: if there is no result.
    """
    return write_whole(path, render(report).encode())


def render(report: Report) -> str:
    """Return the page; all that comes from data is escaped, and nothing is loaded from outside.

    Raises:
        InvalidInputError: if there is no result.
    """
    if not report.results:
        raise InvalidInputError("a report must have at least one result, got none; run a protocol")
    return document(report.title, _header(report), _sections(report))


def _sections(report: Report) -> dict[str, Markup | None]:
    results, scores = report.results, report.scores
    return {
        "Results": _results(results),
        "Limits": _limits(report),
        "Ranking": join(
            lede("Share of fakes found against share of reals accused, by video, as the "
                  "threshold moves; the dashed line is chance. AUC beside each name."),
            sections.roc_element(results, scores),
        ),
        "Decisions": join(
            lede(f"Videos judged at the threshold that was chosen beforehand: {_rules(results)}."),
            sections.decisions_element(results),
        ),
        "Scores": join(
            tag("p", "How the scores of faces are spread: ", tag("span", "reals", class_="real"),
                " upwards, ", tag("span", "fakes", class_="fake"),
                " downwards, each as a share of its class. The dashed line is the threshold.",
                class_="lede"),
            sections.histogram_element(results, scores),
        ),
        "Calibration": join(
            lede("Of the faces scored 0.8, are 8 in 10 fake? On the dashed line they are. "
                  "Large dots stand for many faces; 15 bins of equal width."),
            sections.calibration_element(results, scores),
        ),
        "Hardest": _pictures(
            report.hardest, "The videos whose scores lie farthest from the truth, each with its "
            "most misleading frame."
        ),
        "Not scored": _dropped(report),
        "What was scored": _counts(results),
        "Reproduce": _reproduce(report),
    }  # fmt: skip


def _header(report: Report) -> list[Markup | None]:
    newest = max(one.created for one in report.results)
    protocol = " and ".join(sorted({one.protocol for one in report.results}))
    return [
        *title_elements(
            report.title,
            report.summary,
            protocol=protocol,
            measured=newest,
            commit=report.results[0].commit,
        ),
        tag("p", STAND_IN, class_="notice", role="note") if report.stand_in else None,
        _key_figures(report.results),
    ]


def _key_figures(results: Sequence[Result]) -> Markup:
    shown = sections.representative(results)
    best = max(shown, key=lambda one: one.measured("auc", "video").value)
    measured = best.measured("auc", "video")
    interval = interval_text(measured)
    told = f"{best.detector} at {best.test.quality}"
    told += f", {interval}" if interval else ""
    largest = max((one.counts for one in shown), key=lambda one: one.videos)
    lost = sum(largest.dropped.values())
    figures = [
        (f"Highest AUC by video of {len(shown)}", figure(measured.value), told),
        ("Videos in a test", f"{largest.videos:,}",
         f"{largest.real_videos:,} real, {largest.fake_videos:,} fake"),
        ("Persons", f"{largest.persons:,}", "in those videos"),
        ("Faces scored", f"{largest.faces:,}", f"in {largest.frames:,} frames"),
        ("Not scored", f"{lost:,}", "items, each with its reason"),
    ]  # fmt: skip
    return key_element(figures)


def _results(results: Sequence[Result]) -> Markup:
    same, cross = same_quality_table(results), cross_quality_table(results)
    published = any(one.metric == "accuracy" for result in results for one in result.published)
    level: Level = "frame" if published else "video"
    accuracy = same_quality_table(results, metric="accuracy", level=level)
    crossed = len(cross.rows) > len(same.rows)
    details = [
        tag("details", tag("summary", f"Every measure by {one}"),
            sections.all_measures_element(results, one))
        for one in get_args(Level)
    ]  # fmt: skip
    return join(
        lede("How often a fake scores above a real: 0.5 is guessing, 1 is without fault. "
              "Bold is the highest of its column."),
        tag("div", sections.table_element(same), sections.intervals_element(results), class_="pair")
        if same.rows
        else None,
        sections.table_element(cross) if crossed or not same.rows else None,
        sections.table_element(accuracy) if same.rows else None,
        sections.table_element(
            cross_quality_table(results, metric="accuracy", level=level)
        ) if published and crossed else None,
        *details,
    )  # fmt: skip


def _limits(report: Report) -> Markup:
    results = report.results
    fewest = min(min(one.counts.real_videos, one.counts.fake_videos) for one in results)
    told = list(report.caveats)
    if fewest < FEW_VIDEOS:
        told.append(
            f"Some tests hold only {fewest} videos of a class. Intervals of so few come out too "
            "short near 0 and 1: read them as the least that is uncertain."
        )
    people = min(one.counts.persons for one in results)
    if 0 < people < FEW_PERSONS:
        told.append(
            f"Some tests show only {people} persons. Intervals by video tell what other videos of "
            "these persons would give, not what other persons would."
        )
    if len(results) > 1:
        told.append(
            "Each interval is of one figure by itself. The highest of several is chosen on the "
            "test set and flatters a little; that one detector is above another is shown only by "
            "their paired difference on the same videos."
        )
    told += sorted({note for one in results for note in one.notes})
    return tag("ul", *(tag("li", one) for one in told))


def _pictures(pictures: Sequence[Picture], words: str) -> Markup | None:
    return join(lede(words), sections.pictures_element(pictures)) if pictures else None


def _dropped(report: Report) -> Markup | None:
    reasons: Counter[str] = Counter()
    for one in sections.representative(report.results):
        for status, count in one.counts.dropped.items():
            reasons[status] = max(reasons[status], count)
    if not reasons and not report.dropped:
        return None
    told = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in reasons.items())
    return join(
        lede(f"Items left out of the figures above: {told or 'as shown'}."),
        sections.pictures_element(report.dropped) if report.dropped else None,
    )


def _counts(results: Sequence[Result]) -> Markup:
    heads = ("Detector", "Trained on", "Tested on", "Real", "Fake", "Frames", "Faces", "Dropped")
    lines = []
    for one in results:
        counts = one.counts
        numbers = (counts.real_videos, counts.fake_videos, counts.frames, counts.faces)
        lost = sum(counts.dropped.values())
        lines.append(
            tag(
                "tr",
                tag("th", breakable(one.detector), scope="row"),
                tag("td", f"{one.train.dataset} {one.train.quality}"),
                tag("td", f"{one.test.dataset} {one.test.quality}"),
                *(tag("td", f"{number:,}", class_="number") for number in (*numbers, lost)),
            )
        )
    headings = [
        tag("th", name, scope="col", class_="number" if place > 2 else None)
        for place, name in enumerate(heads)
    ]
    caption = tag("caption", "Videos, frames and faces behind each result")
    table = tag("table", caption, tag("thead", tag("tr", *headings)), tag("tbody", *lines))
    return tag("details", tag("summary", f"Counts of {len(results)} results"),
               tag("div", table, class_="table wide", tabindex=0))  # fmt: skip


def _reproduce(report: Report) -> Markup:
    first = report.results[0]
    facts = {
        "commit": _distinct(one.commit for one in report.results),
        "catalog": _distinct(one.catalog_sha256 for one in report.results),
        "seed": _distinct(str(one.seed) for one in report.results),
        "video score": _distinct(one.aggregate for one in report.results),
        "threshold": _rules(report.results),
        "versions": ", ".join(f"{name} {number}" for name, number in first.versions.items()),
    }
    weights = sorted({(one.checkpoint.name, one.checkpoint.sha256) for one in report.results})
    settings = json.dumps(dict(first.settings), indent=2, ensure_ascii=False)
    return join(
        tag("pre", tag("code", report.command)) if report.command else None,
        facts_element(facts),
        tag("details", tag("summary", "Settings"), tag("pre", tag("code", settings))),
        tag("details", tag("summary", f"Weights ({len(weights)})"), facts_element(dict(weights))),
    )


def _rules(results: Sequence[Result]) -> str:
    return _distinct(
        f"{one.thresholds.rule.replace('_', ' ')} on {one.thresholds.chosen_on}" for one in results
    )


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))
