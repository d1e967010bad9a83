"""Colours of a swapped face: by the definition of each way."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.colour import colour_statistics
from unmask.swapping.swap_colour import COLOURS, match_colours

WAYS = pytest.mark.parametrize("name", ["average", "reinhard", "histogram"])
ALL = np.ones((64, 64), bool)


def picture(seed: int, middle: tuple[float, float, float], spread: float = 15) -> Image:
    random = np.random.default_rng(seed)
    return np.clip(random.normal(middle, spread, (64, 64, 3)), 0, 255).astype(np.uint8)


def matched(
    name: str, new: NDArray[Any], old: Image, inside: NDArray[np.bool_] = ALL
) -> NDArray[np.float32]:
    return match_colours(name, new.astype(np.float32), old, inside)


def test_average_gives_both_faces_the_same_mean_inside_the_mask() -> None:
    new, old = picture(0, (90, 120, 150)), picture(1, (140, 100, 160))
    inside = np.zeros((64, 64), bool)
    inside[10:50, 20:60] = True
    result = matched("average", new, old, inside)
    np.testing.assert_allclose(result[inside].mean(axis=0), old[inside].mean(axis=0), atol=0.01)
    difference = old[inside].mean(axis=0) - new[inside].mean(axis=0)
    np.testing.assert_allclose(result, (new + difference).clip(0, 255), atol=0.01)


def test_average_makes_up_for_most_of_what_is_cut_off_at_white() -> None:
    new, old = picture(0, (215, 215, 215), 30), picture(1, (240, 240, 240), 5)
    once = np.clip(new + (old.mean(axis=(0, 1)) - new.mean(axis=(0, 1))), 0, 255)
    missed_once = (old.mean(axis=(0, 1)) - once.mean(axis=(0, 1))).max()
    missed = (old.mean(axis=(0, 1)) - matched("average", new, old).mean(axis=(0, 1))).max()
    assert missed_once > 2
    assert missed < 0.75 * missed_once


def test_reinhard_gives_both_faces_the_same_mean_and_deviation_in_lab() -> None:
    new, old = picture(0, (90, 120, 150), 10), picture(1, (140, 110, 120), 18)
    moved = matched("reinhard", new, old).astype(np.uint8)
    result = colour_statistics(moved, np.ones((64, 64), np.uint8))
    wanted = colour_statistics(old, np.ones((64, 64), np.uint8))
    np.testing.assert_allclose(result.mean, wanted.mean, atol=0.5)
    np.testing.assert_allclose(result.deviation, wanted.deviation, rtol=0.05)


def test_histogram_gives_both_faces_the_same_distribution_of_each_colour() -> None:
    random = np.random.default_rng(2)
    new = picture(0, (90, 120, 150))
    old = (random.beta(2, 5, (64, 64, 3)) * 200 + 30).astype(np.uint8)  # lopsided
    result = matched("histogram", new, old)
    for channel in range(3):
        found, wanted = (
            np.searchsorted(np.sort(one[..., channel], axis=None), np.arange(256), "right") / 4096
            for one in (result, old)
        )
        assert np.abs(found - wanted).max() < 0.035  # a level of the new face holds up to 2.7 %


def test_histogram_leaves_out_the_rarest_colours() -> None:
    new, old = picture(0, (90, 120, 150)), picture(1, (90, 120, 150))
    old[0, :15] = 255  # 0.4 % of the pixels
    assert matched("histogram", new, old).max() < 215


@WAYS
def test_face_of_the_same_colours_stays_nearly_the_same(name: str) -> None:
    new = picture(0, (90, 120, 150))
    low, high = np.quantile(new, [0.02, 0.98], axis=(0, 1))
    inner = (new > low) & (new < high)
    assert np.abs(matched(name, new, new) - new)[inner].max() <= 2


def test_none_changes_nothing_and_neither_does_a_face_outside_of_the_mask() -> None:
    new, old = picture(0, (90, 120, 150)), picture(1, (140, 100, 160))
    np.testing.assert_array_equal(matched("none", new, old), new)
    nowhere = np.zeros((64, 64), bool)
    for name in COLOURS:
        np.testing.assert_array_equal(matched(name, new, old, nowhere), new)


def test_smooth_face_changes_its_tone_by_less_than_a_level() -> None:
    face, old = np.full((64, 64, 3), 100, np.float32), picture(1, (140, 100, 160))
    brighter = old.copy()
    brighter[:6] += 2
    wanted = brighter.mean() - old.mean()
    assert 0 < wanted < 0.3
    moved = matched("average", face, brighter).mean() - matched("average", face, old).mean()
    assert moved == pytest.approx(wanted, abs=0.01)
