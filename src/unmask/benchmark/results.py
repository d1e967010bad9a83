"""Results: one JSON file for each detector, as trained on one set and tested on another."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from unmask.benchmark.result_file import read_record, read_records, write_record
from unmask.errors import unknown_name

Level = Literal["frame", "video"]


@dataclass(frozen=True)
class Metric:
    """How a measure is named and read."""

    title: str
    higher_is_better: bool = True


METRICS: dict[str, Metric] = {
    "auc": Metric("AUC"),
    "average_precision": Metric("Average precision"),
    "eer": Metric("Equal error rate", higher_is_better=False),
    "accuracy": Metric("Accuracy"),
    "balanced_accuracy": Metric("Balanced accuracy"),
    "tpr_at_fpr_0.01": Metric("True positives at 1 % false"),
    "tpr_at_fpr_0.1": Metric("True positives at 10 % false"),
    "ece": Metric("Calibration error (ECE)", higher_is_better=False),
    "brier": Metric("Brier score", higher_is_better=False),
}


@dataclass(frozen=True)
class Measured:
    """A measure with its 95 % interval; `method` says how that was made, or why there is none."""

    value: float
    low: float | None
    high: float | None
    method: str


@dataclass(frozen=True)
class Decisions:
    """How many reals and fakes were judged right and wrong at the threshold."""

    true_negatives: int
    false_positives: int
    false_negatives: int
    true_positives: int


@dataclass(frozen=True)
class Measures:
    """All that is measured on one level: on faces in frames, or on videos."""

    metrics: Mapping[str, Measured]
    decisions: Decisions


@dataclass(frozen=True)
class Checkpoint:
    """What was tested: a name without a path, and the weights' hash, or that of an `OpenVictim`."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Part:
    """What was trained or tested on: a data set's qualities, split and (all, or these) methods."""

    dataset: str
    qualities: tuple[str, ...]
    split: str
    methods: tuple[str, ...] = ()

    @property
    def quality(self) -> str:
        """The quality, or `mixed` where there are several."""
        return self.qualities[0] if len(self.qualities) == 1 else "mixed"


@dataclass(frozen=True)
class Thresholds:
    """At which score a face and a video are judged fake, and how that was chosen."""

    frame: float
    video: float
    rule: str
    chosen_on: str


@dataclass(frozen=True)
class Counts:
    """What was scored, and what was not: `dropped` counts items by status."""

    videos: int
    real_videos: int
    fake_videos: int
    persons: int
    frames: int
    faces: int
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Published:
    """A published figure for the same detector, training and test; `value` is a share."""

    metric: str
    level: Level
    value: float
    source: str
    note: str = ""


@dataclass(frozen=True)
class Result:
    """One detector, trained on one part of a data set and tested on another.

    Args:
        protocol: the name of the protocol that asked for it.
        detector: the detector's name.
        checkpoint: the weights that were tested.
        train: what they were trained on.
        test: what they were tested on.
        counts: what was scored and what was dropped.
        frame: the measures on faces, pooled over all frames of the whole test set.
        video: the measures on videos.
        aggregate: the rule that makes a video's score of its faces' scores.
        thresholds: where decisions were taken.
        seed: of the training.
        settings: of the protocol, as JSON can hold them.
        commit: of the code.
        catalog_sha256: the content hash of the catalog.
        versions: of Python and the libraries.
        created: UTC time in ISO format.
        scores: the Parquet file of scores beside this one, or empty.
        published: published figures for the same thing.
        oracle: whether something was chosen on the test set itself, to see what that gives.
        notes: what a reader has to know.
    """

    protocol: str
    detector: str
    checkpoint: Checkpoint
    train: Part
    test: Part
    counts: Counts
    frame: Measures
    video: Measures
    aggregate: str
    thresholds: Thresholds
    seed: int
    settings: Mapping[str, Any]
    commit: str
    catalog_sha256: str
    versions: Mapping[str, str]
    created: str
    scores: str = ""
    published: tuple[Published, ...] = ()
    oracle: bool = False
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file: readable, and different for what is not the same thing."""
        identity = [self.protocol, self.detector, self.checkpoint.sha256, self.aggregate]
        parts = [asdict(self.train), asdict(self.test), self.seed, self.oracle]
        key = sha256(json.dumps([*identity, *parts]).encode()).hexdigest()[:6]
        words = [self.protocol, self.detector, self.train.dataset, self.train.quality]
        if (self.test.dataset, self.test.qualities) != (self.train.dataset, self.train.qualities):
            words += ["on", self.test.dataset, self.test.quality]
        return "-".join([*(re.sub(r"[^a-z0-9]+", "_", word.lower()) for word in words), key])

    def measured(self, metric: str, level: Level) -> Measured:
        """Return one measure.

        Raises:
            NotFoundError: if it was not taken.
        """
        metrics = (self.frame if level == "frame" else self.video).metrics
        if metric not in metrics:
            raise unknown_name(f"the {level} level of {self.name}", metric, metrics)
        return metrics[metric]

    def write(self, folder: Path) -> Path:
        """Write the result as JSON, whole or not at all, and return its path.

        Raises:
            InvalidInputError: if a number is not finite.
        """
        return write_record(self, self.name, folder)


def read_results(folder: Path) -> list[Result]:
    """Return all results of a folder, in the order of their names.

    Raises:
        NotFoundError: if there are none.
        InvalidInputError: if a file is no result; the message has the file and the key.
    """
    return read_records(Result, folder, "*.json", of="result files", by="the protocol")


def read_result(path: Path) -> Result:
    """Return the result in a file.

    Raises:
        InvalidInputError: if the file is no result; the message has the file and the key.
    """
    return read_record(Result, path)
