"""The page of the defence protocol: one HTML file with everything in it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from unmask.benchmark import plots
from unmask.benchmark.defence_pictures import Shown
from unmask.benchmark.defence_results import Check, DefenceResult, GuardResult
from unmask.benchmark.defence_tables import (
    draws_table,
    guard_table,
    method_table,
    overview_table,
    success_table,
)
from unmask.benchmark.defence_words import limits, percent, verdict
from unmask.benchmark.layout import document, facts_element, key_element, lede, title_elements
from unmask.benchmark.markup import Markup, breakable, join, tag
from unmask.benchmark.results import Measured
from unmask.benchmark.sections import figure_element, pictures_element, table_element
from unmask.benchmark.tables import figure
from unmask.errors import InvalidInputError

TITLE = "Defences against adversarial attacks"


@dataclass(frozen=True)
class DefenceReport:
    """What the page tells.

    Args:
        results: of one run; the undefended detector first.
        guards: of the same run.
        shown: a face and a defence each.
    """

    results: Sequence[DefenceResult]
    guards: Sequence[GuardResult] = ()
    shown: Sequence[Shown] = ()


def render_defence(report: DefenceReport) -> str:
    """Return the page; all that comes from data is escaped, and nothing is loaded from outside.

    Raises:
        InvalidInputError: if there is no result.
    """
    if not report.results:
        raise InvalidInputError("a report must have at least one result, got none; run a protocol")
    return document(TITLE, _header(report), _sections(report))


def _header(report: DefenceReport) -> list[Markup | None]:
    first = report.results[0]
    summary = [
        "Each detector was shown clean faces, faces attacked on the undefended detector, and faces "
        "attacked on itself: by attacks that take its gradients or its scores, and by one that "
        "knows the defence, averages over its randomness and starts several times.",
        f"All happens to prepared face crops of the split {first.test.split} in 256 levels; what "
        "is left of an attack in a written and coded video, the protocol attack measures.",
    ]
    return [
        *title_elements(
            TITLE, summary, protocol="defence", measured=first.created, commit=first.commit
        ),
        _key_figures(report.results),
    ]


def _key_figures(results: Sequence[DefenceResult]) -> Markup:
    first = results[0]
    best = max(results, key=lambda one: one.robust_accuracy)
    checked = sum(one.is_checked for one in results)
    suspicious = sum(any(check.state == "suspicious" for check in one.checks) for one in results)
    return key_element(
        [
            (
                "Highest accuracy under every attack",
                figure(best.robust_accuracy),
                f"{best.defence.name}: mean of clean reals judged real and fakes found; 0.5 is "
                "blind",
            ),
            ("Undefended", figure(first.robust_accuracy), "the same"),
            ("Faces attacked", f"{first.attacked:,}", "of fakes, by each attack"),
            ("Clean faces", f"{first.counts.faces:,}", f"of {first.counts.videos} videos"),
            ("Suspicious", f"{suspicious} of {checked} checked", "whose gradients may be masked"),
        ]
    )


def _sections(report: DefenceReport) -> dict[str, Markup | None]:
    results = report.results
    random = draws_table(results)
    guarding = guard_table(report.guards)
    return {
        "Results": join(
            lede(
                "A fake is found where the detector judges it fake before and after the attack; "
                "“every attack” is the worst for each face, those on the undefended detector among "
                "them, those of a larger radius or another bound not. AUC is of clean faces; "
                "“other” of methods that none of the detectors was trained on, a dash where the "
                "test has none or nobody knows."
            ),
            tag("div", _wide(table_element(overview_table(results))), class_="dense"),
        ),
        "In words": tag("ul", *(tag("li", *verdict(one, results[0])) for one in results)),
        "Success": join(
            lede(
                "An attack made on the undefended detector says little: its maker did not know of "
                "the defence. Faces that the defence calls real anyway are left out, and those "
                "that an attack on the undefended detector left as they were."
            ),
            _wide(table_element(success_table(results))),
            table_element(random) if random else None,
        ),
        "Radius": _radius(results),
        "Masked gradients": _checks(results),
        "Other forgeries": join(
            lede("Adversarial training may cost accuracy on forgeries that it did not see."),
            _wide(table_element(method_table(results, "frame"))),
            _wide(table_element(method_table(results, "video"))),
        ),
        "Detectors of attacks": _guards(
            report.guards, table_element(guarding) if guarding else None
        ),
        "Faces": _faces(report.shown),
        "Limits": tag("ul", *(tag("li", one) for one in limits(results, report.guards))),
        "Reproduce": _reproduce(report),
    }


def _radius(results: Sequence[DefenceResult]) -> Markup | None:
    curves: dict[str, list[tuple[float, Measured]]] = {}
    for one in results:
        found = [
            (trial.radius, trial.success)
            for trial in one.tried
            if trial.role in ("adaptive", "radius") and not trial.is_static
        ]
        points = [(log2(at), share) for at, share in found if at and share]
        if len(points) > 1:
            curves[one.defence.name] = sorted(points, key=lambda point: point[0])
    if not curves:
        return None
    ticks = {at: f"{2**at:g}" for points in curves.values() for at, _ in points}
    told = "; ".join(
        f"{name} " + ", ".join(f"{figure(share.value)} at {2**at:g}" for at, share in points)
        for name, points in curves.items()
    )
    drawn = plots.curves_figure(
        curves, across="radius, of 255", upwards="share judged real", ticks=ticks
    )
    return join(
        lede("The adaptive attack with half, the whole and twice the radius."),
        figure_element("Success over the radius", drawn, f"Success over the radius: {told}"),
    )


def _checks(results: Sequence[DefenceResult]) -> Markup:
    names = [check.name for check in results[0].checks]
    heads = [tag("th", one, scope="col") for one in ("Defence", *names)]
    lines = [
        tag(
            "tr",
            tag("th", breakable(one.defence.name), scope="row"),
            *(_check(check) for check in one.checks),
        )
        for one in results
    ]
    caption = tag("caption", "Signs of masked gradients, face by face")
    table = tag("table", caption, tag("thead", tag("tr", *heads)), tag("tbody", *lines))
    return join(
        lede(
            "A defence may only seem to withstand, because it leaves the attack no gradient to "
            "follow. Then scores alone, or one step, fool faces that many steps along the "
            "gradient do not, and even an attack without a bound fails."
        ),
        tag("div", table, class_="table wide", tabindex=0),
    )


def _check(check: Check) -> Markup:
    kind = {"passed": "real", "suspicious": "fake"}.get(check.state)
    return tag("td", tag("span", check.state, class_=kind), tag("br"), check.told)


def _guards(guards: Sequence[GuardResult], table: Markup | None) -> Markup | None:
    if table is None:
        return None
    alarms = "; ".join(
        f"{one.guard.name} calls {percent(one.false_alarms.value)} of {one.faces} clean faces "
        "attacked"
        for one in guards
    )
    return join(
        lede(
            "How often an attacked face scores above a clean one; 0.5 is guessing. Only attacks "
            "on a defence that the guard is part of know of the guard. At "
            f"{figure(guards[0].threshold)}, {alarms}."
        ),
        _wide(table),
    )


def _faces(shown: Sequence[Shown]) -> Markup | None:
    if not shown:
        return None
    return join(
        lede("The adaptive attack on each defence. The mark is the score, from real to fake."),
        *(join(tag("h3", breakable(one.defence)), pictures_element(one.pictures)) for one in shown),
    )


def _reproduce(report: DefenceReport) -> Markup:
    first = report.results[0]
    weights = {one.defence.name: one.defence.sha256 for one in report.results}
    weights |= {one.guard.name: one.guard.sha256 for one in report.guards}
    facts = {
        "commit": first.commit,
        "catalog": first.catalog_sha256,
        "seed": str(first.seed),
        "threshold": figure(first.threshold),
        "versions": ", ".join(f"{name} {number}" for name, number in first.versions.items()),
    }
    settings = json.dumps(dict(first.settings), indent=2, ensure_ascii=False)
    return join(
        facts_element(facts),
        tag("details", tag("summary", "Settings"), tag("pre", tag("code", settings))),
        tag("details", tag("summary", "Attacks"), facts_element(_options(report.results))),
        tag("details", tag("summary", f"Weights ({len(weights)})"), facts_element(weights)),
    )


def _options(results: Sequence[DefenceResult]) -> dict[str, str]:
    """Return the settings of each attack, and of those that a random defence changes."""
    options: dict[str, str] = {}
    for one in results:
        for trial in one.tried:
            told = json.dumps(dict(trial.options))
            if options.setdefault(trial.attack, told) != told and not trial.is_static:
                options[f"{trial.attack} on {one.defence.name}"] = told
    return options


def _wide(table: Markup) -> Markup:
    """Return a table that may take the whole width of the page."""
    return Markup(table.replace('<div class="table">', '<div class="table wide" tabindex="0">', 1))
