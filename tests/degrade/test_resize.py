"""Loss of resolution."""

import numpy as np
import pytest

from unmask.degrade.resize import Resize
from unmask.errors import InvalidInputError

RANDOM = np.random.default_rng(0)


def test_detail_finer_than_the_factor_becomes_its_mean() -> None:
    down, across = np.mgrid[:32, :48]
    checkers = np.repeat(((down + across) % 2 * 200).astype(np.uint8)[..., None], 3, -1)
    assert (Resize(2).degrade_image(checkers, RANDOM) == 100).all()


def test_a_factor_of_one_changes_nothing() -> None:
    image = RANDOM.integers(0, 256, (9, 7, 3), np.uint8)
    np.testing.assert_array_equal(Resize(1).degrade_image(image, RANDOM), image)


def test_a_factor_larger_than_the_picture_leaves_one_colour() -> None:
    image = RANDOM.integers(0, 256, (6, 9, 3), np.uint8)
    result = Resize(60).degrade_image(image, RANDOM)
    assert np.abs(result - image.mean((0, 1))).max() <= 0.51


def test_a_factor_that_enlarges_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"factor must lie between 1 and 64, got 0\.5"):
        Resize(0.5)
