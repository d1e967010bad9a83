"""Gaussian blur in five levels: the perturbation GB of DeeperForensics-1.0."""

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, at_level


class GaussianBlur(ImageDegradation):
    """Blur each frame with a Gaussian cut off at three standard deviations.

    Args:
        level: 1 to 5, for a kernel of 7, 9, 13, 17 or 21 pixels and a standard deviation of a
            sixth of that.

    Raises:
        InvalidInputError: if the level is not one of these.

    Reference:
        Jiang et al., "DeeperForensics-1.0", CVPR 2020.
        https://arxiv.org/abs/2001.03024
    """

    KERNELS = (7, 9, 13, 17, 21)

    def __init__(self, level: int = 3) -> None:
        self.kernel = at_level(self.KERNELS, level)

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the blurred frame."""
        size = self.kernel, self.kernel
        return np.asarray(cv2.GaussianBlur(image, size, self.kernel / 6), np.uint8)
