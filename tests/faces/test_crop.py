from pathlib import Path

import cv2
import numpy as np
import pytest

from makers.people import Person, scene
from makers.views import Still
from unmask.errors import InvalidInputError
from unmask.faces.align import align
from unmask.faces.crop import (
    cut,
    cut_aligned,
    median_box,
    square_region,
    steady_region,
    write_crop,
)


@pytest.mark.parametrize(
    ("box", "region"),
    [
        # 100 x 120 at (100, 100): side int(120 * 1.3) = 156 about (150, 160).
        ((100, 100, 200, 220), (72, 82, 228, 238)),
        # Side int(101 * 1.3) = 131, half of it 65, centre (150, 150).
        ((100, 100, 201, 201), (85, 85, 216, 216)),
        # Too far left and up: moved in, the side stays.
        ((0, 0, 100, 100), (0, 0, 130, 130)),
        # Too far right: the corner stays, the side shrinks to what is left, in both directions.
        ((560, 100, 640, 180), (548, 88, 640, 180)),
        # Too far down.
        ((100, 420, 160, 480), (91, 411, 160, 480)),
        # Larger than the frame.
        ((0, 0, 640, 480), (0, 0, 480, 480)),
        # Fractions are rounded first.
        ((99.6, 100.4, 199.7, 219.5), (72, 82, 228, 238)),
    ],
)
def test_the_square_follows_the_rule_of_faceforensics(
    box: tuple[float, float, float, float], region: tuple[int, int, int, int]
) -> None:
    assert square_region(box, width=640, height=480) == region


def test_a_face_outside_of_the_frame_has_no_square() -> None:
    assert square_region((700, 100, 800, 200), width=640, height=480) is None


def test_the_steady_region_is_the_square_about_the_median_box() -> None:
    boxes = [(100.0, 50.0, 200.0, 150.0)] * 3 + [(0.0, 0.0, 10.0, 10.0), (500.0, 300, 640, 470)]
    assert median_box(boxes) == (100, 50, 200, 150)
    assert steady_region(median_box(boxes), 640, 480) == (85, 35, 215, 165)


def test_the_steady_region_is_moved_into_the_frame_and_keeps_its_size() -> None:
    assert steady_region((0.0, 400.0, 100.0, 480.0), 640, 480) == (0, 350, 130, 480)
    assert steady_region((-50.0, -80.0, 600.0, 700.0), 640, 480) == (35, 0, 515, 480)


def test_a_native_cut_has_the_very_pixels_and_a_sized_one_the_size() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    region = (10, 20, 70, 80)
    assert np.array_equal(cut(Still(picture), region, 0), picture[20:80, 10:70])
    assert np.array_equal(cut(Still(picture), region, 60), picture[20:80, 10:70])
    halved = picture[20:80, 10:70].reshape(30, 2, 30, 2, 3).mean((1, 3))
    assert np.abs(cut(Still(picture), region, 30) - halved).max() <= 0.5
    assert cut(Still(picture), region, 256).shape == (256, 256, 3)


def test_aligning_a_part_of_a_frame_equals_aligning_the_frame() -> None:
    person = Person("P001", 200, 40, 260)
    picture = scene((640, 360), [person])
    part = cut_aligned(Still(picture), person.five.astype(np.float32), 256)
    assert part is not None
    assert np.abs(part.astype(int) - align(picture, person.five)).max() <= 1


def test_a_face_outside_of_the_frame_is_not_aligned() -> None:
    picture = scene((64, 64), [])
    five = Person("P001", 500, 500, 60).five.astype(np.float32)
    assert cut_aligned(Still(picture), five, 256) is None


def test_a_png_keeps_every_pixel_and_red_stays_red(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (33, 33, 3), dtype=np.uint8)
    picture[0, 0] = (255, 10, 0)
    write_crop(picture, tmp_path / "deep/er/crop.png")
    file = tmp_path / "deep/er/crop.png"
    read = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
    assert read is not None
    assert np.array_equal(read, picture)
    assert file.read_bytes()[1:4] == b"PNG"


def test_a_jpeg_is_near_and_red_stays_red(tmp_path: Path) -> None:
    picture = np.full((64, 64, 3), (250, 20, 60), np.uint8)
    write_crop(picture, tmp_path / "crop.jpg")
    read = cv2.imread(str(tmp_path / "crop.jpg"), cv2.IMREAD_COLOR_RGB)
    assert read is not None
    assert np.abs(read.astype(int) - picture).max() < 6


def test_a_crop_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "crop.png").mkdir()
    with pytest.raises(InvalidInputError, match="path must be a file that can be written"):
        write_crop(np.zeros((4, 4, 3), np.uint8), tmp_path / "crop.png")
