"""Lost blocks: the perturbation BW of DeeperForensics-1.0."""

import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, at_level

SIDE = 8
GREY = 128


class BlockWise(ImageDegradation):
    """Cover each frame with grey blocks of 8x8 pixels at random places.

    Args:
        level: 1 to 5, for 16, 32, 48, 64 or 80 blocks for every 256 pixels of the shorter side.
        paper_quirks: count only whole multiples of 256 pixels, as the published code does: a
            picture below 256 pixels is then left as it is, and one of 511 gets half its blocks.

    Raises:
        InvalidInputError: if the level is not one of these.

    Reference:
        Jiang et al., "DeeperForensics-1.0", CVPR 2020.
        https://arxiv.org/abs/2001.03024
    """

    BLOCKS = (16, 32, 48, 64, 80)

    def __init__(self, level: int = 3, *, paper_quirks: bool = False) -> None:
        self.blocks = at_level(self.BLOCKS, level)
        self.paper_quirks = paper_quirks

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return a copy of the frame with blocks at fresh places."""
        height, width = image.shape[:2]
        covered = image.copy()
        count = self.count(height, width)
        tops = random.integers(0, max(1, height - SIDE + 1), count)
        lefts = random.integers(0, max(1, width - SIDE + 1), count)
        for top, left in zip(tops, lefts, strict=True):
            covered[top : top + SIDE, left : left + SIDE] = GREY
        return covered

    def count(self, height: int, width: int) -> int:
        """Return how many blocks a picture of that size gets."""
        if self.paper_quirks:
            return min(height, width) // 256 * self.blocks
        return round(min(height, width) / 256 * self.blocks)
