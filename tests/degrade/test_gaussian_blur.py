"""The perturbation GB."""

import numpy as np
import pytest
from scipy.ndimage import correlate1d

from unmask.degrade.gaussian_blur import GaussianBlur

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)


@pytest.mark.parametrize(("level", "kernel"), [(1, 7), (2, 9), (3, 13), (4, 17), (5, 21)])
def test_blur_weighs_the_kernel_by_a_gaussian_of_a_sixth_of_it(level: int, kernel: int) -> None:
    steps = np.arange(kernel) - kernel // 2
    weights = np.exp(-0.5 * (steps / (kernel / 6)) ** 2)
    weights /= weights.sum()
    rows = correlate1d(IMAGE.astype(float), weights, axis=0, mode="mirror")
    expected = correlate1d(rows, weights, axis=1, mode="mirror")
    result = GaussianBlur(level).degrade_image(IMAGE, np.random.default_rng(0))
    assert np.abs(result - expected).max() <= 1.5  # its weights are rounded to 1/256
