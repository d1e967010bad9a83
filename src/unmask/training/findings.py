"""What the validation split said of a detector, and what is chosen on it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.metrics.aggregation import RULES, aggregate
from unmask.metrics.class_scaling import fit_class_temperature
from unmask.metrics.decisions import (
    ThresholdRule,
    accuracy,
    balanced_accuracy,
    choose_threshold,
)
from unmask.metrics.multiclass import MEASURES, confusion_matrix
from unmask.metrics.ranking import auc, average_precision, eer
from unmask.metrics.scaling import fit_temperature

THRESHOLD_RULE: ThresholdRule = "balanced_accuracy"
MEAN = "mean"  # the rule that makes a video's score unless another is asked for
EVEN = 0.5  # the score from which on a class is the likelier one of two

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Merit = tuple[float, float]


@dataclass(frozen=True)
class Choices:
    """What is chosen on the validation split, with how well it does there.

    Args:
        metrics: by name, on videos.
        temperature: what the logarithms of a video's probabilities are divided by to be
            calibrated; of two classes that divides the logit of its score.
        face_threshold: a face at or above it is judged fake; None where no class is benign.
        video_thresholds: the same for a video's score, by the rule that makes it of its faces'.
        threshold_rule: how both were chosen.
    """

    metrics: dict[str, float]
    temperature: float
    face_threshold: float | None = None
    video_thresholds: dict[str, float] = field(default_factory=dict)
    threshold_rule: str | None = None


@dataclass(frozen=True)
class Validation:
    """What a detector of two classes said of the validation faces.

    Args:
        face_scores: of each face.
        face_labels: 0 where it is benign, else 1.
        video_scores: of each video, the mean of its faces.
        video_labels: the same for videos.
        loss: the mean cross-entropy of the faces.
        robust: measures under attack by name, where it was attacked.
    """

    face_scores: Floats
    face_labels: Labels
    video_scores: Floats
    video_labels: Labels
    loss: float
    robust: dict[str, float] = field(default_factory=dict)

    @property
    def auc(self) -> float:
        """Return the video-level AUC."""
        return auc(self.video_scores, self.video_labels)

    def merit(self, selection: str) -> Merit:
        """Return what the best epoch has the most of; of equal ones, the lower loss is better."""
        if selection == "loss":
            return (-self.loss, 0.0)
        if selection == "accuracy":
            even = balanced_accuracy(self.video_scores, self.video_labels, threshold=EVEN)
            return (even, -self.loss)
        return (self.robust["robust_auc"] if selection == "robust_auc" else self.auc, -self.loss)

    def log_row(self) -> dict[str, float]:
        """Return what the log tells of it, by its columns."""
        return {"validation_loss": self.loss, "validation_auc": self.auc} | self.robust

    def under_attack(self) -> dict[str, float]:
        """Return the measures under attack, where the faces were attacked."""
        return {
            "robust_auc": self.auc,
            "robust_accuracy": accuracy(self.face_scores, self.face_labels, threshold=EVEN),
        }

    def choices(self, items: NDArray[Any]) -> Choices:
        """Return the thresholds and the temperature, and the metrics at them.

        Args:
            items: the video of each of the faces.
        """
        scores, labels = self.video_scores, self.video_labels
        thresholds = {
            rule: choose_threshold(
                aggregate(self.face_scores, items, rule=rule)[1], labels, rule=THRESHOLD_RULE
            )
            for rule in RULES
        }
        threshold = thresholds[MEAN]
        metrics = {
            "auc": self.auc,
            "average_precision": average_precision(scores, labels),
            "eer": eer(scores, labels).rate,
            "accuracy": accuracy(scores, labels, threshold=threshold),
            "balanced_accuracy": balanced_accuracy(scores, labels, threshold=threshold),
            "loss": self.loss,
            "videos": float(len(labels)),
        } | self.robust
        return Choices(
            metrics,
            1 / fit_temperature(scores, labels).slope,
            choose_threshold(self.face_scores, self.face_labels, rule=THRESHOLD_RULE),
            thresholds,
            THRESHOLD_RULE,
        )


@dataclass(frozen=True)
class ClassValidation:
    """What a detector of several classes said of the validation faces.

    Args:
        face_probabilities: (n, classes) of each face or clip.
        face_labels: (n,) the places of their classes.
        video_probabilities: (v, classes) of each video, the mean of its faces or clips.
        video_labels: (v,) the places of their classes.
        loss: the mean cross-entropy of the faces or clips.
        benign: the place of the class that a score lacks to 1; None where there is no score.
        robust: measures under attack by name, where it was attacked.
    """

    face_probabilities: Floats
    face_labels: Labels
    video_probabilities: Floats
    video_labels: Labels
    loss: float
    benign: int | None = None
    robust: dict[str, float] = field(default_factory=dict)

    @property
    def alarm(self) -> Validation | None:
        """What it says of benign faces against all others together, where a class is benign."""
        if self.benign is None:
            return None
        return Validation(
            1 - self.face_probabilities[:, self.benign],
            (self.face_labels != self.benign).astype(np.int64),
            1 - self.video_probabilities[:, self.benign],
            (self.video_labels != self.benign).astype(np.int64),
            self.loss,
        )

    def merit(self, selection: str) -> Merit:
        """Return what the best epoch has the most of; of equal ones, the lower loss is better."""
        if selection == "loss":
            return (-self.loss, 0.0)
        if selection == "accuracy":
            return (self._measures()["balanced_accuracy"], -self.loss)
        measures = self.robust if selection == "robust_auc" else self._alarms()
        return (measures[selection], -self.loss)

    def log_row(self) -> dict[str, float]:
        """Return what the log tells of it, by its columns."""
        told = {
            "validation_loss": self.loss,
            "validation_accuracy": self._measures()["balanced_accuracy"],
        }
        aucs = {f"validation_{name}": value for name, value in self._alarms().items()}
        return told | aucs | self.robust

    def under_attack(self) -> dict[str, float]:
        """Return the measures under attack, where the faces were attacked."""
        right = self.face_probabilities.argmax(1) == self.face_labels
        aucs = {f"robust_{name}": value for name, value in self._alarms().items()}
        return aucs | {"robust_accuracy": float(right.mean())}

    def choices(self, items: NDArray[Any]) -> Choices:
        """Return the temperature, and thresholds where a class is benign, with the metrics.

        Args:
            items: the video of each of the faces.
        """
        temperature = fit_class_temperature(self.video_labels, self.video_probabilities)
        counted = {"loss": self.loss, "videos": float(len(self.video_labels))}
        metrics = self._measures() | self._alarms() | counted | self.robust
        if self.alarm is None:
            return Choices(metrics, temperature)
        chosen = self.alarm.choices(items)
        return Choices(
            metrics,
            temperature,
            chosen.face_threshold,
            chosen.video_thresholds,
            chosen.threshold_rule,
        )

    def _measures(self) -> dict[str, float]:
        """Return accuracy, balanced accuracy and macro-F1 of the videos."""
        named = self.video_probabilities.argmax(1)
        matrix = confusion_matrix(self.video_labels, named, self.video_probabilities.shape[1])
        return {
            name: float(measure(matrix.astype(np.float64))) for name, measure in MEASURES.items()
        }

    def _alarms(self) -> dict[str, float]:
        return {} if self.alarm is None else {"auc": self.alarm.auc}


Findings = Validation | ClassValidation
