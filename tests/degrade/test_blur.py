"""Gaussian blur of any width."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from unmask.degrade.blur import Blur
from unmask.errors import InvalidInputError

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)


@pytest.mark.parametrize("sigma", [0.7, 2.0, 5.0])
def test_blur_is_what_scipy_computes(sigma: float) -> None:
    result = Blur(sigma).degrade_image(IMAGE, np.random.default_rng(0))
    expected = gaussian_filter(IMAGE.astype(float), (sigma, sigma, 0), mode="mirror", truncate=3)
    assert np.abs(result - expected).max() <= 2


def test_no_blur_changes_nothing() -> None:
    np.testing.assert_array_equal(Blur(0).degrade_image(IMAGE, np.random.default_rng(0)), IMAGE)


def test_negative_blur_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="sigma must lie between 0 and 100, got -1"):
        Blur(-1)
