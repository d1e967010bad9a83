"""Loss of contrast: the perturbation CC of DeeperForensics-1.0."""

import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, at_level, to_bytes

MIDDLE_GREY = np.float32(127.5)


class ColorContrast(ImageDegradation):
    """Scale the values of each frame about middle grey.

    Args:
        level: 1 to 5, keeping 0.85, 0.725, 0.6, 0.475 or 0.35 of the contrast.
        paper_quirks: scale about black, as the published code does: the picture then darkens by
            the same factor, which is mostly a loss of brightness.

    Raises:
        InvalidInputError: if the level is not one of these.

    Reference:
        Jiang et al., "DeeperForensics-1.0", CVPR 2020.
        https://arxiv.org/abs/2001.03024
    """

    KEPT = (0.85, 0.725, 0.6, 0.475, 0.35)

    def __init__(self, level: int = 3, *, paper_quirks: bool = False) -> None:
        self.kept = at_level(self.KEPT, level)
        self.centre = np.float32(0) if paper_quirks else MIDDLE_GREY

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the flatter frame."""
        return to_bytes(self.centre + np.float32(self.kept) * (image - self.centre))
