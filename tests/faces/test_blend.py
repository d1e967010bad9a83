"""Masks and blending against their formulas."""

import cv2
import numpy as np
import pytest

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.blend import (
    alpha_blend,
    fill,
    poisson_blend,
    soften,
)

SQUARE = np.array([[10.0, 10], [29, 10], [29, 29], [10, 29]])


def noise(seed: int, shape: tuple[int, ...] = (40, 40, 3)) -> Image:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(seed: int) -> Image:
    return np.asarray(cv2.GaussianBlur(noise(seed, (60, 70, 3)), (0, 0), 2), dtype=np.uint8)


def test_filled_polygon_is_its_inside_and_its_border() -> None:
    mask = fill(SQUARE, (40, 40))
    expected = np.zeros((40, 40), np.uint8)
    expected[10:30, 10:30] = 255
    np.testing.assert_array_equal(mask, expected)


def test_softened_mask_rises_from_the_border_inwards_and_never_outside() -> None:
    mask = fill(SQUARE, (40, 40))
    soft = soften(mask, erosion=2, feather=5)
    assert not soft[mask == 0].any()
    row = soft[20, 10:20].astype(int)
    # The pixel at the border is one away from the outside: the rise starts at distance 2.
    assert row[:2].tolist() == [0, 0]
    assert (np.diff(row[1:7]) > 0).all()
    assert (row[6:] == 255).all()
    # The fourth pixel lies two fifths up the rise; the smooth step is 3 t^2 - 2 t^3.
    assert row[3] / 255 == pytest.approx(3 * 0.4**2 - 2 * 0.4**3, abs=0.01)


def test_face_that_leaves_the_picture_is_replaced_up_to_the_edge() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[:, :20] = 255
    soft = soften(mask, erosion=1, feather=6)
    assert (soft[:, :10] == 255).all()


def test_alpha_blend_equals_its_formula_rounded() -> None:
    source, target, mask = noise(0), noise(1), noise(2, (40, 40))
    share = mask[:, :, None] / 255
    exact = share * source + (1 - share) * target
    np.testing.assert_array_equal(alpha_blend(source, target, mask), np.rint(exact))


def test_alpha_blend_keeps_the_target_bit_for_bit_where_the_mask_is_empty() -> None:
    source, target, mask = noise(0), noise(1), fill(SQUARE, (40, 40))
    blended = alpha_blend(source, target, mask)
    np.testing.assert_array_equal(blended[mask == 0], target[mask == 0])
    np.testing.assert_array_equal(blended[mask == 255], source[mask == 255])


def test_poisson_blend_of_a_shifted_tone_takes_the_tone_away() -> None:
    target = smooth(3)
    mask = np.zeros(target.shape[:2], np.uint8)
    cv2.ellipse(mask, (33, 31), (22, 15), 30, 0, 360, 255, -1)
    blended = poisson_blend((target.astype(int) + 25).astype(np.uint8), target, mask)
    assert np.abs(blended.astype(int) - target).max() <= 2


def test_poisson_blend_puts_the_sources_gradients_in_and_leaves_the_outside() -> None:
    source, target = smooth(4), smooth(5)
    mask = np.zeros(target.shape[:2], np.uint8)
    mask[15:46, 12:57] = 200
    blended = poisson_blend(source, target, mask)
    np.testing.assert_array_equal(blended[mask == 0], target[mask == 0])

    def laplacian(image: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        whole = cv2.Laplacian(image.astype(np.float64), cv2.CV_64F)
        return np.asarray(whole, dtype=np.float64)[22:40, 20:50]

    own, other = laplacian(blended), laplacian(target)
    assert np.corrcoef(own.ravel(), laplacian(source).ravel())[0, 1] > 0.8
    assert abs(np.corrcoef(own.ravel(), other.ravel())[0, 1]) < 0.4


def test_poisson_blend_works_up_to_the_pictures_edge_and_with_nothing_to_do() -> None:
    source, target = smooth(6), smooth(7)
    whole = np.full(target.shape[:2], 255, np.uint8)
    assert poisson_blend(source, target, whole).shape == target.shape
    np.testing.assert_array_equal(poisson_blend(source, target, whole // 4), target)


@pytest.mark.parametrize("blend", [alpha_blend, poisson_blend])
def test_pictures_of_unequal_size_are_refused(blend) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInputError, match="must be equally large"):
        blend(noise(0), noise(1, (40, 41, 3)), noise(2, (40, 40)))
