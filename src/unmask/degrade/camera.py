"""The camera: the blur and the noise that any small sensor adds."""

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, in_range, to_bytes


class Camera(ImageDegradation):
    """Take each frame as a small camera would: soft optics, shot noise, read noise, 8 bits.

    Rendered and forged frames lack a camera's noise, or have it in one part of the picture only;
    taking both through the same camera leaves nothing to tell them apart but the forgery. A
    camera also compresses: write `camera+c12` for the whole of it.

    Args:
        electrons: how many a pixel holds at full white; fewer make more shot noise.
        read_noise: the electronics' noise in electrons.
        blur: the standard deviation of the optics' Gaussian in pixels.

    Raises:
        InvalidInputError: if a value is out of range.

    Reference:
        Shot noise has the variance of the light that falls in, read noise a constant one: EMVA
        Standard 1288, release 4.0, section 2.
    """

    def __init__(
        self, *, electrons: float = 4000, read_noise: float = 6, blur: float = 0.5
    ) -> None:
        in_range("electrons", electrons, 10, 1e6, "a small sensor holds some thousands")
        in_range("read_noise", read_noise, 0, 1000, "a small sensor has some electrons of it")
        in_range("blur", blur, 0, 10, "it is told in pixels")
        self.blur = blur
        self.sigma = noise_by_level(electrons, read_noise)

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return the frame as the camera sees it."""
        soft = cv2.GaussianBlur(image, (0, 0), self.blur) if self.blur else image
        noise = random.standard_normal(image.shape, np.float32)
        return to_bytes(soft + self.sigma[soft] * noise)


def noise_by_level(electrons: float, read_noise: float) -> NDArray[np.float32]:
    """Return the noise's standard deviation in grey levels at each grey level: (256,).

    The noise arises in linear light; the sRGB curve, which turns light into grey levels, spreads
    it where it is steep, in the shadows.
    """
    grey = np.arange(256) / 255
    light = np.where(grey <= 0.04045, grey / 12.92, ((grey + 0.055) / 1.055) ** 2.4)
    light_by_grey = np.where(
        grey <= 0.04045, 1 / 12.92, 2.4 / 1.055 * ((grey + 0.055) / 1.055) ** 1.4
    )
    sigma = np.sqrt(light * electrons + read_noise**2) / electrons
    return np.asarray(255 * sigma / light_by_grey, np.float32)
