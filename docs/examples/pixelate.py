"""Pixelation, as of a thumbnail that is shown large."""

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, in_range


class Pixelate(ImageDegradation):
    """Replace each block of pixels by its mean.

    Args:
        side: of a block in pixels, 2 to 64.

    Raises:
        InvalidInputError: if the side lies outside that range.
    """

    def __init__(self, side: int = 4) -> None:
        in_range("side", side, 2, 64, "4 is common, 16 is strong")
        self.side = side

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the frame in blocks."""
        height, width = image.shape[:2]
        blocks = -(-width // self.side), -(-height // self.side)
        small = cv2.resize(image, blocks, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST))
