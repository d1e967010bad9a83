"""Signs that a defence hides its gradients from attacks instead of withstanding them.

Reference:
    Athalye et al., "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 3.1.
    https://arxiv.org/abs/1802.00420
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from unmask.benchmark.defence_measure import Measuring, fooled_by
from unmask.benchmark.defence_results import Check, State
from unmask.benchmark.defence_trials import ONE_STEP, UNBOUNDED, Trial

TOLERANCE = 0.05  # share of the faces that chance may turn against what must hold
NOT_DONE: State = "not done"


@dataclass(frozen=True)
class _Faces:
    """Which attacks fooled each face that the defence judged fake before."""

    fooled: pl.DataFrame

    def by_any(self, names: Sequence[str]) -> pl.Expr:
        return pl.any_horizontal(*names)

    def share(self, hit: pl.Expr) -> float:
        return float(self.fooled.select(hit.mean()).item() or 0.0)


def gradient_checks(
    trials: Sequence[tuple[Trial, pl.DataFrame]], way: Measuring
) -> tuple[Check, ...]:
    """Return what speaks for and against masked gradients.

    All is counted face by face, over those that the defence judged fake before: that a black-box
    attack fools as many as a white-box one does not excuse it for fooling others.

    Args:
        trials: every attack on the defence itself, with its rows of `JUDGED`.
        way: how to measure.
    """
    rows: Mapping[str, pl.DataFrame] = {trial.name: found for trial, found in trials}
    faces = _Faces(fooled_by(rows, way))
    if not faces.fooled.height:
        told = "no face of a fake was judged fake before"
        return tuple(Check(name, NOT_DONE, told) for name in (BLACK_BOX, STEPS, RADIUS, UNBOUND))
    plain = [trial for trial, _ in trials if trial.role in ("own", "adaptive")]
    return (
        _black_box(plain, faces),
        _steps(plain, faces),
        _radius([trial for trial, _ in trials], faces),
        _unbounded(faces),
    )


BLACK_BOX = "Scores alone fool no face that gradients do not"
STEPS = "One step fools no face that many steps do not"
RADIUS = "Success grows with the radius"
UNBOUND = "Without a bound every face is fooled"


def _black_box(trials: Sequence[Trial], faces: _Faces) -> Check:
    blind = [one.name for one in trials if one.black_box]
    seeing = [one.name for one in trials if not one.black_box]
    return _compared(BLACK_BOX, ("scores", blind), ("gradients", seeing), faces)


def _steps(trials: Sequence[Trial], faces: _Faces) -> Check:
    one_step = [one.name for one in trials if one.method in ONE_STEP]
    many = [one.name for one in trials if one.method not in ONE_STEP and not one.black_box]
    return _compared(STEPS, ("one step", one_step), ("many steps", many), faces)


def _compared(
    name: str, weaker: tuple[str, list[str]], stronger: tuple[str, list[str]], faces: _Faces
) -> Check:
    """Check that the weaker attacks fool no face that none of the stronger ones fools."""
    for kind, attacks in (weaker, stronger):
        if not attacks:
            return Check(name, NOT_DONE, f"no attack by {kind} was made")
    shares = [faces.share(faces.by_any(attacks)) for _, attacks in (weaker, stronger)]
    only = faces.share(faces.by_any(weaker[1]) & ~faces.by_any(stronger[1]))
    told = (
        f"{weaker[0]} fooled {_percent(shares[0])}, {stronger[0]} {_percent(shares[1])}; "
        f"{weaker[0]} alone {_percent(only)}"
    )
    return Check(name, _state(only <= TOLERANCE), told)


def _radius(trials: Sequence[Trial], faces: _Faces) -> Check:
    shares = {
        radius: faces.share(pl.col(trial.name))
        for trial in trials
        if trial.role in ("adaptive", "radius") and (radius := trial.radius) is not None
    }
    if len(shares) < 2:
        return Check(RADIUS, NOT_DONE, "the adaptive attack has no radius to be changed")
    rising = sorted(shares.items())
    grows = all(after >= before - TOLERANCE for (_, before), (_, after) in pairwise(rising))
    told = ", ".join(f"{_percent(share)} at {radius:g}" for radius, share in rising)
    return Check(RADIUS, _state(grows), told)


def _unbounded(faces: _Faces) -> Check:
    share = faces.share(pl.col(UNBOUNDED))
    return Check(UNBOUND, _state(share == 1), f"{_percent(share)} of {faces.fooled.height} faces")


def _state(holds: bool) -> State:
    return "passed" if holds else "suspicious"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %".replace(".0 %", " %")
