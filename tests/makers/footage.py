"""A folder of pristine clips."""

from pathlib import Path

from makers.named_clip import write_named_clip

CLIPS = ("ann/1.mp4", "ann/more/2.mp4", "bob.mov", "cid.mp4")


def make(root: Path) -> None:
    """Write clips of three people, two of them one file each."""
    for name in CLIPS:
        write_named_clip(root / name, root)
