"""Signs that a defence hides its gradients from attacks instead of withstanding them.

Reference:
    Athalye et al., "Obfuscated Gradients Give a False Sense of Security", ICML 2018, section 3.1.
    https://arxiv.org/abs/1802.00420
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from unmask.benchmark.defence_measure import Measuring, fooled_by
from unmask.benchmark.defence_results import Check, State
from unmask.benchmark.defence_trials import Trial
from unmask.benchmark.defence_words import percent

TOLERANCE = 0.05  # share of the faces that chance may turn against what must hold
FEWEST_FACES, FEWEST_VIDEOS = 10, 2  # of less nothing is said
NOT_DONE: State = "not done"

BLACK_BOX = "Scores alone fool no face that gradients do not"
STEPS = "One step fools no face that many steps do not"
RADIUS = "Success grows with the radius"
UNBOUND = "Without a bound every face is fooled"


@dataclass(frozen=True)
class _Faces:
    """Which attacks fooled each face that the defence judged fake before."""

    fooled: pl.DataFrame

    @property
    def videos(self) -> int:
        return self.fooled["item"].n_unique()

    def __str__(self) -> str:
        return f"{self.fooled.height} faces of {self.videos} videos"

    def share(self, hit: pl.Expr) -> float:
        return float(self.fooled.select(hit.mean()).item())

    def checked(self, name: str, holds: bool, told: str) -> Check:
        return Check(name, "passed" if holds else "suspicious", f"{told} ({self})")


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
    faces = _Faces(fooled_by({trial.name: found for trial, found in trials}, way))
    if faces.fooled.height < FEWEST_FACES or faces.videos < FEWEST_VIDEOS:
        told = (
            f"only {faces} were judged fake before; it takes {FEWEST_FACES} faces of "
            f"{FEWEST_VIDEOS} videos"
        )
        return tuple(Check(name, NOT_DONE, told) for name in (BLACK_BOX, STEPS, RADIUS, UNBOUND))
    made = [trial for trial, _ in trials]
    plain = [one for one in made if one.role in ("own", "adaptive")]
    strong = [one for one in made if not (one.is_unbounded or one.black_box or one.one_step)]
    return (
        _compared(BLACK_BOX, "scores", [one for one in plain if one.black_box], strong, faces),
        _compared(STEPS, "one step", [one for one in plain if one.one_step], strong, faces),
        _radius(made, faces),
        _unbounded(made, faces),
    )


def _compared(
    name: str, kind: str, weaker: Sequence[Trial], stronger: Sequence[Trial], faces: _Faces
) -> Check:
    """Check each weaker attack against the stronger ones that may change a face no more than it."""
    if not weaker:
        return Check(name, NOT_DONE, f"no attack by {kind} was made")
    matches = {
        weak.name: names
        for weak in weaker
        if (names := [one.name for one in stronger if _is_no_wider(one, weak)])
    }
    if not matches:
        told = f"no attack by many steps has the radius of one by {kind}, or a smaller one"
        return Check(name, NOT_DONE, told)
    alone = [pl.col(weak) & ~pl.any_horizontal(*names) for weak, names in matches.items()]
    weak, strong, only = (
        percent(faces.share(pl.any_horizontal(*hits)))
        for hits in (matches, {one for names in matches.values() for one in names}, alone)
    )
    told = f"{kind} fooled {weak}, many steps {strong}; {kind} alone {only}"
    return faces.checked(name, faces.share(pl.any_horizontal(*alone)) <= TOLERANCE, told)


def _is_no_wider(one: Trial, other: Trial) -> bool:
    return one.radius is not None and other.radius is not None and one.radius <= other.radius


def _radius(trials: Sequence[Trial], faces: _Faces) -> Check:
    shares = {
        radius: faces.share(pl.col(trial.name))
        for trial in trials
        if trial.role in ("adaptive", "radius") and (radius := trial.radius) is not None
    }
    if len(shares) < 2:
        return Check(RADIUS, NOT_DONE, "the adaptive attack has no radius to be changed")
    rising = sorted(shares.items())
    falls = any(after < before - TOLERANCE for (_, before), (_, after) in pairwise(rising))
    (_, first), (_, last) = rising[0], rising[-1]
    is_flat = last - first <= TOLERANCE and last < 1 - TOLERANCE
    told = ", ".join(f"{percent(share)} at {radius:g}" for radius, share in rising)
    return faces.checked(RADIUS, not falls and not is_flat, told)


def _unbounded(trials: Sequence[Trial], faces: _Faces) -> Check:
    share = faces.share(pl.any_horizontal(*(one.name for one in trials if one.is_unbounded)))
    return faces.checked(UNBOUND, share == 1, percent(share))
