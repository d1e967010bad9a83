"""The camera."""

import numpy as np
import pytest

from unmask.degrade.camera import Camera, noise_by_level
from unmask.errors import InvalidInputError


def srgb(light: np.ndarray) -> np.ndarray:
    """Return the grey level of linear light, as IEC 61966-2-1 defines it."""
    bright = 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055
    return 255 * np.where(light <= 0.0031308, 12.92 * light, bright)


def light_of(grey: float) -> float:
    value = grey / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("grey", [40, 100, 188, 240])
def test_noise_is_that_of_counting_electrons(grey: int) -> None:
    random = np.random.default_rng(0)
    electrons, read_noise = 4000, 6
    counted = random.poisson(light_of(grey) * electrons, 200_000)
    read = counted + random.normal(0, read_noise, counted.size)
    simulated = srgb(read / electrons).std()
    assert noise_by_level(electrons, read_noise)[grey] == pytest.approx(simulated, rel=0.02)


def test_frames_get_that_noise_and_keep_their_brightness() -> None:
    grey = np.full((200, 200, 3), 100, np.uint8)
    result = Camera().degrade_image(grey, np.random.default_rng(0)).astype(float)
    expected = noise_by_level(4000, 6)[100]
    assert result.std() == pytest.approx(np.hypot(expected, np.sqrt(1 / 12)), rel=0.02)
    assert result.mean() == pytest.approx(100, abs=0.05)


def test_fewer_electrons_make_more_noise() -> None:
    assert (noise_by_level(500, 6) > noise_by_level(4000, 6)).all()


def test_edges_are_softened() -> None:
    edge = np.zeros((20, 20, 3), np.uint8)
    edge[:, 10:] = 200
    result = Camera(electrons=1e6, read_noise=0).degrade_image(edge, np.random.default_rng(0))
    assert 5 < result[10, 9, 0] < 60


def test_a_pixel_that_holds_nothing_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"electrons must lie between 10 and 1e\+06, got 0"):
        Camera(electrons=0)
