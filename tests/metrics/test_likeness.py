"""PSNR and SSIM, against their formulas written out."""

from math import inf

import numpy as np
import pytest
from numpy.typing import NDArray

from unmask.errors import InvalidInputError
from unmask.metrics.likeness import Picture, psnr, ssim

RANDOM = np.random.default_rng(0)


def pictures(height: int = 17, width: int = 14, noise: float = 20) -> tuple[Picture, Picture]:
    one = RANDOM.integers(0, 256, (height, width, 3)).astype(np.uint8)
    other = np.clip(one + RANDOM.normal(0, noise, one.shape), 0, 255).astype(np.uint8)
    return one, other


def ssim_written_out(one: Picture, other: Picture) -> float:
    """Go through each window and each channel, with weighted sums as the paper has them."""
    offsets = np.arange(-5, 6)
    across = np.exp(-(offsets**2) / (2 * 1.5**2))
    weights: NDArray[np.float64] = np.outer(across, across) / across.sum() ** 2
    c1, c2, found = (0.01 * 255) ** 2, (0.03 * 255) ** 2, []
    for y in range(one.shape[0] - 10):
        for x in range(one.shape[1] - 10):
            for channel in range(3):
                a, b = (p[y : y + 11, x : x + 11, channel].astype(float) for p in (one, other))
                mean_a, mean_b = (weights * a).sum(), (weights * b).sum()
                variance_a = (weights * (a - mean_a) ** 2).sum()
                variance_b = (weights * (b - mean_b) ** 2).sum()
                covariance = (weights * (a - mean_a) * (b - mean_b)).sum()
                found.append(
                    (2 * mean_a * mean_b + c1)
                    * (2 * covariance + c2)
                    / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))
                )
    return float(np.mean(found))


@pytest.mark.parametrize("noise", [1, 20, 200])
def test_ssim_is_the_mean_of_its_formula_over_all_windows(noise: float) -> None:
    one, other = pictures(noise=noise)
    assert ssim(one, other) == pytest.approx(ssim_written_out(one, other), abs=1e-9)


def test_ssim_of_two_plain_pictures_is_what_their_means_give() -> None:
    one, other = np.full((20, 20, 3), 100, np.uint8), np.full((20, 20, 3), 50, np.uint8)
    c1 = 2.55**2
    expected = (2 * 100 * 50 + c1) / (100**2 + 50**2 + c1)
    assert ssim(one, other) == pytest.approx(expected, abs=1e-9)


def test_equal_pictures_are_wholly_alike() -> None:
    one, _ = pictures()
    assert ssim(one, one) == pytest.approx(1, abs=1e-12)
    assert psnr(one, one) == inf


def test_psnr_of_a_change_by_one_level_everywhere_is_that_of_255() -> None:
    one = np.full((9, 9, 3), 100, np.uint8)
    assert psnr(one, one + 1) == pytest.approx(20 * np.log10(255))
    assert psnr(one + 1, one) == psnr(one, one + 1)


def test_pictures_of_other_shapes_or_below_the_window_are_refused() -> None:
    one, other = pictures()
    with pytest.raises(InvalidInputError, match=r"must have one shape .* cut out the same part"):
        psnr(one, other[1:])
    with pytest.raises(InvalidInputError, match="with sides of 11 or more"):
        ssim(one[:10], other[:10])
