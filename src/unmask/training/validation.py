"""What the validation split says of a detector, and what is chosen on it."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from unmask.metrics.aggregation import RULES, aggregate
from unmask.metrics.decisions import (
    ThresholdRule,
    accuracy,
    balanced_accuracy,
    choose_threshold,
)
from unmask.metrics.ranking import auc, average_precision, eer
from unmask.metrics.scaling import fit_temperature
from unmask.torch_contracts import Detector
from unmask.training.adversary import Adversary
from unmask.training.data import Faces
from unmask.training.score import face_logits, fake_probability
from unmask.training.store import FaceStore

THRESHOLD_RULE: ThresholdRule = "balanced_accuracy"
MEAN = "mean"  # the rule that makes a video's score unless another is asked for

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Validation:
    """What a detector said of the validation faces.

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

    def merit(self, selection: str) -> tuple[float, float]:
        """Return what the best epoch has the most of; of equal AUC, the lower loss is better."""
        if selection == "loss":
            return (-self.loss, 0.0)
        return (self.robust["robust_auc"] if selection == "robust_auc" else self.auc, -self.loss)


@dataclass(frozen=True)
class Choices:
    """What is chosen on the validation split, with how well it does there.

    Args:
        face_threshold: a face at or above it is judged fake.
        video_thresholds: the same for a video's score, by the rule that makes it of its faces'.
        temperature: what the logit of a video's score is divided by to be calibrated.
        metrics: by name, on videos.
    """

    face_threshold: float
    video_thresholds: dict[str, float]
    temperature: float
    metrics: dict[str, float]


def validate(
    detector: Detector,
    faces: Faces,
    *,
    batch: int,
    device: torch.device,
    store: FaceStore,
    adversary: Adversary | None = None,
) -> Validation:
    """Return what a detector says of the validation faces; a video's score is its faces' mean.

    Args:
        detector: what is validated.
        faces: of the validation split.
        batch: faces that go through the network at once.
        device: where the network runs.
        store: decoded faces.
        adversary: attacks each face, so that it is judged wrongly.
    """
    outputs = torch.tensor([detector.classes.index(name) for name in faces.classes])
    targets = outputs[torch.from_numpy(faces.labels)]
    labels = (faces.labels != 0).astype(np.int64)
    logits = face_logits(detector, faces.clips, batch=batch, device=device, store=store)
    loss = cross_entropy(logits.double(), targets)
    scores = fake_probability(detector, logits)
    items = faces.table["item"].to_numpy()
    videos, video_scores = aggregate(scores, items)
    label_of = dict(zip(items, labels, strict=True))
    video_labels = np.array([label_of[one] for one in videos])
    found = Validation(scores, labels, video_scores, video_labels, float(loss))
    if adversary is None:
        return found
    random = torch.Generator(device).manual_seed(0)  # each epoch is attacked from the same start

    def attacked(some: Tensor, first: int) -> Tensor:
        wanted = targets[first : first + len(some)].to(device)
        return adversary.attacked(detector, some, wanted, random)

    logits = face_logits(
        detector, faces.clips, batch=batch, device=device, store=store, change=attacked
    )
    scores = fake_probability(detector, logits)
    robust = {
        "robust_auc": auc(aggregate(scores, items)[1], video_labels),
        "robust_accuracy": accuracy(scores, labels, threshold=0.5),
    }
    return replace(found, robust=robust)


def choose(found: Validation, items: NDArray[Any]) -> Choices:
    """Return the thresholds and the temperature, and the metrics at them.

    Args:
        found: what a detector said of the validation faces.
        items: the video of each of these faces.
    """
    scores, labels = found.video_scores, found.video_labels
    thresholds = {
        rule: choose_threshold(
            aggregate(found.face_scores, items, rule=rule)[1], labels, rule=THRESHOLD_RULE
        )
        for rule in RULES
    }
    threshold = thresholds[MEAN]
    metrics = {
        "auc": found.auc,
        "average_precision": average_precision(scores, labels),
        "eer": eer(scores, labels).rate,
        "accuracy": accuracy(scores, labels, threshold=threshold),
        "balanced_accuracy": balanced_accuracy(scores, labels, threshold=threshold),
        "loss": found.loss,
        "videos": float(len(labels)),
    } | found.robust
    return Choices(
        choose_threshold(found.face_scores, found.face_labels, rule=THRESHOLD_RULE),
        thresholds,
        1 / fit_temperature(scores, labels).slope,
        metrics,
    )
