"""Sharpening: the formula, and which places unsharp leaves alone."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from unmask.swapping.sharpen import sharpened

RANDOM = np.random.default_rng(0)
PICTURE = RANDOM.uniform(0, 255, (40, 50, 3)).astype(np.float32)


def test_box_adds_what_the_mean_over_the_window_lacks() -> None:
    plain = PICTURE.astype(np.float64)
    expected = plain + 1.5 * (plain - uniform_filter(plain, (5, 5, 1), mode="mirror"))
    result = sharpened(PICTURE, "box", amount=1.5, radius=2)
    np.testing.assert_allclose(result, expected, atol=0.01)


def test_gaussian_sharpens_an_edge_on_both_sides_and_nothing_far_from_it() -> None:
    edge = np.full((20, 20, 3), 100, np.float32)
    edge[:, 10:] = 150
    result = sharpened(edge, "gaussian", amount=1.0, radius=2)
    assert (result[:, 9] < 100).all()
    assert (result[:, 10] > 150).all()
    np.testing.assert_allclose(result[:, :7], edge[:, :7], atol=1e-3)
    np.testing.assert_allclose(result[:, 13:], edge[:, 13:], atol=1e-3)


def test_unsharp_changes_high_contrasts_and_the_published_one_the_others() -> None:
    flat = np.full((20, 40, 3), 100, np.float32)
    flat[::2, ::2] += 4  # noise below the threshold
    flat[:, 20:] += 80
    right, published = (
        sharpened(flat, "unsharp", amount=1.0, radius=2, threshold=10, paper_quirks=quirks)
        for quirks in (False, True)
    )
    np.testing.assert_array_equal(right[:, :15], flat[:, :15])
    assert (right[:, 18:22] != flat[:, 18:22]).any()
    assert (published[:, :15] != flat[:, :15]).any()
    np.testing.assert_array_equal(published[:, 19:21], flat[:, 19:21])
    whole = sharpened(flat, "gaussian", amount=1.0, radius=2)
    np.testing.assert_array_equal(right + published, whole + flat)


@pytest.mark.parametrize("kind", ["none", "box", "gaussian", "unsharp"])
def test_nothing_changes_without_a_radius_or_a_kind(kind: str) -> None:
    radius = 2 if kind == "none" else 0
    np.testing.assert_array_equal(sharpened(PICTURE, kind, radius=radius), PICTURE)
