"""A tiny copy of the data set with the real folder and file names."""

from pathlib import Path

from makers.named_clip import write_named_clip


def make(root: Path) -> None:
    """Write two videos of each of two people."""
    for folder in ("original", "altered"):
        for person in ("ann", "bob"):
            write_named_clip(root / folder / f"{person}_1.mp4", root)
