"""JPEG in five levels: the perturbation JPEG of DeeperForensics-1.0."""

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, at_level
from unmask.degrade.jpeg import Jpeg


class JpegCompression(ImageDegradation):
    """Compress each frame as JPEG.

    The published perturbation of this name makes no JPEG: it resizes, and gives the factors of
    that. The qualities here are ours, chosen so that each level loses as much as the published
    one: their PSNR on real clips is within 2 dB of it (median of 49 clips, and of the 30 of
    them that are larger than 480 pixels).

    Args:
        level: 1 to 5, for JPEG of the quality 50, 25, 16, 12 or 10.
        paper_quirks: make each frame 2, 3, 4, 5 or 6 times smaller and as large as before, both
            bilinearly and without averaging, as the published code does.

    Raises:
        InvalidInputError: if the level is not one of these.

    Reference:
        Jiang et al., "DeeperForensics-1.0", CVPR 2020.
        https://arxiv.org/abs/2001.03024
    """

    QUALITIES = (50, 25, 16, 12, 10)
    FACTORS = (2, 3, 4, 5, 6)

    def __init__(self, level: int = 3, *, paper_quirks: bool = False) -> None:
        self.jpeg = Jpeg(at_level(self.QUALITIES, level))
        self.factor = at_level(self.FACTORS, level) if paper_quirks else None

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the frame after the loss."""
        if self.factor is None:
            return self.jpeg.degrade_image(image, random)
        height, width = image.shape[:2]
        size = max(1, width // self.factor), max(1, height // self.factor)
        small = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(
            cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
        )
