"""A tiny Adversarial Deepfakes Defense Dataset: the published folders, and names by their rule."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unmask.seeding import generator_for
from unmask.video.picture import write_png

PARTS = {
    "original-dfvideos-faces": "",
    "w-adv-dfvideos-XceptionNet-faces": "w_",
    "b-adv-dfvideos-XceptionNet-faces": "b_",
    "w-adv-dfvideos-MesoNet-faces": "w_",
    "b-adv-dfvideos-MesoNet-faces": "b_",
}
METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")
VIDEOS = {"train": "071_054", "val": "720_672", "test": "953_974"}


def make(root: Path, *, methods: Sequence[str] = METHODS) -> None:
    """Write two faces of each video of each method for all parts, and the official lists."""
    for part, mark in PARTS.items():
        for method in methods:
            for video in VIDEOS.values():
                for frame in (0, 50):
                    write_face(root / part / method / f"{mark}{video}_{frame}.png", root)
    (root / "splits").mkdir()
    for split, video in VIDEOS.items():
        (root / "splits" / f"{split}.json").write_text(json.dumps([video.split("_")]))


def write_face(path: Path, root: Path) -> None:
    """Write a picture with other colours for every path below the root."""
    coarse = generator_for(0, path.relative_to(root).as_posix()).integers(0, 256, (3, 3, 3))
    write_png(path, coarse.repeat(8, 0).repeat(8, 1).astype(np.uint8))
