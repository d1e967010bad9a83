"""Motion JPEG in memory, against the ffmpeg program and OpenCV's writer."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from makers import forgeable
from makers.clips import numbered_image
from unmask.contracts import Image
from unmask.degrade.apply import DegradeSettings, degrade_videos
from unmask.degrade.mjpeg import MJPEG
from unmask.degrade.spec import parse_degradation
from unmask.errors import InvalidInputError
from unmask.video.read import read_frames


def clip(frames: int = 12, size: tuple[int, int] = (176, 96)) -> list[Image]:
    return [numbered_image(number, size) for number in range(frames)]


def compressed(frames: list[Image], quality: int) -> list[Image]:
    return list(MJPEG(quality)(frames, np.random.default_rng(0)))


def loss(ours: list[Image], others: list[Image]) -> float:
    return float(
        np.mean([np.mean((a.astype(float) - b) ** 2) for a, b in zip(ours, others, strict=True)])
    )


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg program")
@pytest.mark.parametrize("quality", [2, 3, 10, 31])
def test_loss_is_that_of_the_ffmpeg_program(quality: int, tmp_path: Path) -> None:
    frames = clip(3)
    height, width = frames[0].shape[:2]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "25", "-i", "-"]
    coded = ["-c:v", "mjpeg", "-q:v", str(quality), "-pix_fmt", "yuvj420p", str(tmp_path / "a.avi")]
    ffmpeg = ["ffmpeg", "-v", "error"]
    subprocess.run(
        [*ffmpeg, *raw, *coded], input=b"".join(one.tobytes() for one in frames), check=True
    )
    decode = [*ffmpeg, "-i", str(tmp_path / "a.avi"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    content = subprocess.run(decode, capture_output=True, check=True).stdout
    theirs = np.frombuffer(content, np.uint8).reshape(-1, height, width, 3)
    # Releases of FFmpeg round colour differences by half a level otherwise as they make them.
    ours = compressed(frames, quality)
    assert loss(frames, ours) == pytest.approx(loss(frames, list(theirs)), rel=0.1)
    assert loss(ours, list(theirs)) < 3


def test_default_is_what_opencv_writes_after_its_first_frames(tmp_path: Path) -> None:
    frames = clip(30)
    path = str(tmp_path / "a.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 25, (176, 96))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    reader = cv2.VideoCapture(path)
    theirs = [np.asarray(reader.read()[1])[..., ::-1].astype(np.uint8) for _ in frames][-5:]
    distance = {quality: loss(compressed(frames[-5:], quality), theirs) for quality in (2, 3, 4, 5)}
    assert min(distance, key=distance.__getitem__) == MJPEG().quality == 3
    assert distance[3] < 0.2 * distance[4]


def test_a_higher_number_loses_more() -> None:
    frames = clip(2)
    errors = [loss(frames, compressed(frames, quality)) for quality in (2, 5, 12, 31)]
    assert errors == sorted(errors)
    assert errors[0] < 0.8 * errors[-1]


def test_odd_and_changing_sizes_keep_each_row_and_column() -> None:
    frames = [*clip(1, (131, 95)), *clip(1), *clip(1, (131, 95))]
    first, second, third = compressed(frames, 2)
    assert first.shape == (95, 131, 3)
    assert second.shape == (96, 176, 3)
    np.testing.assert_array_equal(first, third)
    np.testing.assert_array_equal(
        first, MJPEG(2).degrade_image(frames[0], np.random.default_rng(0))
    )


def test_a_degraded_copy_reads_as_the_motion_jpeg_would(tmp_path: Path) -> None:
    catalog = forgeable.make(tmp_path, forgeable.clip_row(tmp_path, "ann"))
    made = degrade_videos(
        DegradeSettings(catalog, tmp_path / "out", ("mjpeg", "c23", "c30", "c40"), workers=1)
    )
    assert made.table["quality"].to_list() == [None, "mjpeg-3", "c23", "c30", "c40"]
    assert made.table["crf"].to_list() == [None, None, 23, 30, 40]
    original = [frame.image for frame in read_frames(tmp_path / "ann/a.mp4")]
    copy = made.rows()[1]
    read = [frame.image for frame in read_frames(made.media(copy["path"]))]
    np.testing.assert_array_equal(read, compressed(original, 3))


def test_its_name_is_one_step_of_a_chain() -> None:
    assert parse_degradation("mjpeg").name == "mjpeg-3"
    assert parse_degradation("resize:2+mjpeg:8").name == "resize-2+mjpeg-8"
    assert parse_degradation("mjpeg").crf is None


@pytest.mark.parametrize("quality", [1, 32])
def test_a_quality_that_it_has_not_is_refused(quality: int) -> None:
    with pytest.raises(
        InvalidInputError, match=f"quality must lie between 2 and 31, got {quality}"
    ):
        MJPEG(quality)
