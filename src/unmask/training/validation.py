"""Asking a detector about the validation split."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from unmask.metrics.aggregation import aggregate
from unmask.torch_contracts import BENIGN, Detector
from unmask.training.adversary import Adversary
from unmask.training.data import Faces
from unmask.training.findings import ClassValidation, Findings, Validation
from unmask.training.score import face_logits, fake_probability
from unmask.training.store import FaceStore


def validate(
    detector: Detector,
    faces: Faces,
    *,
    batch: int,
    device: torch.device,
    store: FaceStore,
    adversary: Adversary | None = None,
) -> Findings:
    """Return what a detector says of the validation faces; a video has the mean of its faces.

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
    logits = face_logits(detector, faces.clips, batch=batch, device=device, store=store)
    found = _found(detector, faces, logits, targets)
    if adversary is None:
        return found
    random = torch.Generator(device).manual_seed(0)  # each epoch is attacked from the same start

    def attacked(some: Tensor, first: int) -> Tensor:
        wanted = targets[first : first + len(some)].to(device)
        return adversary.attacked(detector, some, wanted, random)

    logits = face_logits(
        detector, faces.clips, batch=batch, device=device, store=store, change=attacked
    )
    return replace(found, robust=_found(detector, faces, logits, targets).under_attack())


def _found(detector: Detector, faces: Faces, logits: Tensor, targets: Tensor) -> Findings:
    loss = float(cross_entropy(logits.double(), targets))
    items = faces.table["item"].to_numpy()
    has_benign = not set(BENIGN).isdisjoint(detector.classes)
    if len(detector.classes) == 2 and has_benign:
        labels = (faces.labels != 0).astype(np.int64)
        scores = fake_probability(detector, logits)
        videos, video_scores = aggregate(scores, items)
        label_of = dict(zip(items, labels, strict=True))
        video_labels = np.array([label_of[one] for one in videos])
        return Validation(scores, labels, video_scores, video_labels, loss)
    chances, places = logits.double().softmax(-1).numpy(), targets.numpy()
    of_videos = [aggregate(column, items) for column in chances.T]
    place_of = dict(zip(items, places, strict=True))
    return ClassValidation(
        chances,
        places,
        np.stack([column for _, column in of_videos], 1),
        np.array([place_of[one] for one in of_videos[0][0]]),
        loss,
        detector.benign if has_benign else None,
    )
