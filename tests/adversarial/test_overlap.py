"""Attacked faces that overlap: one change of each pixel, inside every ball."""

import numpy as np
import pytest

from unmask.adversarial.overlap import agreeing
from unmask.contracts import Image

REGIONS = [(0, 0, 20, 20), (12, 8, 32, 28), (40, 0, 50, 10)]
PICTURE = np.random.default_rng(0).integers(0, 256, (30, 60, 3)).astype(np.uint8)


def cut(picture: Image) -> list[Image]:
    return [picture[top:bottom, left:right].copy() for left, top, right, bottom in REGIONS]


def moved(clean: list[Image], levels: int, seed: int = 1) -> list[Image]:
    random = np.random.default_rng(seed)
    return [
        np.clip(one + random.integers(-levels, levels + 1, one.shape), 0, 255).astype(np.uint8)
        for one in clean
    ]


def pasted(crops: list[Image]) -> Image:
    picture = PICTURE.copy()
    for (left, top, right, bottom), crop in zip(REGIONS, crops, strict=True):
        picture[top:bottom, left:right] = crop
    return picture


@pytest.mark.parametrize("most", [4, 16])
def test_changes_of_shared_pixels_are_added_and_kept_within_epsilon(most: int) -> None:
    clean = cut(PICTURE)
    attacked = moved(clean, 4)
    result = agreeing(clean, attacked, REGIONS, epsilon=most / 255, norm="linf")
    change = np.zeros((*PICTURE.shape[:2], 3), int)
    for (left, top, right, bottom), old, new in zip(REGIONS, clean, attacked, strict=True):
        change[top:bottom, left:right] += new.astype(int) - old
    expected = np.clip(PICTURE + np.clip(change, -most, most), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(pasted(result), expected)
    for crop, part in zip(result, cut(expected), strict=True):
        np.testing.assert_array_equal(crop, part)


def test_changes_of_a_frame_are_shortened_until_each_crop_lies_in_its_ball() -> None:
    clean = cut(PICTURE)
    epsilon = 0.2
    result = agreeing(clean, moved(clean, 9), REGIONS, epsilon=epsilon, norm="l2")
    lengths = [
        float(np.linalg.norm((new.astype(float) - old) / 255))
        for old, new in zip(clean, result, strict=True)
    ]
    assert max(lengths) <= epsilon
    assert max(lengths) > 0.5 * epsilon
    for crop, part in zip(result, cut(pasted(result)), strict=True):
        np.testing.assert_array_equal(crop, part)


def test_without_a_bound_the_changes_are_only_added() -> None:
    clean = cut(PICTURE // 2 + 60)
    result = agreeing(clean, moved(clean, 30), REGIONS, epsilon=float("inf"), norm="l2")
    both = agreeing(clean, moved(clean, 30), REGIONS, epsilon=60 / 255, norm="linf")
    for one, other in zip(result, both, strict=True):
        np.testing.assert_array_equal(one, other)


def test_faces_that_do_not_touch_are_left_as_they_are() -> None:
    clean = cut(PICTURE)[1:]
    attacked = moved(clean, 4)
    result = agreeing(clean, attacked, REGIONS[1:], epsilon=1 / 255, norm="linf")
    assert all(one is other for one, other in zip(result, attacked, strict=True))
