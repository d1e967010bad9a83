"""H.264 in memory, against the ffmpeg program."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from unmask.contracts import Image
from unmask.degrade.h264 import H264
from unmask.errors import InvalidInputError


def clip(frames: int = 12, height: int = 96, width: int = 176) -> list[Image]:
    """Return noise that moves over a gradient: content that costs bits."""
    random = np.random.default_rng(0)
    texture = random.integers(0, 80, (height, width + 2 * frames, 3))
    slope = np.linspace(0, 150, width)[:, None]
    return [(texture[:, 2 * i : 2 * i + width] + slope).astype(np.uint8) for i in range(frames)]


def compressed(frames: list[Image], crf: int) -> list[Image]:
    return list(H264(crf)(frames, np.random.default_rng(0)))


def compressed_by_ffmpeg(frames: list[Image], crf: int, folder: Path) -> list[Image]:
    height, width = frames[0].shape[:2]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    codec = ["-c:v", "libx264", "-crf", str(crf), "-preset", "medium", "-pix_fmt", "yuv420p"]
    file = str(folder / "clip.mp4")
    ffmpeg = ["ffmpeg", "-v", "error"]
    encode = [*ffmpeg, *raw, "-r", "25", "-i", "-", *codec, "-threads", "1", file]
    subprocess.run(encode, input=b"".join(frame.tobytes() for frame in frames), check=True)
    decode = [*ffmpeg, "-i", file, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    content = subprocess.run(decode, capture_output=True, check=True).stdout
    return list(np.frombuffer(content, np.uint8).reshape(-1, height, width, 3))


def psnr(ours: list[Image], others: list[Image]) -> float:
    error = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(ours, others, strict=True)]
    return float(10 * np.log10(255**2 / np.mean(error)))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg program")
@pytest.mark.parametrize("crf", [23, 40])
def test_the_loss_is_that_of_the_ffmpeg_program(crf: int, tmp_path: Path) -> None:
    frames = clip()
    theirs = compressed_by_ffmpeg(frames, crf, tmp_path)
    assert psnr(frames, compressed(frames, crf)) == pytest.approx(psnr(frames, theirs), abs=0.1)


def test_a_higher_rate_loses_more() -> None:
    frames = clip()
    quality = [psnr(frames, compressed(frames, crf)) for crf in (10, 23, 30, 40)]
    assert quality == sorted(quality, reverse=True)


def test_an_odd_size_loses_no_row_or_column() -> None:
    frames = clip(height=95, width=131)
    assert psnr(frames, compressed(frames, 1)) > 40


def test_the_result_does_not_depend_on_what_lies_in_memory() -> None:
    # With glibc this fills fresh memory with a byte; x264 left alone then gives other videos.
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from hashlib import sha256; "
        "from test_degrade_h264 import clip, compressed; "
        "print(sha256(b''.join(f.tobytes() for f in compressed(clip(height=144), 23))).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent)],
            env=os.environ | {"MALLOC_PERTURB_": fill},
            capture_output=True,
            check=True,
        ).stdout
        for fill in ("1", "85")
    }
    assert len(told) == 1


@pytest.mark.parametrize("crf", [-1, 52])
def test_a_rate_that_x264_has_not_is_refused(crf: int) -> None:
    with pytest.raises(InvalidInputError, match=f"crf must lie between 0 and 51, got {crf}"):
        H264(crf)
