"""Tiny videos, each with a picture of its own that follows from its path."""

from pathlib import Path

import numpy as np

from unmask.seeding import generator_for
from unmask.video.write import VideoWriter


def write_named_clip(path: Path, root: Path, *, frames: int = 2) -> None:
    """Write a clip of 32x24 pixels with other colours for every path below the root."""
    random = generator_for(0, path.relative_to(root).as_posix())
    with VideoWriter(path, 25, lossless=True) as writer:
        for _ in range(frames):
            coarse = random.integers(0, 256, (3, 4, 3))
            writer.write(coarse.repeat(8, 0).repeat(8, 1).astype(np.uint8))
