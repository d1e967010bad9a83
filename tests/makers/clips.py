"""Tiny videos whose frames show their own numbers, in any container, codec and orientation."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from unmask.video.x264 import x264_options

Image = NDArray[np.uint8]

SIDE = 4  # a frame is a chequer of 4 x 4 cells, which spells the frame's number in bits
_CORNERS = {0: True, SIDE - 1: False, SIDE * (SIDE - 1): False, SIDE * SIDE - 1: False}
_BITS = [cell for cell in range(SIDE * SIDE) if cell not in _CORNERS]
SAMPLE_RATE = 44_100


def numbered_image(number: int, size: tuple[int, int] = (96, 64)) -> Image:
    """Return a frame of (width, height) = size that shows a number in [0, 4096).

    White and black cells carry the bits and one white corner the orientation; a colour gradient
    and noise, both moving with the number, give every pixel something to get wrong.
    """
    width, height = size
    cells = np.zeros(SIDE * SIDE, bool)
    cells[[cell for cell, is_white in _CORNERS.items() if is_white]] = True
    cells[_BITS] = [number >> bit & 1 for bit in range(len(_BITS))]
    rows = np.arange(height) * SIDE // height
    columns = np.arange(width) * SIDE // width
    light = np.where(cells.reshape(SIDE, SIDE)[rows[:, None], columns], 200.0, 50.0)
    across = np.linspace(-30, 30, width)[None, :]
    down = np.linspace(-30, 30, height)[:, None]
    wave = 20 * np.sin(number / 5 + across / 10)
    noise = np.random.default_rng(number).normal(0, 4, (height, width, 3))
    colours = np.stack([light + across + 0 * down, light + down + wave, light - across], axis=2)
    image: Image = np.clip(colours + noise, 0, 255).astype(np.uint8)
    return image


def number_of(image: Image) -> int | None:
    """Return the number that a frame shows, or None if it is not an upright frame of ours."""
    height, width = image.shape[:2]
    centre = [(2 * k + 1) / (2 * SIDE) for k in range(SIDE)]
    reach_y, reach_x = max(1, height // (4 * SIDE)), max(1, width // (4 * SIDE))
    cells = [
        image[
            max(0, int(y * height) - reach_y) : int(y * height) + reach_y,
            max(0, int(x * width) - reach_x) : int(x * width) + reach_x,
        ].mean()
        > 125
        for y in centre
        for x in centre
    ]
    if any(cells[cell] != is_white for cell, is_white in _CORNERS.items()):
        return None
    return sum(1 << bit for bit, cell in enumerate(_BITS) if cells[cell])


def write_clip(
    path: Path,
    *,
    frames: int = 12,
    size: tuple[int, int] = (96, 64),
    rate: float = 25,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rotation: int = 0,
    times: Sequence[float] | None = None,
    audio: str | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a clip whose frame i shows the number i; return its path.

    Args:
        path: the file; its ending chooses the container.
        frames: how many frames.
        size: width and height of the upright frame.
        rate: frames a second.
        codec: FFmpeg's name of the encoder.
        pixel_format: FFmpeg's name of the pixel format.
        rotation: degrees clockwise by which a player turns the stored frame to show it upright.
        times: when each frame is shown, in seconds; None for the regular times.
        audio: FFmpeg's name of an audio encoder, for a tone as long as the clip.
        options: of the encoder, such as `{"g": "5", "bf": "2"}`.
        container_options: of the container, such as `{"movflags": "faststart"}`.
    """
    with av.open(str(path), "w", container_options=container_options or {}) as output:
        video = output.add_stream(codec, Fraction(rate).limit_denominator(1001))
        assert isinstance(video, VideoStream)
        turned = rotation % 180 == 90
        video.width, video.height = (size[1], size[0]) if turned else size
        video.pix_fmt = pixel_format
        video.codec_context.thread_count = 1
        video.codec_context.options = _repeatable(codec, options or {})
        if times is not None:
            video.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            video.set_display_rotation(-rotation)
        sound = output.add_stream(audio, SAMPLE_RATE, bit_rate=64_000) if audio else None
        for frame in _frames(frames, size, rotation, times):
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound is not None:
            assert isinstance(sound, AudioStream)
            _write_tone(output, sound, times[-1] if times else frames / rate)
    return path


def _repeatable(codec: str, options: dict[str, str]) -> dict[str, str]:
    if not codec.startswith("libx264"):
        return dict(options)
    always = x264_options(crf=23, preset="medium")
    params = [given["x264-params"] for given in (always, options) if "x264-params" in given]
    return always | options | {"x264-params": ":".join(params)}


def _frames(
    count: int, size: tuple[int, int], rotation: int, times: Sequence[float] | None
) -> Iterator[av.VideoFrame]:
    for number in range(count):
        stored = np.rot90(numbered_image(number, size), rotation // 90)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="rgb24")
        if times is not None:
            frame.pts, frame.time_base = round(times[number] * 1000), Fraction(1, 1000)
        yield frame


def _write_tone(output: OutputContainer, stream: AudioStream, duration: float) -> None:
    samples = np.arange(int(duration * SAMPLE_RATE))
    tone = (8000 * np.sin(samples / 20)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.stack([tone, tone]).T.reshape(1, -1), "s16", "stereo")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
