"""What a video file holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from unmask.video.index import prove, seconds
from unmask.video.media import open_video, origin
from unmask.video.read import LazyFrame, decode


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds.

    Args:
        path: the file.
        frames: how many frames it gives.
        frames_per_second: the average over the whole video.
        width: of the upright frame, in pixels.
        height: of the upright frame, in pixels.
        rotation: by how many degrees clockwise the stored frame is turned to stand upright: 0, 90,
            180 or 270.
        duration: from the first frame to the end of the last one, in seconds.
        codec: FFmpeg's name of the codec, such as `h264`.
        pixel_format: FFmpeg's name of the stored pixel format, such as `yuv420p`.
        has_audio: whether there is sound.
        variable_rate: whether frames are shown for different times.
    """

    path: Path
    frames: int
    frames_per_second: float
    width: int
    height: int
    rotation: int
    duration: float
    codec: str
    pixel_format: str
    has_audio: bool
    variable_rate: bool


def probe(path: Path, *, threads: int = 1) -> VideoInfo:
    """Return what a video file holds; its frames are counted, not taken from the header.

    Where the packets of the file prove how many frames it gives (`unmask.video.index`) one frame is
    decoded, elsewhere all of them. The count is right for any sound file and for one that is cut
    off; bits that were changed inside a proven file are found when its frames are read.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableMediaError: if it is no video or no frame of it can be decoded.
    """
    path = Path(path)
    with open_video(path) as (container, stream):
        index, start = prove(container, stream), origin(container)
        has_audio = bool(container.streams.audio)
        codec, tick = stream.codec_context.codec.canonical_name, float(stream.time_base or 0)
        declared = stream.average_rate or stream.guessed_rate
        pixel_format = stream.codec_context.pix_fmt or ""
        times = [seconds(ticks, stream, start) for ticks in index.ticks] if index else []
    if times:
        (first,) = decode(path, [0], threads=threads)
    else:
        first, times = _decode_all(path, threads)
    variable = _is_variable(times, tick)
    rate = _average_rate(times, None if variable else declared)
    return VideoInfo(
        path=path,
        frames=len(times),
        frames_per_second=rate,
        width=first.width,
        height=first.height,
        rotation=first.turn.degrees,
        duration=len(times) / rate,
        codec=codec,
        pixel_format=pixel_format,
        has_audio=has_audio,
        variable_rate=variable,
    )


def _decode_all(path: Path, threads: int) -> tuple[LazyFrame, list[float]]:
    frames = decode(path, threads=threads)
    first = next(frames)
    return first, [first.time, *(frame.time for frame in frames)]


def _is_variable(times: Sequence[float], tick: float) -> bool:
    """Return whether the intervals differ by more than the rounding of the time stamps."""
    intervals = [later - earlier for earlier, later in pairwise(times)]
    if not intervals:
        return False
    spread = max(intervals) - min(intervals)
    return spread > 1.5 * tick and spread > 0.01 * max(intervals)


def _average_rate(times: Sequence[float], declared: Fraction | None) -> float:
    """Return the frames a second, as declared where the time stamps agree to 1 %."""
    if len(times) < 2 or times[-1] <= times[0]:
        return float(declared or 25)
    measured = (len(times) - 1) / (times[-1] - times[0])
    if declared and abs(float(declared) / measured - 1) < 0.01:
        return float(declared)
    simple = Fraction(measured).limit_denominator(1001)
    return float(simple) if abs(float(simple) / measured - 1) < 1e-6 else measured
