"""JPEG of single frames."""

import io

import numpy as np
import pytest
from PIL import Image as Pillow

from unmask.degrade.jpeg import Jpeg
from unmask.errors import InvalidInputError

RANDOM = np.random.default_rng(0)


def picture() -> np.ndarray:
    small = RANDOM.integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(Pillow.fromarray(small).resize((96, 64), Pillow.Resampling.BICUBIC))


@pytest.mark.parametrize("quality", [95, 50, 10])
def test_jpeg_is_what_pillow_makes_of_it(quality: int) -> None:
    image = picture()
    file = io.BytesIO()
    Pillow.fromarray(image).save(file, "jpeg", quality=quality, subsampling="4:2:0")
    expected = np.asarray(Pillow.open(file)).astype(int)
    result = Jpeg(quality).degrade_image(image, RANDOM)
    assert np.abs(result - expected).mean() < 0.5


@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_that_jpeg_has_not_is_refused(quality: int) -> None:
    with pytest.raises(
        InvalidInputError, match=f"quality must lie between 1 and 100, got {quality}"
    ):
        Jpeg(quality)
