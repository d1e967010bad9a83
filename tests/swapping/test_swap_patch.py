"""The patch of a face: places that are known, there and back."""

import cv2
import numpy as np
import pytest

from makers.drawn_face import landmarks, picture, pose
from unmask.contracts import Image
from unmask.faces.topology import contours_of
from unmask.metrics.likeness import psnr
from unmask.swapping.alignment import cut_face, face_matrix
from unmask.swapping.patch import patch_of

WHERE = pose(size=40, x=110, y=80, turn=0.2)


def test_patch_is_the_middle_of_the_aligned_picture() -> None:
    points = landmarks(68, WHERE)
    image = picture(WHERE)
    whole = cut_face(image, face_matrix(points, 256), 256)
    cut = patch_of(points).cut(image, 224)
    assert cut is not None
    assert psnr(cut, whole[16:240, 16:240]) > 45
    smaller = patch_of(points, coverage=0.5, padding=0.3).cut(image, 96)
    expected = cut_face(image, face_matrix(points, 192, padding=0.3), 192)[48:144, 48:144]
    assert smaller is not None
    assert psnr(smaller, expected) > 45


@pytest.mark.parametrize("count", [478, 68, 5])
def test_landmarks_lie_in_the_patch_where_the_pixels_do(count: int) -> None:
    points = landmarks(count, WHERE)
    down, across = np.mgrid[:200, :200]
    places = np.stack([across, down, 0 * down], axis=-1).astype(np.uint8)
    patch = patch_of(points)
    cut = patch.cut(places, 64)
    assert cut is not None
    inner = contours_of(points)[30]  # the tip of the nose
    (x, y) = np.rint(contours_of(patch.landmarks(points, 64))[30]).astype(int)
    step = 1 / np.hypot(*patch.to_pixels(64)[:, 0])
    np.testing.assert_allclose(cut[y, x, :2], inner, atol=step)


def test_what_is_cut_out_and_put_back_lies_where_it_was() -> None:
    smooth = cv2.GaussianBlur(picture(WHERE), (0, 0), 2)
    patch = patch_of(landmarks(68, WHERE))
    cut = patch.cut(np.asarray(smooth), 128)
    mask = np.zeros((128, 128), np.uint8)
    mask[20:108, 20:108] = 255
    assert cut is not None
    window = patch.window(mask, np.asarray(smooth))
    assert window is not None
    inside = patch.drawn(mask, window) == 255
    assert inside.sum() > 5000
    back = patch.drawn(cut, window)
    difference = back[inside].astype(float) - smooth[window][inside]
    assert 10 * np.log10(255**2 / (difference**2).mean()) > 45


def test_window_holds_the_whole_mask_and_little_more() -> None:
    patch, image = patch_of(landmarks(68, WHERE)), picture(WHERE)
    mask = np.zeros((128, 128), np.uint8)
    mask[60:90, 40:80] = 255
    everywhere = (slice(0, 200), slice(0, 200))
    whole = patch.drawn(mask, everywhere)
    window = patch.window(mask, image)
    assert window is not None
    np.testing.assert_array_equal(patch.drawn(mask, window), whole[window])
    whole[window] = 0
    assert not whole.any()
    rows, columns = window
    assert (rows.stop - rows.start) * (columns.stop - columns.start) < 3 * (mask > 0).mean() * (
        1 / patch.matrix[0, 0] ** 2
    )
    assert patch.window(np.zeros_like(mask), image) is None


def test_mask_is_nothing_beyond_the_patch() -> None:
    patch = patch_of(landmarks(68, WHERE))
    drawn = patch.drawn(np.full((128, 128), 255, np.uint8), (slice(0, 200), slice(0, 200)))
    assert drawn[0, 0] == 0
    assert drawn.max() == 255
    area = 1 / (patch.matrix[0, 0] ** 2 + patch.matrix[0, 1] ** 2)
    assert (drawn / 255).sum() == pytest.approx(area, rel=0.01)


def test_patch_outside_of_the_frame_is_none() -> None:
    far = patch_of(landmarks(68, pose(size=20, x=600, y=600)))
    image: Image = np.zeros((100, 100, 3), np.uint8)
    assert far.cut(image, 64) is None
    assert far.window(np.full((128, 128), 255, np.uint8), image) is None
