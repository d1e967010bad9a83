"""Pictures and the mark in PNG files, which Pillow reads as well."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from unmask.errors import InvalidInputError, NotFoundError, UnreadableMediaError
from unmask.video.picture import read_picture, read_png_mark, write_png

PICTURE = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
MARK = "nes on Größe, 合成"


def test_pillow_reads_the_same_pixels_and_the_mark(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a" / "one.png", PICTURE, synthetic=MARK)
    with Image.open(path) as opened:
        opened.load()
        np.testing.assert_array_equal(np.asarray(opened), PICTURE)
        texts = dict(opened.text)  # type: ignore[attr-defined]
    assert texts == {"Comment": f"Synthetic media: {MARK}", "unmask_synthetic": MARK}
    np.testing.assert_array_equal(read_picture(path), PICTURE)
    assert read_png_mark(path) == MARK


def test_a_picture_without_a_mark_carries_none(tmp_path: Path) -> None:
    png, jpg = write_png(tmp_path / "one.png", PICTURE), tmp_path / "one.jpg"
    cv2.imwrite(str(jpg), PICTURE)
    cut = tmp_path / "cut.png"
    cut.write_bytes(png.read_bytes()[:60])
    assert [read_png_mark(path) for path in (png, jpg, cut)] == [None] * 3


def test_equal_pictures_are_equal_files(tmp_path: Path) -> None:
    one, two = (write_png(tmp_path / name, PICTURE, synthetic="m") for name in ("1.png", "2.png"))
    assert one.read_bytes() == two.read_bytes()


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UnreadableMediaError, match="must be an image that OpenCV can read"):
        read_picture(tmp_path / "text.png")
    for read in (read_picture, read_png_mark):
        with pytest.raises(NotFoundError, match="path must be an existing file"):
            read(tmp_path / "nowhere.png")


def test_only_rgb_is_written(tmp_path: Path) -> None:
    for wrong in (PICTURE[..., 0], PICTURE / 255.0):
        with pytest.raises(
            InvalidInputError, match=r"image must be uint8 RGB of shape \(H, W, 3\)"
        ):
            write_png(tmp_path / "one.png", wrong)  # type: ignore[arg-type]
