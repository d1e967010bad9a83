"""A tiny FaceForensics++ with the real folders and file names."""

import json
from collections.abc import Sequence
from pathlib import Path

from makers.named_clip import write_named_clip

# The first pairs of the official lists, and two more of train.
PAIRS = {
    "train": [["071", "054"], ["087", "081"]],
    "val": [["720", "672"]],
    "test": [["953", "974"]],
}
METHODS = ("Deepfakes", "Face2Face")
ACTORS = ("01__exit_phone_room", "02__exit_phone_room")
ACTOR_FAKES = ("01_02__exit_phone_room__YVGY8LOK", "02_01__exit_phone_room__P08VGHTA")


def make(
    root: Path, *, qualities: Sequence[str] = ("raw", "c23"), methods: Sequence[str] = METHODS
) -> None:
    """Write a few videos of every kind, their masks and the official split's lists."""
    pairs = [pair for listed in PAIRS.values() for pair in listed]
    people = [person for pair in pairs for person in pair]
    fakes = [f"{a}_{b}" for pair in pairs for a, b in (pair, pair[::-1])]
    for quality in qualities:
        _write(root, f"original_sequences/youtube/{quality}/videos", people)
        _write(root, f"original_sequences/actors/{quality}/videos", ACTORS)
        for method in methods:
            _write(root, f"manipulated_sequences/{method}/{quality}/videos", fakes)
        _write(root, f"manipulated_sequences/DeepFakeDetection/{quality}/videos", ACTOR_FAKES)
    for method in methods:
        _write(root, f"manipulated_sequences/{method}/masks/videos", fakes)
    (root / "splits").mkdir()
    for part, listed in PAIRS.items():
        (root / "splits" / f"{part}.json").write_text(json.dumps(listed))


def _write(root: Path, folder: str, names: Sequence[str]) -> None:
    for name in names:
        write_named_clip(root / folder / f"{name}.mp4", root)
