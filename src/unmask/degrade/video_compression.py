"""H.264 in five levels: the perturbation VC of DeeperForensics-1.0."""

from collections.abc import Iterator

import numpy as np

from unmask.contracts import Degradation, Image
from unmask.degrade.h264 import H264
from unmask.degrade.image import at_level


class VideoCompression(Degradation):
    """Compress the video as H.264.

    Args:
        level: 1 to 5, for a crf of 30, 32, 35, 38 or 40.

    Raises:
        InvalidInputError: if the level is not one of these.

    Reference:
        Jiang et al., "DeeperForensics-1.0", CVPR 2020.
        https://arxiv.org/abs/2001.03024
    """

    RATES = (30, 32, 35, 38, 40)

    def __init__(self, level: int = 3) -> None:
        self.codec = H264(at_level(self.RATES, level))
        self.crf = self.codec.crf

    def degrade(self, frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
        """Yield each frame after the compression."""
        return self.codec.degrade(frames, random)
