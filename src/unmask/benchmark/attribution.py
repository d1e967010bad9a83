"""The attribution protocol: who made a fake, and when none of the known makers did."""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from unmask.benchmark.attribution_answers import (
    PATHS,
    Study,
    drawn_confidences,
    known_results,
    told_training,
    unknown_results,
)
from unmask.benchmark.attribution_attention import watched
from unmask.benchmark.attribution_checks import refuse_unfit
from unmask.benchmark.attribution_page import TITLE, AttributionReport, render_attribution
from unmask.benchmark.attribution_results import (
    OPEN_PROTOCOL,
    PROTOCOL,
    AttributionResult,
    OpenSetResult,
)
from unmask.benchmark.attribution_runs import Asked, Net, ask_all, makers_of, planned
from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings
from unmask.benchmark.attribution_tables import write_attribution_tables
from unmask.benchmark.compression import Story
from unmask.benchmark.result_file import write_record
from unmask.benchmark.study import keep_only, same_study
from unmask.benchmark.trainings import Training
from unmask.catalog import Catalog, hash_file, read_catalog
from unmask.contracts import REAL
from unmask.files import write_whole
from unmask.provenance import now, this_commit, versions
from unmask.settings import to_plain
from unmask.training.data import read_faces

# Settings that no training depends on, or that only add some.
FREE = (
    *("detectors", "methods", "open_detectors", "leave_out", "held_out", "mixed", "qualities"),
    *("aggregate", "confidence", "accepted", "resamples", "workers", "cache_gib"),
)
MACHINE = ("device", "workers", "cache_gib")
SOME_STAND_INS = "Some of the people in these clips do not exist: their “real” clips are made, too."


def attribution_benchmark(
    settings: AttributionBenchmarkSettings,
    *,
    training: Training | None = None,
    story: Story | None = None,
) -> Path:
    """Train networks to name the maker of a fake, and test them on persons never seen.

    Each is trained at one quality and tested at every one; then with makers left out, to see
    whether it says “none of these” of them.

    Args:
        settings: what to compare on what.
        training: training settings by the detector's name, over those of the TOML file.
        story: what the page says besides the figures.

    Returns:
        The page. The tables lie beside it as Markdown, CSV and LaTeX, the figures they are made
        of under `results/`, the probabilities under `scores/` and the networks under
        `checkpoints/`.

    Raises:
        NotFoundError: if a file, a detector, a maker, a quality or a setting does not exist.
        InvalidInputError: if a split or a class is missing, too few makers are left to tell
            apart, or `out` holds another study.
        LeakageError: if the test split shares videos or persons with a training, or with the
            videos that a threshold is chosen on.
    """
    catalog = read_catalog(settings.catalog)
    methods = makers_of(catalog, settings)
    nets = list(planned(settings, methods, training or {}))
    faces = read_faces(settings.faces)
    refuse_unfit(nets, catalog, faces)
    same_study(settings.out, _identity(settings, catalog, nets))
    asked = ask_all(settings, nets, catalog)
    study = Study(settings, catalog, faces, _reproduced(settings))
    results = [one for net in asked if not net.net.left_out for one in known_results(study, net)]
    unknown = [one for net in asked for one in unknown_results(study, net)]
    return _report(study, asked, results, unknown, story or _story(settings, catalog))


def _story(settings: AttributionBenchmarkSettings, catalog: Catalog) -> Story:
    """Return what the page says where nobody has told it: how to make it again, and of whom."""
    words = [f"unmask benchmark attribution {settings.catalog.name} {settings.faces.name}"]
    words.append(settings.out.name)
    for one in fields(settings):
        value = getattr(settings, one.name)
        if one.default not in (MISSING, value) and one.name not in MACHINE:
            words.append(_option(one.name.replace("_", "-"), value))
    people = catalog.filter(label=REAL).table["original_label"]
    made = people.str.contains("stand-in").fill_null(False)
    is_stand_in = len(made) > 0 and made.all()
    caveats = (SOME_STAND_INS,) if made.any() and not is_stand_in else ()
    return Story(title=TITLE, caveats=caveats, stand_in=is_stand_in, command=" ".join(words))


def _option(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    if isinstance(value, Path):
        return f"--{name} {value.name}"
    return f"--{name} {','.join(value) if isinstance(value, tuple) else value}"


def _identity(
    settings: AttributionBenchmarkSettings, catalog: Catalog, nets: Sequence[Net]
) -> dict[str, Any]:
    """Return what all figures depend on; detectors and makers to leave out may be added."""
    plain = to_plain(settings)
    asked = {name: value for name, value in plain.items() if name not in (*PATHS, *FREE)}
    trainings = {f"training {net.training.detector}": told_training(net.training) for net in nets}
    return {
        "protocol": PROTOCOL,
        "makers": list(nets[0].methods),
        "catalog_sha256": catalog.content_hash(),
        "faces_sha256": hash_file(settings.faces),
        **asked,
        **trainings,
    }


def _report(
    study: Study,
    asked: Sequence[Asked],
    results: Sequence[AttributionResult],
    unknown: Sequence[OpenSetResult],
    story: Story,
) -> Path:
    """Write results, tables and the page."""
    out = study.settings.out
    for known in results:
        write_record(known, known.name, out / "results")
    for one in unknown:
        write_record(one, one.name, out / "results")
    keep_only(out / "results", f"{PROTOCOL}-*.json", [one.name for one in results])
    keep_only(out / "results", f"{OPEN_PROTOCOL}-*.json", [one.name for one in unknown])
    write_attribution_tables(results, unknown, out / "tables")
    nets = {one.net.name: one for one in asked}
    report = AttributionReport(
        results=results,
        unknown=unknown,
        confidences={
            one.name: drawn_confidences(study, nets[one.checkpoint.name], one) for one in unknown
        },
        clips={
            one.net.name: watched(one, study.catalog, study.faces)
            for one in asked
            if not one.net.left_out
        },
        story=story,
    )
    return write_whole(out / "report.html", render_attribution(report).encode())


def _reproduced(settings: AttributionBenchmarkSettings) -> dict[str, Any]:
    plain = {name: value for name, value in to_plain(settings).items() if name not in PATHS}
    return {
        "aggregate": settings.aggregate,
        "seed": settings.seed,
        "settings": plain,
        "commit": this_commit(),
        "versions": versions(),
        "created": now(),
    }
