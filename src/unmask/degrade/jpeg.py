"""JPEG compression of each frame."""

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, in_range


class Jpeg(ImageDegradation):
    """Compress each frame as JPEG with 4:2:0 chroma, and decode it again.

    Args:
        quality: of libjpeg, 1 (worst) to 100.

    Raises:
        InvalidInputError: if the quality lies outside that range.
    """

    def __init__(self, quality: int = 75) -> None:
        in_range("quality", quality, 1, 100, "75 is common, 30 is strong")
        self.quality = quality

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the frame after JPEG."""
        settings = [
            cv2.IMWRITE_JPEG_QUALITY,
            self.quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ]
        _, coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)
        decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(decoded[..., ::-1])
