"""The perturbation GNC."""

import numpy as np
import pytest

from unmask.degrade.gaussian_noise_color import GaussianNoiseColor

GREY = np.full((128, 128, 3), 128, np.uint8)


@pytest.mark.parametrize(("level", "variance"), [(1, 0.001), (2, 0.002), (3, 0.005), (4, 0.01)])
def test_the_luma_and_the_chroma_have_the_stated_variance(level: int, variance: float) -> None:
    result = GaussianNoiseColor(level).degrade_image(GREY, np.random.default_rng(0)) / 255
    luma = result @ [0.299, 0.587, 0.114]
    blue, red = (result[..., 2] - luma) / 1.772, (result[..., 0] - luma) / 1.402
    for part in (luma, blue, red):
        assert part.var() == pytest.approx(variance, rel=0.05)
