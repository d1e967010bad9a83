"""The page of the attack protocol."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from unmask.benchmark import plots
from unmask.benchmark.attack_pictures import Strip, strip_element
from unmask.benchmark.attack_results import FILE, TENSOR, AttackResult
from unmask.benchmark.attack_tables import (
    channel_title,
    cost_table,
    fullest,
    loss_table,
    method_table,
    recalled_table,
    share_table,
    transfer_table,
)
from unmask.benchmark.layout import document, facts_element, key_element, lede, title_elements
from unmask.benchmark.markup import Markup, join, tag
from unmask.benchmark.results import Measured
from unmask.benchmark.sections import figure_element, table_element
from unmask.benchmark.tables import Table, figure, interval_text
from unmask.degrade.spec import parse_degradation
from unmask.errors import InvalidInputError
from unmask.files import write_whole

FEW_VIDEOS = 30
MOST_STRIPS = 12
TITLE = "Attacks on detectors, through the whole pipeline"
SUMMARY = (
    "Fakes were changed a little so that a detector calls them real. Then what happens to a video "
    "happened to them: they were written, compressed and read again, the faces were found anew, "
    "and every detector judged them.",
)


def write_attack_page(results: Sequence[AttackResult], strips: Sequence[Strip], path: Path) -> Path:
    """Write the page, whole or not at all, and return its path.

    Raises:
        InvalidInputError: if there is no result.
    """
    return write_whole(path, render_attacks(results, strips).encode())


def render_attacks(results: Sequence[AttackResult], strips: Sequence[Strip] = ()) -> str:
    """Return the page of the results of one run; nothing on it is loaded from outside.

    Args:
        results: of every attack on every victim.
        strips: faces to show.

    Raises:
        InvalidInputError: if there is no result.
    """
    if not results:
        raise InvalidInputError("a report must have at least one result, got none; run a protocol")
    sections = {
        "Success": _success(results),
        "Limits": _limits(results),
        "Pictures": _pictures(strips),
        "Transfer": _transfer(results),
        "Curves": _curves(results),
        "Cost": _cost(results),
        "By forgery method": table_element(method_table(results)),
        "Found again": join(
            lede("A search for faces that misses the attacked ones would hide them from any "
                 "detector. Shares of the attacked faces whose file could be read; what could not "
                 "be attacked or judged is counted below."),
            table_element(share_table(results, "found")),
            table_element(lost) if (lost := loss_table(results)) else None,
        ),
        "Reproduce": _reproduce(results),
    }  # fmt: skip
    return document(TITLE, _header(results), sections)


def _header(results: Sequence[AttackResult]) -> list[Markup]:
    newest = max(one.created for one in results)
    largest = max((one.counts for one in results), key=lambda one: one.faces)
    is_same = len({one.counts.faces for one in results}) == 1
    whose = "each attack" if is_same else "the attack with most"
    frames = sum(sum(one.counts.dropped.values()) for one in results)
    videos = sum(sum(one.counts.dropped_videos.values()) for one in results)
    lossless = [(one, one.share("success", FILE)) for one in results]
    best = max(
        ((one, found) for one, found in lossless if found),
        key=lambda pair: pair[1].value,
        default=None,
    )
    figures = [
        ("Videos", f"{largest.videos:,}", f"of {largest.persons:,} persons"),
        ("Faces attacked", f"{largest.faces:,}", f"in {largest.frames:,} frames, by {whose}"),
        ("Not attacked", f"{frames:,}", f"frames and {videos:,} videos, over all attacks"),
    ]
    if best:
        told = f"{best[0].attack} on {best[0].victim.name} {interval_text(best[1])}"
        figures.insert(0, ("Highest success in a file", figure(best[1].value), told))
    return [
        *title_elements(
            TITLE, SUMMARY, protocol="attack", measured=newest, commit=results[0].commit
        ),
        key_element(figures),
    ]


def _success(results: Sequence[AttackResult]) -> Markup:
    recalled = recalled_table(results)
    return join(
        lede(
            "Of the faces that the victim called fake, the share that it calls real after the "
            "attack. The lines “no attack” tell what the codecs do by themselves; before a codec "
            "there is nothing to tell. Never written: "
            "the crop in 256 levels, before any file. In all other columns the face was found "
            "anew in the written file."
        ),
        table_element(share_table(results)),
        table_element(share_table(results, "video_success")),
        tag(
            "details",
            tag("summary", "As published: of all faces found, also those called real before"),
            table_element(share_table(results, "judged_real")),
        ),
        table_element(recalled) if recalled else None,
    )


def _limits(results: Sequence[AttackResult]) -> Markup:
    told = [
        "A success is counted where the victim was right before. A share of faces holds faces of "
        "the same videos, which resemble each other: intervals come from resampling videos.",
        f"Attacked: {results[0].frames} frames of each clip.",
    ]
    fewest = min(one.counts.videos for one in results)
    if fewest < FEW_VIDEOS:
        told.append(
            f"Only {fewest} videos were attacked. Intervals of so few come out too short near 0 "
            "and 1: read them as the least that is uncertain."
        )
    told += [
        f"{one.victim.name} called only {one.counts.judged_fake} of {one.counts.faces} faces fake "
        "before any attack."
        for one in {one.victim.name: one for one in results}.values()
        if one.counts.judged_fake < 0.5 * one.counts.faces
    ]
    told += _distinct(note for one in results for note in one.notes)
    return tag("ul", *(tag("li", one) for one in told))


def _pictures(strips: Sequence[Strip]) -> Markup | None:
    if not strips:
        return None
    more = len(strips) - MOST_STRIPS
    return join(
        lede(
            "One face for each victim: the first that it called fake and that was found on most "
            "channels, whether the attack succeeded or not. The difference is told about grey and "
            "20 times as strong; clean and attacked went through the same codec."
        ),
        *map(strip_element, strips[:MOST_STRIPS]),
        tag("p", f"and {more:,} more", class_="lede") if more > 0 else None,
    )


def _transfer(results: Sequence[AttackResult]) -> Markup | None:
    if len({one.victim.name for one in results}) < 2:
        return None
    channels = _distinct(channel for one in results for channel in one.channels)
    written = [channel for channel in channels if channel not in (TENSOR, FILE)]
    return join(
        lede("Each line was made on one detector, each column is judged by one; where both are the "
             "same, it is the success above. Each column counts only faces that its own detector "
             "called fake before."),
        table_element(transfer_table(results)),
        *(
            tag("details", tag("summary", f"Through {channel_title(channel)}"),
                table_element(transfer_table(results, channel)))
            for channel in written
        ),
    )  # fmt: skip


def _curves(results: Sequence[AttackResult]) -> Markup | None:
    drawn = [*_radius_figures(results), *_rate_figures(results)]
    if not drawn:
        return None
    return join(
        lede("Against the radius: white-box attacks at tensor level, in 256 levels and never "
             "written. Against the rate of H.264: the written files, a larger rate loses more; "
             "the lossless file stands at the left. Shades are 95 % intervals."),
        tag("div", *drawn, class_="grid"),
    )  # fmt: skip


def _radius_figures(results: Sequence[AttackResult]) -> list[Markup]:
    found = []
    for victim, own in _by_victim(results).items():
        # Attacks that differ in their own radius only have one curve.
        curves = {
            one.curve_name: [(255 * step.epsilon, step.success) for step in one.curve]
            for one in own
            if one.curve
        }
        if curves:
            marks = {at: f"{at:g}" for points in curves.values() for at, _ in points}
            drawn = plots.curves_figure(
                curves, across="largest change allowed, of 255", upwards="success", ticks=marks
            )
            sizes = _distinct(
                f"{step.faces} faces of {step.videos} videos" for one in own for step in one.curve
            )
            caption = f"Of {' or '.join(sizes)}, all of which {victim} called fake before."
            found.append(
                figure_element(f"{victim}, by radius", drawn, _told(curves, "of 255"), caption)
            )
    return found


def _rate_figures(results: Sequence[AttackResult]) -> list[Markup]:
    found = []
    for victim, own in _by_victim(results).items():
        rates = _rates(own[0].channels)
        if len(rates) < 2:
            continue
        curves = {
            one.attack: _points(rates, {at: one.share("success", at) for at in one.channels})
            for one in own
        }
        clean = fullest(own)
        curves["no attack"] = _points(
            rates, {at: clean.share("control", at) for at in clean.channels}
        )
        if not any(curves.values()):
            continue
        start = min(rates.values()) - 6  # where the lossless file stands
        marks = {float(start): "none"} | {float(rate): str(rate) for rate in rates.values()}
        shifted = {
            name: [(start if at < 0 else at, one) for at, one in points]
            for name, points in curves.items()
            if points
        }
        drawn = plots.curves_figure(
            shifted, across="rate of H.264 (crf)", upwards="judged real", ticks=marks
        )
        found.append(figure_element(f"{victim}, by H.264 rate", drawn, _told(curves, "crf")))
    return found


def _rates(channels: Iterable[str]) -> dict[str, int]:
    """Return the rate of each channel that is one pass of H.264."""
    chains = {one: parse_degradation(one) for one in channels if one not in (TENSOR, FILE)}
    rates = {one: chain.crf for one, chain in chains.items() if len(chain.steps) == 1}
    return dict(sorted(((one, rate) for one, rate in rates.items() if rate), key=lambda it: it[1]))


def _points(
    rates: Mapping[str, int], shares: Mapping[str, Measured | None]
) -> list[tuple[float, Measured]]:
    """Return rate and share from left to right, the lossless file first at -1."""
    asked = {FILE: -1} | dict(rates)
    found = [(float(rate), shares.get(channel)) for channel, rate in asked.items()]
    return [(rate, one) for rate, one in found if one]


def _told(curves: Mapping[str, Sequence[tuple[float, Measured]]], unit: str) -> str:
    """Return the figures of a drawing for those who do not see it."""
    return "; ".join(
        f"{name} "
        + ", ".join(
            f"{figure(one.value)} {'without loss' if at < 0 else f'at {at:g} {unit}'}"
            for at, one in points
        )
        for name, points in curves.items()
    )


def _cost(results: Sequence[AttackResult]) -> Markup:
    wide: Table = cost_table(results)
    return join(
        lede("What an attack asks and changes. PSNR and SSIM compare the attacked crop with the "
             "clean one; a query is one face shown to the victim."),
        tag("div", table_element(wide), class_="wide"),
    )  # fmt: skip


def _reproduce(results: Sequence[AttackResult]) -> Markup:
    first = results[0]
    victims = {one.victim.name: one.victim.sha256 for one in results}
    facts = {
        "commit": ", ".join(_distinct(one.commit for one in results)),
        "items": ", ".join(_distinct(one.catalog_sha256 for one in results)),
        "seed": ", ".join(_distinct(str(one.seed) for one in results)),
        "judged fake": f"from {first.threshold:g} on",
        "versions": ", ".join(f"{name} {number}" for name, number in first.versions.items()),
    }
    attacks = {one.attack: {"preset": one.preset, **one.options} for one in results}
    told = (("Settings", dict(first.settings)), ("Attacks", attacks))
    return join(
        facts_element(facts),
        *(
            tag("details", tag("summary", name),
                tag("pre", tag("code", json.dumps(one, indent=2, ensure_ascii=False))))
            for name, one in told
        ),
        tag("details", tag("summary", f"Weights ({len(victims)})"), facts_element(victims)),
    )  # fmt: skip


def _by_victim(results: Sequence[AttackResult]) -> dict[str, list[AttackResult]]:
    names = _distinct(one.victim.name for one in results)
    return {name: [one for one in results if one.victim.name == name] for name in names}


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
