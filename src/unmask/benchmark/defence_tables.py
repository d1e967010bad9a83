"""The tables of the defence protocol."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from unmask.benchmark.defence_measure import OTHER
from unmask.benchmark.defence_results import (
    COMPARED,
    PROTOCOL,
    DefenceResult,
    GuardResult,
    Telling,
    Tried,
)
from unmask.benchmark.results import Level, Measured
from unmask.benchmark.tables import Cell, Row, Table, interval_notes, write_table

STATIC, OWN = "made on the undefended", "made on the defence"


def overview_table(results: Sequence[DefenceResult]) -> Table:
    """Return defences by what they do on clean faces, under each attack, and on other methods."""
    attacks = compared_attacks(results)
    radius = results[0].radius
    within = "" if radius is None else f" of radius {radius:g} of 255 or less"
    rows = [
        _row(
            (one.defence.name,),
            [
                one.frame.metrics["auc"],
                one.frame.metrics["accuracy"],
                one.robust["clean"],
                *(_measure(one.trial(name), "found") for name in attacks),
                one.robust["all"],
                _other(one),
            ],
        )
        for one in results
    ]
    columns = [
        *("AUC", "accuracy", "fakes found, clean"),
        *attacks.values(),
        *("every attack", "AUC, other"),
    ]
    return _table(
        "Clean faces by AUC and accuracy, fakes found under each attack on the defence itself and "
        f"under every attack{within}, and AUC on forgery methods that none of them was trained on",
        ("Defence",),
        columns,
        rows,
        "defence",
        "column",
    )


def success_table(results: Sequence[DefenceResult]) -> Table:
    """Return defences by the success of each attack: made on the undefended one, and on itself."""
    attacks = compared_attacks(results)
    rows = [
        _row(
            (one.defence.name, told),
            [_measure(one.trial(name, static=static), "success") for name in attacks],
        )
        for one in results
        for told, static in ((STATIC, True), (OWN, False))
        if not static or any(trial.is_static for trial in one.tried)
    ]
    title = "Faces judged real, of the fakes that the defence judged fake before"
    table = _table(title, ("Defence", "Attack"), list(attacks.values()), rows, "success", "attack")
    return replace(table, notes=(*_unchanged(results), *table.notes))


def draws_table(results: Sequence[DefenceResult]) -> Table | None:
    """Return the same for random defences, over many draws; None if none is random."""
    attacks = compared_attacks(results)
    rows = [
        _row((one.defence.name,), [_measure(one.trial(name), "over_draws") for name in attacks])
        for one in results
        if any("over_draws" in trial.measures for trial in one.tried)
    ]
    if not rows:
        return None
    title = "Draws of a random defence in which an attacked face is judged real"
    return _table(title, ("Defence",), list(attacks.values()), rows, "over_draws", "attack")


def method_table(results: Sequence[DefenceResult], level: Level = "frame") -> Table:
    """Return defences, with what they were trained on, by the AUC of each forgery method."""
    names = list(dict.fromkeys(name for one in results for name in one.test.methods))
    rows = []
    for one in results:
        found = [one.method(name) for name in names]
        known = [name for name, of in zip(names, found, strict=True) if of and of.known]
        cells = [None if of is None else getattr(of, level) for of in found]
        told = ", ".join(known) if known else "none of them"
        told = told if one.training_is_known else "unknown"
        rows.append(
            _row((f"{one.defence.name} (trained on {told})",), [*cells, _other(one, level)])
        )
    title = f"AUC of clean faces by forgery method, by {'face' if level == 'frame' else 'video'}"
    columns = [*names, "all that none was trained on"]
    return _table(title, ("Defence",), columns, rows, "auc", "method", level=level, above=0.5)


def guard_table(guards: Sequence[GuardResult]) -> Table | None:
    """Return guards and the victims of attacks by the AUC of telling attacked from clean faces."""
    attacks = list(dict.fromkeys(told.attack for one in guards for told in one.tellings))
    rows = [
        _row(
            (one.guard.name, f"made on {victim}"),
            [
                next(
                    (
                        told.auc
                        for told in one.tellings
                        if (told.made_on, told.attack) == (victim, attack)
                    ),
                    None,
                )
                for attack in attacks
            ],
        )
        for one in guards
        for victim in dict.fromkeys(told.made_on for told in one.tellings)
    ]
    if not rows:
        return None
    title = "AUC of telling attacked fakes from the same fakes before the attack"
    table = _table(title, ("Guard", "Attack"), attacks, rows, "auc", "attack", above=0.5)
    left_out = [_partly(told) for one in guards for told in one.tellings]
    return replace(table, notes=(*dict.fromkeys(filter(None, left_out)), *table.notes))


def compared_attacks(results: Sequence[DefenceResult]) -> dict[str, str]:
    """Return the attacks that all defences were put to, in their order: name and title.

    The title tells the radius where it is not the one up to which attacks are counted.
    """
    titles = {}
    for trial in (trial for one in results for trial in one.tried if trial.role in COMPARED):
        told = "no radius" if trial.radius is None else f"radius {trial.radius:g}"
        common = trial.radius == results[0].radius
        titles[trial.attack] = trial.attack if common else f"{trial.attack} ({told})"
    return titles


def _unchanged(results: Sequence[DefenceResult]) -> list[str]:
    """Return what static attacks have left as it was: the same for all that they are shown to."""
    told = [
        f"{trial.attack} changed {trial.shown} of {one.attacked} faces on the undefended "
        "detector; only those count."
        for one in results
        for trial in one.tried
        if trial.is_static and trial.shown < one.attacked
    ]
    return list(dict.fromkeys(told))


def _partly(told: Telling) -> str:
    if told.faces == told.attacked:
        return ""
    return (
        f"{told.attack} on {told.made_on} changed {told.faces} of {told.attacked} faces; only "
        "those count."
    )


def write_defence_tables(
    results: Sequence[DefenceResult], guards: Sequence[GuardResult], folder: Path
) -> None:
    """Write every table as Markdown, CSV and LaTeX; an earlier one that is now empty goes."""
    tables = {
        "overview": overview_table(results),
        "success": success_table(results),
        "draws": draws_table(results),
        "methods_by_face": method_table(results, "frame"),
        "methods_by_video": method_table(results, "video"),
        "guards": guard_table(guards),
    }
    for name, table in tables.items():
        if table:
            write_table(table, folder, f"{PROTOCOL}_{name}")
            continue
        for path in folder.glob(f"{PROTOCOL}_{name}.*"):
            path.unlink()


def _other(result: DefenceResult, level: Level = "frame") -> Measured | None:
    other = result.method(OTHER)
    if other is None:
        return None
    return other.frame if level == "frame" else other.video


def _measure(trial: Tried | None, name: str) -> Measured | None:
    return trial.measures.get(name) if trial else None


def _row(heads: tuple[str, ...], measured: Iterable[Measured | None]) -> Row:
    return Row(heads, tuple(map(Cell, measured)))


def _table(
    title: str,
    heads: tuple[str, ...],
    columns: Sequence[str],
    rows: Sequence[Row],
    metric: str,
    across: str,
    *,
    level: Level = "frame",
    above: float = 0.0,
) -> Table:
    return Table(
        title=title,
        heads=heads,
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(interval_notes(rows)),
        level=level,
        metric=metric,
        across=across,
        shaded_from=above,
    )
