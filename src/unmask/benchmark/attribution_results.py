"""Results of the attribution protocol: one JSON file for each network, test and question."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from unmask.benchmark.result_file import read_records
from unmask.benchmark.results import Checkpoint, Measured, Metric, Part

PROTOCOL, OPEN_PROTOCOL = "attribution", "open_set"
OF, BY = "results of attribution", "`unmask benchmark attribution`"
UNNAMED = ("device", "workers", "cache_gib", "detectors", "open_detectors", "leave_out")

# What is measured by video of makers that the network knows.
MEASURES = {
    "accuracy": Metric("Accuracy"),
    "balanced_accuracy": Metric("Balanced accuracy"),
    "macro_f1": Metric("Macro F1"),
    "top_2_accuracy": Metric("Among the first two"),
    "log_loss": Metric("Log loss", higher_is_better=False),
    "ece": Metric("Calibration error (ECE)", higher_is_better=False),
}
CLASS_MEASURES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}

# What is measured where some videos are of makers that it does not know.
UNKNOWN_MEASURES = {
    "auroc": Metric("AUROC"),
    "fpr_at_tpr": Metric("FPR at 95 % TPR", higher_is_better=False),
    "oscr": Metric("OSCR"),
    "refused": Metric("Unknown refused"),
}
KNOWN_MEASURES = {
    "accepted": Metric("Known accepted"),
    "accuracy": Metric("Accuracy, all known"),
    "accuracy_of_accepted": Metric("Accuracy, accepted"),
}


@dataclass(frozen=True)
class Tally:
    """How many videos of each class, or of each reason to be dropped.

    Args:
        trained: by class.
        validated: by class.
        tested: by class.
        faces: how many faces, or clips, were scored in the test.
        persons: in the test.
        dropped: test items that were not scored, by status.
    """

    trained: Mapping[str, int]
    validated: Mapping[str, int]
    tested: Mapping[str, int]
    faces: int
    persons: int
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class OfClass:
    """One class: how many videos, and the measures of `CLASS_MEASURES`.

    There is no precision where no video was given the class.
    """

    name: str
    videos: int
    metrics: Mapping[str, Measured]


@dataclass(frozen=True, kw_only=True)
class Tested:
    """What every result tells: which network, trained on what, was tested on what.

    Args:
        detector: its name.
        checkpoint: the weights that were tested.
        train: what they were trained on.
        test: what they were tested on, unknown makers among it.
        classes: that the network knows, in order.
        counts: of the videos of these classes.
        aggregate: the rule that makes a video's probabilities of its faces'.
        seed: of the training.
        settings: of the protocol and of the training, as JSON can hold them.
        commit: of the code.
        catalog_sha256: the content hash of the tested items.
        versions: of Python and the libraries.
        created: UTC time in ISO format.
        scores: the Parquet file of the probabilities.
        notes: what a reader has to know.
    """

    detector: str
    checkpoint: Checkpoint
    train: Part
    test: Part
    classes: tuple[str, ...]
    counts: Tally
    aggregate: str
    seed: int
    settings: Mapping[str, Any]
    commit: str
    catalog_sha256: str
    versions: Mapping[str, str]
    created: str
    scores: str
    notes: tuple[str, ...] = ()

    def named(self, *words: str) -> str:
        """Return the name of a file: the words, and a key of what they do not tell."""
        asked = {name: value for name, value in self.settings.items() if name not in UNNAMED}
        parts = [asdict(self.train), asdict(self.test)]
        identity = [*words, self.checkpoint.sha256, *parts, self.aggregate, asked]
        key = sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:6]
        return "-".join([*(re.sub(r"[^a-z0-9]+", "_", word.lower()) for word in words), key])

    @property
    def qualities(self) -> list[str]:
        """The words that tell what was trained on, and where it is another, what was tested on."""
        tested = self.test.quality
        return [self.train.quality, *(["on", tested] if tested != self.train.quality else [])]


@dataclass(frozen=True, kw_only=True)
class AttributionResult(Tested):
    """One network on videos of the makers that it knows.

    Args:
        frames: how many frames it sees at once.
        metrics: those of `MEASURES`.
        per_class: in the order of the classes.
        confusion: by class, how many videos were given each class.
    """

    frames: int
    metrics: Mapping[str, Measured]
    per_class: tuple[OfClass, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def chance(self) -> float:
        """The accuracy of guessing."""
        return 1 / len(self.classes)

    @property
    def name(self) -> str:
        """The name of the file: readable, and different for what is not the same thing."""
        return self.named(PROTOCOL, self.detector, self.train.dataset, *self.qualities)


@dataclass(frozen=True)
class Unknown:
    """Videos of one maker that the network does not know, or reals.

    Args:
        name: of the maker, or `real`.
        videos: how many.
        metrics: those of `UNKNOWN_MEASURES`, where the known ones are to be told from them.
    """

    name: str
    videos: int
    metrics: Mapping[str, Measured]


@dataclass(frozen=True)
class Threshold:
    """At which confidence a video is accepted as one of a known maker.

    Args:
        value: from it on.
        rule: what the confidence is.
        chosen_on: what videos of the validation it was chosen on.
    """

    value: float
    rule: str
    chosen_on: str


@dataclass(frozen=True, kw_only=True)
class OpenSetResult(Tested):
    """One network that has to say “none of these” of what it was not trained on.

    Args:
        left_out: the maker that it does not know; empty where it knows all, and reals are unknown.
        held_out: the second maker, which the threshold was chosen on; empty where there is none.
        threshold: from which confidence on a video is accepted.
        known: those of `KNOWN_MEASURES`; of none accepted there is no accuracy.
        unknown: the maker that was left out, and reals where they are no class.
    """

    left_out: str
    held_out: str
    threshold: Threshold
    known: Mapping[str, Measured]
    unknown: tuple[Unknown, ...]

    @property
    def name(self) -> str:
        """The name of the file: readable, and different for what is not the same thing."""
        unknown = ["without", self.left_out] if self.left_out else ["reals"]
        second = ["and", self.held_out] if self.held_out else []
        return self.named(OPEN_PROTOCOL, self.detector, *self.qualities, *unknown, *second)


def read_attribution_results(folder: Path) -> list[AttributionResult]:
    """Return the results of known makers in a folder, in the order of their names.

    Raises:
        NotFoundError: if there are none.
        InvalidInputError: if a file is no result; the message has the file and the key.
    """
    return read_records(AttributionResult, folder, f"{PROTOCOL}-*.json", of=OF, by=BY)


def read_open_set_results(folder: Path) -> list[OpenSetResult]:
    """Return the results with unknown makers in a folder, in the order of their names.

    Raises:
        NotFoundError: if there are none.
        InvalidInputError: if a file is no result; the message has the file and the key.
    """
    return read_records(OpenSetResult, folder, f"{OPEN_PROTOCOL}-*.json", of=OF, by=BY)
