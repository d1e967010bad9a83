"""Detectors as other attack libraries take them: faces (N, 3, H, W), one each item."""

import warnings
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from unmask.contracts import FAKE
from unmask.torch_contracts import Detector

with warnings.catch_warnings():  # it imports SciPy's filters by an old name
    warnings.simplefilter("ignore", DeprecationWarning)
    foolbox: Any = import_module("foolbox")


class Flat(nn.Module):
    """A detector of single faces, without the axis of time."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, faces: Tensor) -> Tensor:
        logits: Tensor = self.detector(faces[:, None])
        return logits


def by_foolbox(
    attack: Any, detector: Detector, faces: Tensor, label: int, *, epsilon: float | None
) -> Tensor:
    """Return what an attack of foolbox makes of faces (N, 1, 3, H, W), all of one label."""
    real = torch.full((len(faces),), detector.classes.index("real"))
    criterion = (
        foolbox.criteria.TargetedMisclassification(real)
        if label == FAKE
        else foolbox.criteria.Misclassification(real)
    )
    model = foolbox.PyTorchModel(Flat(detector).eval(), bounds=(0, 1), device="cpu")
    found: Tensor = attack(model, faces[:, 0], criterion, epsilons=epsilon)[1]
    return found[:, None]
