"""Gaussian noise in RGB."""

import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, in_range, to_bytes


class Noise(ImageDegradation):
    """Add independent Gaussian noise to every value of every frame.

    Args:
        sigma: the noise's standard deviation in grey levels.

    Raises:
        InvalidInputError: if sigma is negative or above 255.
    """

    def __init__(self, sigma: float = 5) -> None:
        in_range("sigma", sigma, 0, 255, "it is told in grey levels of 0..255")
        self.sigma = sigma

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the frame with fresh noise."""
        noise = random.standard_normal(image.shape, np.float32)
        return to_bytes(image + np.float32(self.sigma) * noise)
