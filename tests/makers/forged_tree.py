"""A tiny FaceForensics++ whose forged videos show faces, and untrained victims."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from makers.people import Person, scene, write_frames
from unmask.contracts import Image
from unmask.detectors.create import create_detector
from unmask.training.checkpoint import Card, save_checkpoint

METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
VIDEOS = ("000_003", "001_870", "002_006", "101_096")
NAMES = ("P001", "P002", "P004", "P005")
SIDE, FRAMES = 144, 5


def make(
    root: Path,
    *,
    methods: Sequence[str] = METHODS,
    videos: Sequence[str] = VIDEOS,
    quality: str = "raw",
    faceless: Sequence[str] = (),
) -> Path:
    """Write clips of five frames in which a person moves; return the root.

    Args:
        root: the folder.
        methods: of the forgeries.
        videos: the names of each method's videos.
        quality: the folder's name.
        faceless: videos that show a wall only, as `Deepfakes/001_870`.
    """
    for method in methods:
        folder = root / "manipulated_sequences" / method / quality / "videos"
        for number, name in enumerate(videos):
            is_empty = f"{method}/{name}" in faceless
            write_frames(
                folder / f"{name}.mp4", [_frame(number, k, is_empty) for k in range(FRAMES)]
            )
    return root


def _frame(number: int, frame: int, is_empty: bool) -> Image:
    if is_empty:
        return np.full((SIDE, SIDE, 3), 96 + frame, np.uint8)
    return scene((SIDE, SIDE), [Person(NAMES[number % 4], 4.0 + frame, 4, 132)])


def write_victim(folder: Path, *, seed: int = 0, detector: str = "meso4") -> str:
    """Write a checkpoint of an untrained detector of 32 pixels; return its folder as text."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = create_detector(detector, size=32)
    card = Card(
        detector=detector,
        detector_settings={"size": 32},
        classes=network.classes,
        size=32,
        parameters=sum(one.numel() for one in network.parameters()),
        settings={"seed": seed},
        commit="0" * 40,
        versions={},
        trained_on={},
        catalog_hash="c" * 64,
        faces_hash="f" * 64,
        seen_hashes=(),
        seen_persons=(),
        selection={},
        metrics={},
        face_threshold=0.5,
        video_thresholds={"mean": 0.5},
        threshold_rule="none",
        temperature=1.0,
        training_seconds=0.0,
    )
    save_checkpoint(folder, network, card)
    return str(folder)
