"""A checkpoint's card, for detectors that were never trained."""

from typing import Any

from unmask.torch_contracts import Detector
from unmask.training.checkpoint import Card


def card_of(detector: Detector, name: str = "meso4", **changes: Any) -> Card:
    """Return the card of a detector of `create_detector`, with what the test wants otherwise."""
    said: dict[str, Any] = {
        "detector": name,
        "detector_settings": {"size": detector.size},
        "classes": detector.classes,
        "size": detector.size,
        "parameters": sum(one.numel() for one in detector.parameters()),
        "settings": {"seed": 0},
        "commit": "0" * 40,
        "versions": {"torch": "2"},
        "trained_on": {"dataset": "made", "qualities": ["raw"], "methods": ["swap"]},
        "catalog_hash": "c" * 64,
        "faces_hash": "f" * 64,
        "seen_hashes": (),
        "seen_persons": (),
        "selection": {"by": "auc", "epoch": 1, "step": 10},
        "metrics": {"auc": 0.9},
        "face_threshold": 0.5,
        "video_thresholds": {"mean": 0.5},
        "threshold_rule": "balanced_accuracy",
        "temperature": 1.0,
        "training_seconds": 3.0,
    }
    return Card(**said | changes)
