"""The perturbation CC."""

import numpy as np
import pytest

from unmask.degrade.color_contrast import ColorContrast

RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (64, 64, 3), np.uint8)
IMAGE[::2] = 255 - IMAGE[1::2]  # so that the mean is middle grey

levels = pytest.mark.parametrize(
    ("level", "kept"), [(1, 0.85), (2, 0.725), (3, 0.6), (4, 0.475), (5, 0.35)]
)


@levels
def test_contrast_shrinks_and_the_brightness_stays(level: int, kept: float) -> None:
    result = ColorContrast(level).degrade_image(IMAGE, RANDOM)
    assert result.std() == pytest.approx(kept * IMAGE.std(), rel=0.01)
    assert result.mean() == pytest.approx(127.5, abs=0.1)


@levels
def test_the_published_form_darkens(level: int, kept: float) -> None:
    result = ColorContrast(level, paper_quirks=True).degrade_image(IMAGE, RANDOM)
    assert result.mean() == pytest.approx(kept * IMAGE.mean(), rel=0.01)
