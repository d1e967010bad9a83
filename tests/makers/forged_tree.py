"""A tiny FaceForensics++ whose forged videos show faces, and untrained victims."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from makers.cards import card_of
from makers.people import Person, scene, write_frames
from unmask.contracts import Image
from unmask.detectors.create import create_detector
from unmask.training.checkpoint import save_checkpoint

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
    save_checkpoint(folder, network, card_of(network, detector))
    return str(folder)
