"""Gaussian blur of any width."""

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, in_range


class Blur(ImageDegradation):
    """Blur each frame with a Gaussian.

    Args:
        sigma: the Gaussian's standard deviation in pixels; 0 changes nothing.

    Raises:
        InvalidInputError: if sigma is negative or above 100.
    """

    def __init__(self, sigma: float = 1) -> None:
        in_range("sigma", sigma, 0, 100, "it is told in pixels")
        self.sigma = sigma

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the blurred frame."""
        if self.sigma == 0:
            return image
        return np.asarray(cv2.GaussianBlur(image, (0, 0), self.sigma), np.uint8)
