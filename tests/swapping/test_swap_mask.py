"""Masks of a patch: against their definition and an independent filter."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, uniform_filter

from makers.drawn_face import landmarks, pose
from unmask.swapping.swap_mask import box_mask, eroded, face_mask, softened

COUNTS = pytest.mark.parametrize("count", [478, 68, 5])
WHERE = pose(size=34, x=64, y=52)


@COUNTS
def test_masks_hold_each_other_from_the_box_to_the_components(count: int) -> None:
    points = landmarks(count, WHERE)
    box, extended, hull, components = (
        face_mask(points, kind) > 0 for kind in ("box", "extended", "hull", "components")
    )
    assert box.all()
    for larger, smaller in ((box, extended), (extended, hull), (hull, components)):
        # The oval of 478 points is a finer line than the jaw of 68.
        assert (smaller & ~larger).sum() < 0.01 * smaller.sum()
        assert larger.sum() > smaller.sum()


def test_hull_ends_at_the_brows_and_extended_above_them() -> None:
    points = landmarks(68, WHERE)
    x, y = np.rint(points[[19, 24]].mean(axis=0)).astype(int)
    assert face_mask(points, "extended")[y - 6, x] == 255
    assert face_mask(points, "hull")[y - 6, x] == 0


def test_components_leave_the_bridge_between_the_brows() -> None:
    points = landmarks(68, WHERE)
    x, y = np.rint(points[[21, 22]].mean(axis=0)).astype(int)
    assert face_mask(points, "components")[y + 3, x] == 0
    assert face_mask(points, "hull")[y + 3, x] == 255


def test_mask_counts_the_shares_of_pixels_on_its_border() -> None:
    points = landmarks(68, WHERE)
    first, moved = (
        face_mask(points + np.array([x, 0], np.float32), "hull").astype(int) for x in (0.0, 0.25)
    )
    area = cv2.contourArea(cv2.convexHull(points))
    assert first.sum() / 255 == pytest.approx(area, rel=0.05)  # half a pixel more on each side
    assert 0 < np.abs(moved - first).max() < 128


def test_erosion_moves_the_border_inwards_but_not_at_the_patchs() -> None:
    mask = np.where(face_mask(landmarks(68, WHERE), "extended") >= 128, 255, 0).astype(np.uint8)
    mask[:, 64:] = 255
    distance = distance_transform_edt(np.pad(mask, 20, mode="edge"))[20:-20, 20:-20]
    expected = 255 * np.clip(distance - 7.5, 0, 1)
    np.testing.assert_allclose(eroded(mask, 7.5), expected, atol=1)
    np.testing.assert_array_equal(eroded(mask, 0), mask)


def test_soft_border_is_the_mean_over_a_window_again_and_again() -> None:
    mask = face_mask(landmarks(68, WHERE), "extended")
    expected = mask.astype(np.float64)
    for _ in range(4):
        expected = uniform_filter(expected, 3)
    soft = softened(mask, blur=3, passes=4, threshold=0)
    assert np.abs(soft - expected)[1:-1, 1:-1].max() < 2  # rounded in each pass
    ends = softened(mask, blur=3, passes=4, threshold=0.04)
    np.testing.assert_array_equal(ends == 0, soft <= 0.04 * 255)
    np.testing.assert_array_equal(ends == 255, soft >= 0.96 * 255)
    between = (ends > 0) & (ends < 255)
    np.testing.assert_array_equal(ends[between], soft[between])


def test_box_is_nothing_at_the_border_half_at_its_distance_and_all_in_the_middle() -> None:
    box = box_mask(distance=0.125, blur=0.04)
    assert box.shape == (128, 128)
    assert not box[0].any()
    assert not box[:, -1].any()
    assert box[64, 15:17].mean() == pytest.approx(0.5, abs=0.01)
    assert box[40:88, 40:88].min() == pytest.approx(1)
    np.testing.assert_allclose(box, box[::-1], atol=1e-6)
    np.testing.assert_allclose(box, box.T, atol=1e-6)
    assert (box_mask(distance=0, blur=0) == 1).all()
