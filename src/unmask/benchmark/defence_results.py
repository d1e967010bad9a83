"""Results of the defence protocol: one JSON file for each defence, or detector of attacks."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from unmask.benchmark.result_file import read_record, read_records
from unmask.benchmark.results import Checkpoint, Counts, Measured, Measures, Part

PROTOCOL, GUARD_PROTOCOL = "defence", "guard"
UNNAMED = ("batch", "device", "workers")  # settings of how, not of what is measured

# What an attack is tried for.
Role = Literal["own", "adaptive", "radius", "unbounded"]
COMPARED = ("own", "adaptive")  # the roles of the attacks that all defences are compared by
State = Literal["passed", "suspicious", "not done"]

# What can be measured of a trial, over the faces that the defence judged fake before.
TRIAL_MEASURES = {
    "success": "Faces judged real, of those judged fake before",
    "over_draws": "The same, over many draws of the defence's randomness",
    "found": "Faces judged fake before and after, of all attacked faces of fakes",
    "queries": "Median of the queries",
    "linf": "Mean largest change of a value, of 255",
}


@dataclass(frozen=True)
class Tried:
    """One attack, and what the defence made of it.

    Args:
        attack: the name it goes by.
        role: what it was made for: one of those to compare (`own`), the attack that knows the
            defence (`adaptive`), the same at another radius, or without bound.
        is_static: whether it was made on the undefended detector and only shown to the defence.
        method: the attack's part.
        options: all its settings, resolved.
        black_box: whether it saw scores only.
        radius: the largest change of a value, of 255; None where the bound is another.
        shown: how many attacked faces count; of a static attack those that it has changed.
        faces: how many of them the defence judged fake before.
        measures: those of `TRIAL_MEASURES` that could be measured.
    """

    attack: str
    role: Role
    is_static: bool
    method: str
    options: Mapping[str, Any]
    black_box: bool
    radius: float | None
    shown: int
    faces: int
    measures: Mapping[str, Measured]

    @property
    def success(self) -> Measured | None:
        """The success, or None where no face was judged fake before."""
        return self.measures.get("success")


@dataclass(frozen=True)
class OfMethod:
    """How well one forgery method is told from reals.

    Args:
        method: its name, or `other`.
        known: whether it was trained on; None if nobody knows.
        frame: the AUC by face.
        video: the AUC by video.
    """

    method: str
    known: bool | None
    frame: Measured
    video: Measured


@dataclass(frozen=True)
class Check:
    """One sign of masked gradients that was looked for.

    Args:
        name: what a sound defence shows.
        state: whether it does.
        told: the figures that say so.
    """

    name: str
    state: State
    told: str


@dataclass(frozen=True)
class DefenceResult:
    """One defended detector: clean, under each attack, and under one that knows the defence.

    Args:
        defence: which weights, under the name that they go by.
        undefended: the detector that it is compared with, which may be itself.
        trained_on: the forgery methods that its checkpoints name, those of guards left out.
        training_is_known: whether these are all.
        test: what it was tested on.
        counts: of the clean faces.
        attacked: how many faces of fakes were attacked.
        frame: the measures of clean faces, deciding at `threshold`.
        video: the same of videos.
        methods: the AUC of each forgery method alone; `other` pools those that no compared
            defence was trained on.
        tried: every attack on it, and those on the undefended detector that it was shown.
        radius: of the attacks that `robust` counts, of 255, or less; None if it counts all.
        robust: the share of attacked faces of fakes judged fake: `clean` before any attack, `own`
            before and after every such attack made on it, `all` after the static ones too.
        checks: the signs of masked gradients.
        threshold: a face or a video is judged fake from this score on.
        seed: of the attacks and of the resampling.
        settings: of the protocol, as JSON can hold them.
        commit: of the code.
        catalog_sha256: the content hash of the tested items.
        versions: of Python and the libraries.
        created: UTC time in ISO format.
        notes: what a reader has to know.
    """

    defence: Checkpoint
    undefended: Checkpoint
    trained_on: tuple[str, ...]
    training_is_known: bool
    test: Part
    counts: Counts
    attacked: int
    frame: Measures
    video: Measures
    methods: tuple[OfMethod, ...]
    tried: tuple[Tried, ...]
    radius: float | None
    robust: Mapping[str, Measured]
    checks: tuple[Check, ...]
    threshold: float
    seed: int
    settings: Mapping[str, Any]
    commit: str
    catalog_sha256: str
    versions: Mapping[str, str]
    created: str
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file: readable, and different for what is not the same thing."""
        return _name(PROTOCOL, self.defence, self.test, self.settings, self.undefended.sha256)

    @property
    def reals_right(self) -> float:
        """The share of clean faces of reals that are judged real."""
        found = self.frame.decisions
        return found.true_negatives / (found.true_negatives + found.false_positives)

    @property
    def robust_accuracy(self) -> float:
        """The mean of clean reals judged real and fakes found under every attack: 0.5 is blind."""
        return (self.reals_right + self.robust["all"].value) / 2

    @property
    def is_checked(self) -> bool:
        """Whether any sign of masked gradients could be looked for."""
        return any(check.state != "not done" for check in self.checks)

    def trial(self, attack: str, *, static: bool = False) -> Tried | None:
        """Return one trial, or None if there was none."""
        wanted = (attack, static)
        return next((one for one in self.tried if (one.attack, one.is_static) == wanted), None)

    def is_counted(self, trial: Tried) -> bool:
        """Whether `robust` counts an attack: one to compare by, of its radius or less."""
        return trial.role in COMPARED and is_within(trial.radius, self.radius)

    def method(self, name: str) -> OfMethod | None:
        """Return the measures of one forgery method, or of the `other` ones; None if none."""
        return next((one for one in self.methods if one.method == name), None)


