"""The tables of the defence protocol."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from unmask.benchmark.defence_measure import OTHER
from unmask.benchmark.defence_results import PROTOCOL, DefenceResult, GuardResult, Tried
from unmask.benchmark.results import Level, Measured
from unmask.benchmark.tables import Cell, Row, Table, interval_notes, write_table

STATIC, OWN = "made on the undefended", "made on the defence"
COMPARED = ("own", "adaptive")  # the roles of the attacks that all defences are compared by


def overview_table(results: Sequence[DefenceResult]) -> Table:
    """Return defences by what they do on clean faces, under each attack, and on other methods."""
    attacks = compared_attacks(results)
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
    columns = ["AUC", "accuracy", "fakes found, clean", *attacks, "every attack", "AUC, other"]
    return _table(
        "Clean faces by AUC and accuracy, fakes found under each attack on the defence itself, "
        "and AUC on forgery methods that it was not trained on",
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
    return _table(title, ("Defence", "Attack"), attacks, rows, "success", "attack")


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
    return _table(title, ("Defence",), attacks, rows, "over_draws", "attack")


def method_table(results: Sequence[DefenceResult], level: Level = "frame") -> Table:
    """Return defences by the AUC of each forgery method, starred where it was not trained on."""
    names = list(dict.fromkeys(name for one in results for name in one.test.methods))
    rows = []
    for one in results:
        found = [one.method(name) for name in names]
        known = [name for name, of in zip(names, found, strict=True) if of and of.known]
        cells = [None if of is None else getattr(of, level) for of in found]
        told = ", ".join(known) if known else "none of them"
        rows.append(
            _row((f"{one.defence.name} (trained on {told})",), [*cells, _other(one, level)])
        )
    title = f"AUC of clean faces by forgery method, by {'face' if level == 'frame' else 'video'}"
    columns = [*names, "all not trained on"]
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
    return _table(title, ("Guard", "Attack"), attacks, rows, "auc", "attack", above=0.5)


def compared_attacks(results: Sequence[DefenceResult]) -> list[str]:
    """Return the names of the attacks that all defences were put to, in their order."""
    return list(
        dict.fromkeys(
            trial.attack for one in results for trial in one.tried if trial.role in COMPARED
        )
    )


def write_defence_tables(
    results: Sequence[DefenceResult], guards: Sequence[GuardResult], folder: Path
) -> None:
    """Write every table as Markdown, CSV and LaTeX."""
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
