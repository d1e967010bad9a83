import numpy as np
import pytest

from unmask.contracts import Image
from unmask.faces.masks import compare_to_masks, is_forged, share_inside
from unmask.faces.mtcnn import Box, Face
from unmask.faces.track import Track


def track(number: int, *boxes: Box) -> Track:
    """Return a track with a box in each frame from 0 on."""
    points = np.zeros((5, 2), np.float32)
    return Track(number, {k: Face(box, points, 1.0) for k, box in enumerate(boxes)})


def mask(left: int, top: int, right: int, bottom: int) -> Image:
    """Return a white rectangle in a black picture of 100x80."""
    picture = np.zeros((80, 100, 3), np.uint8)
    picture[top:bottom, left:right] = 255
    return picture


@pytest.mark.parametrize("white", [1, 128, 250, 255])
def test_white_is_forged_however_it_is_written(white: int) -> None:
    values = np.array([[0, white], [0, 0]], np.uint8)
    assert is_forged(values).tolist() == [[False, True], [False, False]]
    assert is_forged(np.stack([values] * 3, axis=2)).tolist() == [[False, True], [False, False]]


def test_the_noise_of_a_codec_is_not_forged() -> None:
    values = np.array([[3, 20], [90, 255]], np.uint8)
    assert is_forged(values).tolist() == [[False, False], [False, True]]
    assert not is_forged(np.array([[3, 20], [2, 0]], np.uint8)).any()


def test_the_share_inside_a_box_equals_counting() -> None:
    random = np.random.default_rng(0)
    forged = random.random((80, 100)) > 0.7
    for _ in range(20):
        left, top, right, bottom = random.integers(-20, 120, 4).tolist()
        box = (left, top, right + 120, bottom + 120)
        rows, columns = np.nonzero(forged)
        inside = (columns >= box[0]) & (columns < box[2]) & (rows >= box[1]) & (rows < box[3])
        assert share_inside(forged, box, 100, 80) == pytest.approx(inside.mean())


def test_a_mask_of_another_size_is_scaled_to_the_frame() -> None:
    forged = np.zeros((40, 50), bool)
    forged[10:20, 10:30] = True  # columns 20 to 60 of the frame
    assert share_inside(forged, (20.0, 20.0, 40.0, 40.0), width=100, height=80) == 0.5


def test_the_mean_share_is_over_the_frames_that_have_the_face_and_a_mask() -> None:
    first = track(0, (0, 0, 40, 40), (0, 0, 40, 40), (0, 0, 40, 40))
    second = track(1, (50, 0, 90, 40))
    masks = [(0, mask(20, 0, 60, 40)), (1, mask(0, 0, 20, 20)), (2, mask(0, 0, 0, 0))]
    said = compare_to_masks([first, second], masks, width=100, height=80)
    assert said.shares == [0.75, 0.25]
    assert said.empty == {2}


def test_a_video_with_empty_masks_only_has_no_share() -> None:
    said = compare_to_masks([track(0, (0, 0, 9, 9))], [(0, mask(0, 0, 0, 0))], 100, 80)
    assert said.shares == [0.0]
    assert said.empty == {0}