@dataclass(frozen=True)
class Telling:
    """How well a guard tells the faces of one attack from the same faces before it.

    Args:
        made_on: the victim of the attack.
        attack: its name.
        faces: how many of the attacked ones were changed; only they count.
        attacked: how many were attacked.
        auc: how often an attacked face scores above a clean one.
        caught: the share of the attacked faces at or above the threshold.
    """

    made_on: str
    attack: str
    faces: int
    attacked: int
    auc: Measured
    caught: Measured


@dataclass(frozen=True)
class GuardResult:
    """One detector of attacked faces.

    Args:
        guard: which weights, under the name that they go by.
        test: what it was tested on.
        tellings: for each attack on each victim.
        false_alarms: the share of all clean faces, reals and fakes, at or above the threshold.
        faces: how many clean faces.
        threshold: a face is called attacked from this score on.
        seed: of the attacks and of the resampling.
        settings: of the protocol, as JSON can hold them.
        commit: of the code.
        catalog_sha256: the content hash of the tested items.
        versions: of Python and the libraries.
        created: UTC time in ISO format.
        notes: what a reader has to know.
    """

    guard: Checkpoint
    test: Part
    tellings: tuple[Telling, ...]
    false_alarms: Measured
    faces: int
    threshold: float
    seed: int
    settings: Mapping[str, Any]
    commit: str
    catalog_sha256: str
    versions: Mapping[str, str]
    created: str
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file: readable, and different for what is not the same thing."""
        return _name(GUARD_PROTOCOL, self.guard, self.test, self.settings)


def is_within(radius: float | None, limit: float | None) -> bool:
    """Return whether an attack's radius is one, and no larger than a limit; all are within None."""
    return limit is None or (radius is not None and radius <= limit)


def read_defence_results(folder: Path) -> list[DefenceResult]:
    """Return the results of all defences in a folder, in the order of their names.

    Raises:
        NotFoundError: if there are none.
        InvalidInputError: if a file is no result; the message has the file and the key.
    """
    return read_records(
        DefenceResult,
        folder,
        f"{PROTOCOL}-*.json",
        of="results of defences",
        by="`unmask benchmark defence`",
    )


def read_guard_results(folder: Path) -> list[GuardResult]:
    """Return the results of all detectors of attacks in a folder; there may be none.

    Raises:
        InvalidInputError: if a file is no result; the message has the file and the key.
    """
    return [
        read_record(GuardResult, path) for path in sorted(folder.glob(f"{GUARD_PROTOCOL}-*.json"))
    ]


def _name(
    protocol: str, of: Checkpoint, test: Part, settings: Mapping[str, Any], *more: str
) -> str:
    asked = {name: value for name, value in settings.items() if name not in UNNAMED}
    told = json.dumps([of.name, of.sha256, asdict(test), asked, *more], sort_keys=True)
    words = [protocol, of.name, test.dataset]
    readable = (re.sub(r"[^a-z0-9]+", "_", word.lower()) for word in words)
    return "-".join([*readable, sha256(told.encode()).hexdigest()[:6]])
