"""Loss of resolution: each frame made smaller and then as large as before."""

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, in_range


class Resize(ImageDegradation):
    """Make each frame `factor` times smaller by averaging, and enlarge it bilinearly.

    Args:
        factor: how many times smaller each side becomes; no side falls below one pixel.

    Raises:
        InvalidInputError: if the factor is below 1 or above 64.
    """

    def __init__(self, factor: float = 2) -> None:
        in_range("factor", factor, 1, 64, "2 halves each side")
        self.factor = factor

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the frame after the loss of resolution."""
        height, width = image.shape[:2]
        size = max(1, round(width / self.factor)), max(1, round(height / self.factor))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.asarray(
            cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8
        )
