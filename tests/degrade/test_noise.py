"""Gaussian noise in RGB."""

import numpy as np
import pytest

from unmask.degrade.noise import Noise
from unmask.errors import InvalidInputError

GREY = np.full((128, 128, 3), 128, np.uint8)


def test_the_noise_has_the_asked_for_spread_and_no_mean() -> None:
    noise = Noise(8).degrade_image(GREY, np.random.default_rng(0)) - 128.0
    assert noise.std() == pytest.approx(8, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.1)


def test_each_frame_and_channel_has_noise_of_its_own() -> None:
    first, second = Noise(8)([GREY, GREY], np.random.default_rng(0))
    channels = [*np.moveaxis(first, -1, 0), *np.moveaxis(second, -1, 0)]
    between = np.corrcoef([channel.ravel() for channel in channels])
    assert np.abs(between - np.eye(6)).max() < 0.05


def test_negative_noise_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="sigma must lie between 0 and 255, got -1"):
        Noise(-1)
