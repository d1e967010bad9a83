"""What the figures of a defence mean, in sentences."""

from collections.abc import Sequence

from unmask.benchmark.defence_results import DefenceResult, GuardResult, Tried
from unmask.benchmark.markup import Markup, breakable, tag
from unmask.benchmark.tables import figure

FEW_VIDEOS = 30
LITTLE = 0.1  # of the fakes found before: who keeps no more under every attack has failed
ALARMS = 0.1  # of the reals: who calls everything fake withstands every attack
COST = 0.02  # of AUC: less is not worth a word


def verdict(result: DefenceResult, undefended: DefenceResult) -> list[Markup | str]:
    """Return the defence's name and sentences on what it withstands and what it costs."""
    sentences = [
        _withstands(result),
        _alarms(result),
        _static(result),
        _costs(result, undefended),
        _other(result, undefended),
        _masked(result),
    ]
    told = " ".join(one for one in sentences if one)
    return [tag("strong", breakable(result.defence.name)), f": {told}"]


def limits(results: Sequence[DefenceResult], guards: Sequence[GuardResult] = ()) -> list[str]:
    """Return what a reader has to know of how far the figures reach."""
    first = results[0]
    told = [
        "Faces are attacked as tensors in 256 levels. Coding, decoding and finding the face again "
        "weaken an attack; the protocol attack measures by how much.",
        f"A face is judged fake from {figure(first.threshold)} on, the same for all: an attack "
        "aims at that. A detector whose own threshold lies elsewhere loses accuracy by it, not "
        "AUC.",
        "What withstands these attacks may fall to a better one; what falls to one has failed.",
        "Only fakes are attacked, to pass as real.",
    ]
    if any("over_draws" in trial.measures for one in results for trial in one.tried):
        told.append(
            "A random defence is judged by one draw that the face's own content fixes, so that the "
            "figure can be repeated; the table over draws says what chance would give."
        )
    fewest = min(first.counts.real_videos, first.counts.fake_videos)
    if fewest < FEW_VIDEOS:
        told.append(
            f"The test holds only {fewest} videos of a class. Intervals of so few come out too "
            "short near 0 and 1: read them as the least that is uncertain."
        )
    fakes = first.frame.decisions.true_positives + first.frame.decisions.false_negatives
    if first.attacked < fakes:
        told.append(
            f"{first.attacked} of the {fakes} faces of fakes were attacked, evenly spread over "
            "them."
        )
    notes = [note for one in results for note in one.notes]
    notes += [note for one in guards for note in one.notes]
    return told + list(dict.fromkeys(notes))


def percent(share: float) -> str:
    """Return a share in percent that says 0 and 100 only where it is exactly so.

    Example:
        >>> [percent(share) for share in (0.0, 0.0002, 0.125, 0.9997, 1.0)]
        ['0 %', '<0.1 %', '12.5 %', '>99.9 %', '100 %']
    """
    told = f"{100 * share:.1f}"
    if told == "0.0" and share > 0:
        return "<0.1 %"
    if told == "100.0" and share < 1:
        return ">99.9 %"
    return f"{told} %".replace(".0 %", " %")


def _withstands(result: DefenceResult) -> str:
    before, after = result.robust["clean"].value, result.robust["all"].value
    if not before:
        return "It finds no fake even without an attack, so that there is nothing to withstand."
    worst = _worst(result, static=False)
    told = (
        f"{worst.attack} fools {_percent(worst)} of the faces that it judged fake" if worst else ""
    )
    if after <= LITTLE * before:
        return f"It does not withstand: {told}."
    return (
        f"It finds {percent(before)} of the fakes clean and {percent(after)} under every "
        f"attack; {told}."
    )


def _alarms(result: DefenceResult) -> str:
    share = 1 - result.reals_right
    return f"It calls {percent(share)} of the clean reals fake." if share > ALARMS else ""


def _static(result: DefenceResult) -> str:
    static, own = _worst(result, static=True), _worst(result, static=False)
    if not (static and own and static.success and own.success):
        return ""
    if own.success.value - static.success.value <= LITTLE:
        return ""
    return (
        f"Attacks made on the undefended detector fool at most {_percent(static)} of them: who "
        "measures only those takes it for better than it is."
    )


def _costs(result: DefenceResult, undefended: DefenceResult) -> str:
    own, without = (one.frame.metrics["auc"].value for one in (result, undefended))
    if without - own <= COST:
        return ""
    return f"On clean faces it costs AUC: {figure(own)} against {figure(without)}."


def _other(result: DefenceResult, undefended: DefenceResult) -> str:
    own, without = result.method("other"), undefended.method("other")
    if own is None or without is None or without.frame.value - own.frame.value <= COST:
        return ""
    return (
        "On forgeries that none of them was trained on it costs AUC: "
        f"{figure(own.frame.value)} against {figure(without.frame.value)}."
    )


def _masked(result: DefenceResult) -> str:
    if not result.is_checked:
        return "Whether its gradients are masked was not checked: too few faces."
    found = [check.name.lower() for check in result.checks if check.state == "suspicious"]
    if not found:
        return ""
    return (
        f"Its gradients may be masked (not so: {'; '.join(found)}), so a stronger attack may well "
        "fool more."
    )


def _worst(result: DefenceResult, *, static: bool) -> Tried | None:
    """Return the most successful of the attacks that count towards the worst case."""
    tried = [
        one
        for one in result.tried
        if one.is_static == static and result.is_counted(one) and one.success
    ]
    return max(tried, key=lambda one: one.success.value if one.success else 0.0, default=None)


def _percent(trial: Tried) -> str:
    return percent(trial.success.value) if trial.success else "none"
