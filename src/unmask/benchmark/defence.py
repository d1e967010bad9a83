"""The defence protocol: what a defence costs on clean faces, and what it withstands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from unmask.adversarial.opening import OpenVictim, open_guard, open_victim
from unmask.benchmark.defence_checks import gradient_checks
from unmask.benchmark.defence_faces import faces_of, items_to_test, spread
from unmask.benchmark.defence_measure import (
    CLEAN,
    Measuring,
    changed,
    clean_measures,
    clean_scores,
    flagged,
    found_always,
    found_clean,
    methods_measured,
    telling,
    trial_measures,
)
from unmask.benchmark.defence_page import DefenceReport, render_defence
from unmask.benchmark.defence_pictures import shown_faces
from unmask.benchmark.defence_results import (
    COMPARED,
    GUARD_PROTOCOL,
    PROTOCOL,
    DefenceResult,
    GuardResult,
    Tried,
    is_within,
)
from unmask.benchmark.defence_runs import Face, Run, Seer, is_random, run_all
from unmask.benchmark.defence_settings import DefenceSettings
from unmask.benchmark.defence_tables import write_defence_tables
from unmask.benchmark.defence_trials import Trial, common_radius, planned, with_draws
from unmask.benchmark.leakage import notes_on_seen
from unmask.benchmark.result_file import write_record
from unmask.benchmark.results import Checkpoint, Part
from unmask.benchmark.study import same_study
from unmask.catalog import Catalog, read_catalog
from unmask.contracts import FAKE
from unmask.errors import InvalidInputError
from unmask.execution.journal import key_of
from unmask.files import write_whole
from unmask.provenance import now, this_commit, versions
from unmask.settings import to_plain
from unmask.training.checkpoint import Card
from unmask.training.setup import device_for


@dataclass(frozen=True)
class _Defence:
    """A defence, opened, with the attacks that it is put to."""

    seer: Seer
    opened: OpenVictim
    trials: tuple[Trial, ...]

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.seer.name, self.seer.sha256)

    @property
    def cards(self) -> tuple[Card, ...]:
        """Those of its detectors; a guard was not trained to tell forgeries."""
        return tuple(card for card in self.opened.cards if "real" in card.classes)

    @property
    def methods(self) -> tuple[str, ...]:
        """The forgery methods that any of its detectors is said to be trained on."""
        return tuple(sorted({name for card in self.cards for name in card.trained_on["methods"]}))

    @property
    def training_is_known(self) -> bool:
        """Whether `methods` are all."""
        return all(card.seen_is_known for card in self.cards)


@dataclass(frozen=True)
class _Study:
    """All that the results are made of."""

    settings: DefenceSettings
    test: Catalog
    defences: tuple[_Defence, ...]
    guards: tuple[Seer, ...]
    rows: pl.DataFrame
    notes: tuple[str, ...]

    def seen(self, by: Seer, attack: str, made_on: Seer | None = None) -> pl.DataFrame:
        """Return the rows of one attack, or of none, as one detector saw them."""
        found = self.rows.filter(pl.col("seen_by") == by.name, pl.col("attack") == attack)
        return found.filter(pl.col("made_on") == made_on.name) if made_on else found

    @property
    def new_methods(self) -> tuple[str, ...]:
        """The forgery methods of the test that no defence was trained on."""
        known = {name for one in self.defences for name in one.methods}
        return tuple(sorted(set(self.test.table["method"].drop_nulls()) - known))


def defence(settings: DefenceSettings) -> Path:
    """Compare defences: clean, under each attack, and under one that knows them.

    Everything happens to prepared faces in 256 levels; no video is written.

    Args:
        settings: what to compare on what.

    Returns:
        The page. The tables lie beside it as Markdown, CSV and LaTeX, the figures they are made
        of under `results/`, and what each detector said of each face in `judged.parquet`.

    Raises:
        NotFoundError: if a file, a checkpoint, an attack or an option does not exist.
        LeakageError: if a checkpoint has seen a video or a person of the test items.
        InvalidInputError: if a class is missing, two defences have one name, or `out` holds
            another study.
    """
    trials = planned(settings.attacks, settings.adaptive, settings.levels)
    defences = [_opened(text, trials, settings.draws) for text in settings.defences]
    guards = [open_guard(text) for text in settings.guards]
    seers = [
        Seer(text, one.name, one.sha256, is_guard=True)
        for text, one in zip(settings.guards, guards, strict=True)
    ]
    _refuse_one_name([*(one.seer for one in defences), *seers])
    catalog = read_catalog(settings.catalog)
    test = items_to_test(catalog, settings)
    opened = [*(one.opened for one in defences), *guards]
    notes = [
        note
        for victim in opened
        for card in victim.cards
        for note in notes_on_seen(card, test, lineage=catalog)
    ]
    faces = faces_of(test, settings)
    device = device_for(settings.device)
    same_study(settings.out, _identity(settings, defences, faces, device))
    rows = run_all(
        list(_runs(settings, defences, seers, faces, device)),
        journal=settings.out / "journal.jsonl",
        workers=settings.workers if device == "cpu" else 1,
    )
    notes = list(dict.fromkeys(notes))
    study = _Study(settings, test, tuple(defences), tuple(seers), rows, tuple(notes))
    return _report(study, faces)


def _opened(text: str, trials: Sequence[Trial], draws: int) -> _Defence:
    victim = open_victim(text)
    if is_random(victim.detector):
        trials = [one if one.role == "own" else with_draws(one, draws) for one in trials]
    return _Defence(Seer(text, victim.name, victim.sha256), victim, tuple(trials))


def _refuse_one_name(seers: Sequence[Seer]) -> None:
    names = [one.name for one in seers]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InvalidInputError(
            f"each defence and guard must have a name of its own, got {twice[0]!r} more than "
            "once; rename a checkpoint's folder, or leave one out"
        )


def _identity(
    settings: DefenceSettings, defences: Sequence[_Defence], faces: Sequence[Face], device: str
) -> dict[str, Any]:
    """Return what pictures and figures depend on; attacks, defences and guards may be added."""
    left_out = ("attacks", "resamples")
    asked = {
        name: value for name, value in _without_paths(settings).items() if name not in left_out
    }
    weights = {f"defence {one.seer.name}": one.seer.sha256 for one in defences}
    told = {
        "protocol": PROTOCOL,
        "device": device,
        "faces": key_of([one.identity for one in faces]),
    }
    return asked | weights | told


def _runs(
    settings: DefenceSettings,
    defences: Sequence[_Defence],
    guards: Sequence[Seer],
    faces: Sequence[Face],
    device: str,
) -> Iterator[Run]:
    """Yield every attack on every defence, and a look of all at the clean faces."""

    def run(
        some: Sequence[Face], trial: Trial | None, made_on: Seer | None, *by: Seer, kept: str = ""
    ) -> Run:
        return Run(tuple(some), trial, made_on, by, settings.seed, device, settings.out, kept)

    seers = [one.seer for one in defences]
    for some in _batches(faces, settings.batch):
        yield run(some, None, None, *seers, *guards)
    fakes = spread([one for one in faces if one.label == FAKE], settings.most_faces)
    for place, one in enumerate(defences):
        for trial in one.trials:
            by = [one.seer]
            if trial.role in COMPARED:
                by = [*(seers if place == 0 else by), *guards]
            for number, some in enumerate(_batches(fakes, settings.batch)):
                is_shown = number == 0 and trial.role == "adaptive"
                kept = f"pictures/{one.seer.name}" if is_shown else ""
                yield run(some, trial, one.seer, *by, kept=kept)


def _batches(faces: Sequence[Face], size: int) -> Iterator[Sequence[Face]]:
    return (faces[start : start + size] for start in range(0, len(faces), size))


def _report(study: _Study, faces: Sequence[Face]) -> Path:
    """Write results, tables and the page."""
    settings = study.settings
    content = BytesIO()
    study.rows.write_parquet(content)
    write_whole(settings.out / "judged.parquet", content.getvalue())
    results = [_result(study, one) for one in study.defences]
    guards = [_guard_result(study, one) for one in study.guards]
    folder = settings.out / "results"
    written = {write_record(one, one.name, folder) for one in results}
    written |= {write_record(one, one.name, folder) for one in guards}
    for protocol in (PROTOCOL, GUARD_PROTOCOL):
        for path in set(folder.glob(f"{protocol}-*.json")) - written:
            path.unlink()  # of earlier settings: the page and the tables no longer tell of it
    write_defence_tables(results, guards, settings.out / "tables")
    pictures = shown_faces(
        [(one.seer.name, one.opened.detector) for one in study.defences],
        study.rows,
        faces,
        out=settings.out,
    )
    page = render_defence(DefenceReport(results, guards, pictures))
    return write_whole(settings.out / "report.html", page.encode())


def _result(study: _Study, one: _Defence) -> DefenceResult:
    way, undefended = study.settings.way, study.defences[0]
    scores = clean_scores(study.seen(one.seer, CLEAN), study.test.table)
    clean = clean_measures(scores, way)
    own = [(trial, study.seen(one.seer, trial.name, one.seer)) for trial in one.trials]
    static = [
        (trial, study.seen(one.seer, trial.name, undefended.seer))
        for trial in undefended.trials
        if one is not undefended and trial.role in COMPARED
    ]
    radius = common_radius(one.trials, study.settings.levels)
    robust = {
        name: [
            rows
            for trial, rows in trials
            if trial.role in COMPARED and is_within(trial.radius, radius)
        ]
        for name, trials in (("own", own), ("all", [*own, *static]))
    }
    found = {name: found_always(trials, way) for name, trials in robust.items()}
    attacked = own[0][1]
    return DefenceResult(
        defence=one.checkpoint,
        undefended=undefended.checkpoint,
        trained_on=one.methods,
        training_is_known=one.training_is_known,
        counts=clean.counts,
        attacked=attacked.height,
        frame=clean.frame,
        video=clean.video,
        methods=methods_measured(
            scores, one.methods if one.training_is_known else None, study.new_methods, way
        ),
        tried=tuple(
            _tried(trial, rows, is_static=is_static, way=way)
            for trials, is_static in ((own, False), (static, True))
            for trial, rows in trials
        ),
        radius=radius,
        robust={"clean": found_clean(attacked, way)} | found,
        checks=gradient_checks(own, way),
        **_provenance(study),
    )


def _tried(trial: Trial, rows: pl.DataFrame, *, is_static: bool, way: Measuring) -> Tried:
    rows = changed(rows) if is_static else rows
    faces, measures = trial_measures(rows, way)
    return Tried(
        attack=trial.name,
        role=trial.role,
        is_static=is_static,
        method=trial.method,
        options=trial.create()[1],
        black_box=trial.black_box,
        radius=trial.radius,
        shown=rows.height,
        faces=faces,
        measures=measures,
    )


def _guard_result(study: _Study, guard: Seer) -> GuardResult:
    way, clean = study.settings.way, study.seen(guard, CLEAN)
    found = [
        telling(study.seen(guard, trial.name, one.seer), way)
        for one in study.defences
        for trial in one.trials
        if trial.role in COMPARED
    ]
    return GuardResult(
        guard=Checkpoint(guard.name, guard.sha256),
        tellings=tuple(one for one in found if one),
        false_alarms=flagged(clean, way),
        faces=clean.height,
        **_provenance(study),
    )


def _provenance(study: _Study) -> dict[str, Any]:
    settings, names = study.settings, study.test.table
    return {
        "test": Part(
            dataset="+".join(names["dataset"].unique().sort()),
            qualities=tuple(str(one or "unknown") for one in names["quality"].unique().sort()),
            split=settings.split or "all",
            methods=tuple(names["method"].drop_nulls().unique().sort()),
        ),
        "threshold": settings.threshold,
        "seed": settings.seed,
        "settings": _without_paths(settings),
        "commit": this_commit(),
        "catalog_sha256": study.test.content_hash(),
        "versions": versions(),
        "created": now(),
        "notes": study.notes,
    }


def _without_paths(settings: DefenceSettings) -> dict[str, Any]:
    """Return the settings without what tells of a machine, not of the measurement."""
    left_out = ("catalog", "faces", "out", "defences", "guards", "workers")
    return {name: value for name, value in to_plain(settings).items() if name not in left_out}
