from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from makers.clips import write_clip
from unmask.errors import InvalidInputError
from unmask.video.read import LazyFrame, decode

# What videos are made of, with sizes that end within a block of vector code and with odd ones.
FORMATS = [
    ("libx264", "yuv420p", (96, 64)),
    ("libx264", "yuv420p", (182, 106)),
    ("ffv1", "yuv420p", (97, 65)),
    ("ffv1", "yuv420p", (97, 64)),
    ("ffv1", "yuv420p", (96, 65)),
    ("mjpeg", "yuvj420p", (182, 106)),
    ("mjpeg", "yuvj422p", (182, 106)),
    ("mjpeg", "yuvj420p", (97, 65)),
    ("ffv1", "yuv422p", (182, 107)),
    ("ffv1", "yuv422p", (97, 64)),
    ("libx264", "yuv444p", (97, 65)),
    ("libx264", "yuv420p10le", (96, 64)),
    ("mpeg2video", "yuv420p", (98, 66)),
    ("libx264rgb", "rgb24", (97, 65)),
    ("ffv1", "gray", (97, 65)),
    ("rawvideo", "nv12", (98, 66)),
]


def _clip(folder: Path, codec: str, pixel_format: str, size: tuple[int, int], **rest: Any) -> Path:
    return write_clip(
        folder / f"{codec}_{pixel_format}_{size[0]}x{size[1]}.mkv",
        frames=2,
        codec=codec,
        pixel_format=pixel_format,
        size=size,
        options={"strict": "-1"} if codec == "mjpeg" else {},
        **rest,
    )


def _random_boxes(frame: LazyFrame, count: int) -> list[tuple[int, int, int, int]]:
    random = np.random.default_rng(0)
    boxes = []
    for _ in range(count):
        left, right = sorted(random.choice(frame.width + 1, 2, replace=False).tolist())
        top, bottom = sorted(random.choice(frame.height + 1, 2, replace=False).tolist())
        boxes.append((left, top, right, bottom))
    return boxes


@pytest.mark.parametrize(("codec", "pixel_format", "size"), FORMATS)
def test_rgb_equals_that_of_the_ffmpeg_program(
    tmp_path: Path,
    ffmpeg_frames: Any,
    codec: str,
    pixel_format: str,
    size: tuple[int, int],
) -> None:
    path = _clip(tmp_path, codec, pixel_format, size)
    expected = ffmpeg_frames(path, size)
    assert np.array_equal([frame.image() for frame in decode(path)], expected)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize(("codec", "pixel_format", "size"), FORMATS)
def test_a_crop_equals_the_same_part_of_the_whole(
    tmp_path: Path, codec: str, pixel_format: str, size: tuple[int, int], rotation: int
) -> None:
    path = _clip(tmp_path, codec, pixel_format, size, rotation=rotation)
    frame = next(decode(path))
    whole = frame.image()
    corners = [(0, 0, *size), (0, 0, 1, 1), (size[0] - 1, size[1] - 1, *size)]
    for left, top, right, bottom in corners + _random_boxes(frame, 20):
        crop = frame.crop(left, top, right, bottom)
        assert np.array_equal(crop, whole[top:bottom, left:right])
        assert crop.flags.c_contiguous


@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
def test_interlaced_frames_equal_those_of_the_ffmpeg_program(
    tmp_path: Path, ffmpeg_frames: Any, codec: str
) -> None:
    path = write_clip(tmp_path / "clip.mkv", codec=codec, options={"flags": "+ildct+ilme"})
    images = [frame.image() for frame in decode(path)]
    assert np.array_equal(images, ffmpeg_frames(path, (96, 64)))
    crops = [frame.crop(10, 10, 50, 41) for frame in decode(path)]
    assert np.array_equal(crops, np.stack(images)[:, 10:41, 10:50])


@pytest.mark.parametrize("colours", ["bt709", "smpte170m", "bt2020nc"])
@pytest.mark.parametrize("values", ["tv", "pc"])
def test_matrix_and_range_of_the_colours_are_heeded(
    tmp_path: Path, ffmpeg_frames: Any, colours: str, values: str
) -> None:
    options = {"colorspace": colours, "color_range": values}
    path = write_clip(tmp_path / "clip.mp4", frames=2, options=options)
    images = [frame.image() for frame in decode(path)]
    assert np.array_equal(images, ffmpeg_frames(path, (96, 64)))
    crops = [frame.crop(33, 7, 96, 64) for frame in decode(path)]
    assert np.array_equal(crops, np.stack(images)[:, 7:64, 33:96])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
def test_all_eight_orientations_are_turned_as_the_ffmpeg_program_does(
    tmp_path: Path, ffmpeg_frames: Any, degrees: int, flips: tuple[bool, bool]
) -> None:
    path = tmp_path / "clip.mp4"
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264rgb", 25, {"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        stream.set_display_rotation(degrees, *flips)
        output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
    (frame,) = decode(path)
    size = (64, 48) if degrees % 180 == 0 else (48, 64)
    assert (frame.width, frame.height) == size
    assert np.array_equal(frame.image()[None], ffmpeg_frames(path, size))


def test_a_small_frame_holds_the_means_of_areas(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", codec="libx264rgb", pixel_format="rgb24", frames=1)
    (frame,) = decode(path)
    means = frame.image().reshape(16, 4, 24, 4, 3).mean(axis=(1, 3))
    assert np.abs(frame.small(24, 16) - means).max() < 6
    assert np.abs(frame.small(24, 16) - means).mean() < 1


def test_a_small_frame_is_upright(tmp_path: Path) -> None:
    upright = next(decode(write_clip(tmp_path / "upright.mp4", frames=1)))
    turned = next(decode(write_clip(tmp_path / "turned.mp4", frames=1, rotation=90)))
    difference = upright.small(48, 32).astype(int) - turned.small(48, 32)
    assert np.abs(difference).mean() < 4


@pytest.mark.parametrize(
    "box", [(-1, 0, 5, 5), (0, 0, 97, 5), (5, 5, 5, 9), (9, 0, 5, 5), (0, 0, 5, 65)]
)
def test_a_crop_outside_the_frame_is_refused(
    tmp_path: Path, box: tuple[int, int, int, int]
) -> None:
    frame = next(decode(write_clip(tmp_path / "clip.mp4", frames=1)))
    with pytest.raises(InvalidInputError, match="box must lie within the frame of 96x64, got"):
        frame.crop(*box)


@pytest.mark.parametrize("size", [(0, 5), (97, 64), (96, 65)])
def test_a_small_size_beyond_the_frame_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    frame = next(decode(write_clip(tmp_path / "clip.mp4", frames=1)))
    with pytest.raises(InvalidInputError, match="between 1x1 and the frame's 96x64, got"):
        frame.small(*size)
