import cv2
import numpy as np
import pytest

from unmask.contracts import Image
from unmask.faces.pyramid import Halves


def noise(width: int, height: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth(width: int, height: int) -> Image:
    return np.asarray(cv2.GaussianBlur(noise(width, height), (0, 0), 6), np.uint8)


@pytest.mark.parametrize("scale", [1.0, 0.7, 0.5, 0.3, 0.11])
def test_a_scaled_picture_equals_the_mean_over_areas(scale: float) -> None:
    picture = smooth(203, 151)
    scaled, (across, down) = Halves(picture).scaled(scale)
    rows, columns = scaled.shape[:2]
    assert (columns, rows) == (np.ceil(203 * scale), np.ceil(151 * scale))
    covered = picture[: round(rows * down), : round(columns * across)]
    wanted = cv2.resize(covered, (columns, rows), interpolation=cv2.INTER_AREA)
    assert np.abs(scaled.astype(int) - wanted).max() <= 10
    assert np.abs(scaled.astype(int) - wanted).mean() < 1.2
    assert 151 - covered.shape[0] < 1 / scale
    assert 203 - covered.shape[1] < 1 / scale


def test_a_crop_at_its_own_size_has_the_very_pixels() -> None:
    picture = noise(90, 70)
    crops, boxes = Halves(picture).crops(np.array([[11.0, 20.0, 35.0, 44.0]]), 24)
    assert np.array_equal(crops[0], picture[20:44, 11:35])
    assert boxes.tolist() == [[11, 20, 35, 44]]


@pytest.mark.parametrize("side", [30, 55, 100, 290])
def test_a_shrunk_crop_equals_the_mean_over_areas(side: int) -> None:
    picture = smooth(400, 320)
    crops, boxes = Halves(picture).crops(np.array([[13.0, 8.0, 13.0 + side, 8.0 + side]]), 24)
    left, top, right, bottom = boxes[0].astype(int)
    wanted = cv2.resize(picture[top:bottom, left:right], (24, 24), interpolation=cv2.INTER_AREA)
    assert np.abs(crops[0].astype(int) - wanted).max() <= 10
    assert np.abs(crops[0].astype(int) - wanted).mean() < 1.2
    assert np.abs(boxes[0] - [13, 8, 13 + side, 8 + side]).max() <= side / 24


def test_what_lies_outside_of_the_picture_is_black() -> None:
    picture = np.full((40, 60, 3), 200, np.uint8)
    around = np.array([[-12.0, -12.0, 12.0, 12.0], [48.0, 28.0, 72.0, 52.0], [90, 0, 114, 24]])
    crops, _ = Halves(picture).crops(around, 24)
    assert (crops[0, 12:, 12:] == 200).all()
    assert crops[0].sum() == 200 * 12 * 12 * 3
    assert (crops[1, :12, :12] == 200).all()
    assert crops[1].sum() == 200 * 12 * 12 * 3
    assert crops[2].sum() == 0


def test_a_picture_of_one_pixel_can_be_asked_for_anything() -> None:
    halves = Halves(np.full((1, 1, 3), 7, np.uint8))
    crops, _ = halves.crops(np.array([[0.0, 0.0, 1.0, 1.0], [-500, -500, 500, 500]]), 24)
    assert (crops[0] == 7).all()
    assert halves.scaled(0.01)[0].tolist() == [[[7, 7, 7]]]
