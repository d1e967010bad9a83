"""Colour statistics and their transfer against their definitions."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.colour import ColourStatistics, colour_statistics, match_colour


def picture(seed: int, low: int = 60, high: int = 190) -> Image:
    coarse = np.random.default_rng(seed).integers(low, high, (12, 12, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def lab_by_definition(image: Image) -> NDArray[np.float64]:
    """Return CIE Lab of sRGB under D65, from the formulas of IEC 61966-2-1 and CIE 15."""
    value = image / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    xyz = linear @ to_xyz.T / to_xyz.sum(axis=1)
    cube = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(cube, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def test_statistics_are_mean_and_deviation_of_lab_under_the_mask() -> None:
    image, mask = picture(0), np.zeros((64, 64), np.uint8)
    mask[10:40, 5:50] = 255
    lab = lab_by_definition(image)[10:40, 5:50].reshape(-1, 3)
    found = colour_statistics(image, mask)
    # OpenCV reads the curve of sRGB from a table: a tenth of a unit off.
    np.testing.assert_allclose(found.mean, lab.mean(axis=0), atol=0.15)
    np.testing.assert_allclose(found.deviation, lab.std(axis=0), atol=0.15)


def test_matched_picture_has_the_wanted_mean_and_deviation() -> None:
    whole = np.full((64, 64), 255, np.uint8)
    own = colour_statistics(picture(1), whole)
    wanted = ColourStatistics(np.array([55, 6, 12], np.float32), np.array([9, 4, 5], np.float32))
    found = colour_statistics(match_colour(picture(1), own, wanted), whole)
    np.testing.assert_allclose(found.mean, wanted.mean, atol=0.2)
    np.testing.assert_allclose(found.deviation, wanted.deviation, atol=0.2)


def test_matching_a_picture_to_its_own_colours_leaves_it() -> None:
    own = colour_statistics(picture(2), np.full((64, 64), 255, np.uint8))
    difference = match_colour(picture(2), own, own).astype(int) - picture(2)
    assert np.abs(difference).max() <= 1


def test_flat_colour_is_moved_and_not_torn_apart() -> None:
    flat = np.full((8, 8, 3), 120, np.uint8)
    whole = np.full((8, 8), 255, np.uint8)
    wanted = colour_statistics(picture(3), np.full((64, 64), 255, np.uint8))
    made = match_colour(flat, colour_statistics(flat, whole), wanted)
    assert np.ptp(made.reshape(-1, 3), axis=0).max() == 0
    np.testing.assert_allclose(colour_statistics(made, whole).mean, wanted.mean, atol=0.3)


def test_mixture_lies_between_two_statistics() -> None:
    none, one = (
        ColourStatistics(np.full(3, v, np.float32), np.full(3, v, np.float32)) for v in (0, 1)
    )
    np.testing.assert_allclose(none.towards(one, 0.25).mean, 0.25)
    np.testing.assert_allclose(none.towards(one, 0.25).deviation, 0.25)


def test_empty_mask_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="mask must mark at least one pixel"):
        colour_statistics(picture(4), np.zeros((64, 64), np.uint8))
