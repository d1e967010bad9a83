"""What the `ffmpeg` and `ffprobe` programs say, as the reference for reading and writing."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


def _run(*command: str, given: bytes | None = None) -> bytes:
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"the program {command[0]} is not installed")
    return subprocess.run([program, *command[1:]], input=given, capture_output=True).stdout


@pytest.fixture(scope="session")
def ffprobe() -> Callable[[Path], dict[str, Any]]:
    """Return a call that gives what ffprobe says of a file, with its frames counted."""

    def call(path: Path) -> dict[str, Any]:
        out = _run(
            *("ffprobe", "-v", "error", "-count_frames", "-show_format", "-show_streams"),
            *("-of", "json", str(path)),
        )
        result: dict[str, Any] = json.loads(out)
        return result

    return call


@pytest.fixture(scope="session")
def ffmpeg_frames() -> Callable[[Path, tuple[int, int]], Frames]:
    """Return a call that decodes all frames of a video to (N, H, W, 3) RGB."""

    def call(path: Path, size: tuple[int, int]) -> Frames:
        out = _run(
            *("ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v:0", "-vsync", "0"),
            *("-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
        )
        return np.frombuffer(out, np.uint8).reshape(-1, size[1], size[0], 3)

    return call


@pytest.fixture(scope="session")
def ffmpeg_hashes() -> Callable[[Path], list[str]]:
    """Return a call that gives the MD5 of the RGB pixels of each frame of a video."""

    def call(path: Path) -> list[str]:
        out = _run(
            *("ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v:0", "-vsync", "0"),
            *("-f", "framemd5", "-pix_fmt", "rgb24", "-"),
        )
        lines = [line for line in out.decode().splitlines() if not line.startswith("#")]
        return [line.split(",")[-1].strip() for line in lines]

    return call


@pytest.fixture(scope="session")
def ffmpeg_planes() -> Callable[[Frames, str], bytes]:
    """Return a call that converts one (H, W, 3) RGB picture to a pixel format."""

    def call(image: Frames, pixel_format: str) -> bytes:
        height, width, _ = image.shape
        return _run(
            *("ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"),
            *("-s", f"{width}x{height}", "-i", "-", "-f", "rawvideo", "-pix_fmt", pixel_format),
            "-",
            given=image.tobytes(),
        )

    return call
