"""Loss of colour: the perturbation CS of DeeperForensics-1.0."""

import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import LUMA, ImageDegradation, at_level, to_bytes


class ColorSaturation(ImageDegradation):
    """Scale the chroma of each frame about neutral; level 5 leaves a grey picture.

    Args:
        level: 1 to 5, keeping 0.4, 0.3, 0.2, 0.1 or none of the chroma.

    Raises:
        InvalidInputError: if the level is not one of these.

    Reference:
        Jiang et al., "DeeperForensics-1.0: A Large-Scale Dataset for Real-World Face Forgery
        Detection", CVPR 2020. https://arxiv.org/abs/2001.03024
    """

    KEPT = (0.4, 0.3, 0.2, 0.1, 0.0)

    def __init__(self, level: int = 3) -> None:
        self.kept = at_level(self.KEPT, level)

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the paler frame."""
        # Cb and Cr are multiples of B - Y and R - Y, so scaling them scales every channel about Y.
        luma = (image @ LUMA)[..., None]
        return to_bytes(luma + np.float32(self.kept) * (image - luma))
