"""Changes to a training face that keep its label: as cameras, codecs and networks make them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image

BRIGHTNESS = 0.15  # at most, of the whole range
CONTRAST = 0.2
SATURATION = 0.3
BLUR_SIGMA = (0.4, 1.5)  # pixels of the network's input
SMALLEST = 0.4  # of the side, when a face is made smaller
JPEG_QUALITY = (40, 100)
LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Augmentation:
    """Random changes to a face, in the order in which they happen to a video.

    Args:
        flip: probability of mirroring it.
        colour: probability of changing brightness, contrast and saturation.
        blur: probability of a Gaussian blur.
        downscale: probability of making it smaller and larger again.
        jpeg: probability of compressing it, at a quality of 40 to 100.
    """

    flip: float = 0.0
    colour: float = 0.0
    blur: float = 0.0
    downscale: float = 0.0
    jpeg: float = 0.0

    def __call__(self, image: Image, random: np.random.Generator) -> Image:
        """Return the changed face (H, W, 3) uint8; the given one is not written to."""
        return self.drawn(random)(image)

    def drawn(self, random: np.random.Generator) -> Callable[[Image], Image]:
        """Return one change, which can be made to all faces of a clip alike."""
        # One draw for all: what one change takes never moves the others' numbers.
        chance, amount = random.random((2, 5)), random.random(3)
        return partial(self._changed, chance, amount)

    def _changed(
        self, chance: NDArray[np.float64], amount: NDArray[np.float64], image: Image
    ) -> Image:
        happens = chance[0] < (self.flip, self.colour, self.blur, self.downscale, self.jpeg)
        if happens[0]:
            image = cv2.flip(image, 1)  # type: ignore[assignment]
        if happens[1]:
            image = _recoloured(image, 2 * amount - 1)
        if happens[2]:
            low, high = BLUR_SIGMA
            sigma = low + chance[1][2] * (high - low)
            image = cv2.GaussianBlur(image, (0, 0), sigma)  # type: ignore[assignment]
        if happens[3]:
            image = _smaller_and_back(image, SMALLEST + chance[1][3] * (1 - SMALLEST))
        if happens[4]:
            low_quality, high_quality = JPEG_QUALITY
            image = _compressed(
                image, low_quality + int(chance[1][4] * (high_quality - low_quality + 1))
            )
        return image


def _recoloured(image: Image, amount: NDArray[np.float64]) -> Image:
    """Return the image after one linear map; each amount lies in [-1, 1]."""
    brightness, contrast, saturation = amount * (BRIGHTNESS, CONTRAST, SATURATION) + (0, 1, 1)
    mixture = saturation * np.eye(3) + (1 - saturation) * LUMA
    shift = 255 * (brightness + (1 - contrast) / 2)
    matrix = np.column_stack([contrast * mixture, np.full(3, shift)])
    return cv2.transform(image, matrix)  # type: ignore[return-value]


def _smaller_and_back(image: Image, factor: float) -> Image:
    height, width = image.shape[:2]
    small = (max(1, round(width * factor)), max(1, round(height * factor)))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _compressed(image: Image, quality: int) -> Image:
    # JPEG keeps brightness and colour apart, so the order of the channels matters.
    turned = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(content, cv2.IMREAD_COLOR_RGB)  # type: ignore[return-value]
