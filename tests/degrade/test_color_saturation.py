"""The perturbation CS."""

import numpy as np
import pytest

from unmask.degrade.color_saturation import ColorSaturation

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(60, 190, (20, 30, 3), np.uint8)


@pytest.mark.parametrize(("level", "kept"), [(1, 0.4), (2, 0.3), (3, 0.2), (4, 0.1), (5, 0.0)])
def test_the_level_scales_the_difference_of_blue_and_luma(level: int, kept: float) -> None:
    def luma_and_blue(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        luma = 0.299 * image[..., 0] + 0.587 * image[..., 1] + 0.114 * image[..., 2]
        return luma, image[..., 2] - luma

    luma, blue = luma_and_blue(IMAGE)
    new_luma, new_blue = luma_and_blue(ColorSaturation(level).degrade_image(IMAGE, RANDOM))
    np.testing.assert_allclose(new_luma, luma, atol=0.51)
    np.testing.assert_allclose(new_blue, kept * blue, atol=1.01)


def test_the_strongest_level_leaves_grey() -> None:
    grey = ColorSaturation(5).degrade_image(IMAGE, RANDOM)
    assert (grey == grey[..., :1]).all()
