"""Noise in luma and chroma: the perturbation GNC of DeeperForensics-1.0."""

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, at_level, to_bytes


class GaussianNoiseColor(ImageDegradation):
    """Add Gaussian noise of one variance to Y, Cb and Cr.

    Args:
        level: 1 to 5, for a variance of 0.001, 0.002, 0.005, 0.01 or 0.05 where the values of Y,
            Cb and Cr span 0 to 1 (BT.601, full range).

    Raises:
        InvalidInputError: if the level is not one of these.

    Reference:
        Jiang et al., "DeeperForensics-1.0", CVPR 2020.
        https://arxiv.org/abs/2001.03024
    """

    VARIANCES = (0.001, 0.002, 0.005, 0.01, 0.05)

    def __init__(self, level: int = 3) -> None:
        self.sigma = np.float32(np.sqrt(at_level(self.VARIANCES, level)))

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the frame with fresh noise."""
        luma_chroma = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2YCrCb)
        noise = self.sigma * random.standard_normal(image.shape, np.float32)
        return to_bytes(255 * np.asarray(cv2.cvtColor(luma_chroma + noise, cv2.COLOR_YCrCb2RGB)))
