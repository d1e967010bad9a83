"""The perturbation JPEG."""

import numpy as np
import pytest

from unmask.degrade.jpeg import Jpeg
from unmask.degrade.jpeg_compression import JpegCompression
from unmask.errors import InvalidInputError

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (48, 72, 3), np.uint8)


def test_a_level_is_jpeg_of_its_quality() -> None:
    result = JpegCompression(2).degrade_image(IMAGE, RANDOM)
    np.testing.assert_array_equal(result, Jpeg(25).degrade_image(IMAGE, RANDOM))


def test_the_published_form_resizes_and_takes_one_pixel_of_each_block() -> None:
    stripes = np.zeros((48, 72, 3), np.uint8)
    stripes[:, 1::3] = 255  # the middle of each block of three, which is all that is looked at
    result = JpegCompression(2, paper_quirks=True).degrade_image(stripes, RANDOM)
    assert (result == 255).all()


def test_a_sixth_level_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"level must lie between 1 .* and 5 .*, got 6"):
        JpegCompression(6)
