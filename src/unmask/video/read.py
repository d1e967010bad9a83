"""Reading frames by number: exact, in one pass, decoding no more than must be.

The frame numbered i is the i-th that the `ffmpeg` program puts out, turned upright. Where the
headers of an H.264 file prove which packets no wanted frame depends on (`unmask.video.index`),
those are left out. Everything else is decoded from the start up to the last wanted frame, and so is
an H.264 file in which the decoder then finds any fault.
"""

import logging
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from unmask.contracts import Image
from unmask.errors import InvalidInputError, UnreadableMediaError
from unmask.video.convert import Turn, crop_rgb, filtered, small_rgb, to_rgb, turn_of
from unmask.video.index import Index, prove, seconds
from unmask.video.media import open_video, origin

_logger = logging.getLogger(__name__)

_UNTIMED = {"avi", "h264", "hevc", "m4v", "mpegvideo", "obu"}  # without times of showing


@dataclass(frozen=True)
class Frame:
    """One frame of a video.

    Args:
        number: the frame's number in the order of showing, counted from 0.
        time: when it is shown, in seconds since the earliest sound or picture of the file.
        image: (H, W, 3) uint8 RGB, upright.
    """

    number: int
    time: float
    image: Image


class LazyFrame:
    """One decoded frame, of which only what is asked for is turned into RGB.

    It holds the decoder's picture: keep few of them.

    Args:
        number: the frame's number in the order of showing, counted from 0.
        time: when it is shown, in seconds since the earliest sound or picture of the file.
        turn: how the stored picture is turned upright.
        decoded: the picture as it was stored.
    """

    def __init__(self, number: int, time: float, turn: Turn, decoded: VideoFrame) -> None:
        self.number = number
        self.time = time
        self.turn = turn
        self._decoded = decoded

    @property
    def width(self) -> int:
        """The width of the upright frame in pixels."""
        return self._decoded.height if self.turn.swaps_sides else self._decoded.width

    @property
    def height(self) -> int:
        """The height of the upright frame in pixels."""
        return self._decoded.width if self.turn.swaps_sides else self._decoded.height

    def image(self) -> Image:
        """Return the whole frame: (H, W, 3) uint8 RGB, upright."""
        return to_rgb(self._upright)

    def crop(self, left: int, top: int, right: int, bottom: int) -> Image:
        """Return the same pixels as `image()[top:bottom, left:right]`, converting no others.

        Raises:
            InvalidInputError: if the box is empty or leaves the frame.
        """
        if not (0 <= left < right <= self.width and 0 <= top < bottom <= self.height):
            raise InvalidInputError(
                f"the box must lie within the frame of {self.width}x{self.height}, got "
                f"{(left, top, right, bottom)}; clip it first"
            )
        return crop_rgb(self._upright, left, top, right, bottom)

    def small(self, width: int, height: int) -> Image:
        """Return the frame scaled down: (height, width, 3) uint8 RGB, means over areas.

        Raises:
            InvalidInputError: if the size is not between one pixel and the frame's own.
        """
        if not (0 < width <= self.width and 0 < height <= self.height):
            raise InvalidInputError(
                f"the small size must lie between 1x1 and the frame's {self.width}x{self.height}, "
                f"got {width}x{height}; scale up afterwards if you must"
            )
        return small_rgb(self._upright, width, height)

    @cached_property
    def _upright(self) -> VideoFrame:
        return filtered(self._decoded, *self.turn.filters)


def read_frames(
    path: Path, numbers: Collection[int] | None = None, *, threads: int = 1
) -> Iterator[Frame]:
    """Yield the frames with the given numbers, or all, in rising order.

    Args:
        path: the video.
        numbers: the numbers of the wanted frames, in any order; None for all.
        threads: how many threads decode, 0 for as many as the machine has. With any but 1 the
            pixels of the damaged frames of a damaged file may vary from run to run.

    Yields:
        Each frame once, with its RGB picture.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableMediaError: if it is no video or no frame of it can be decoded.
        InvalidInputError: if a number is negative or not below the number of frames.
    """
    for frame in decode(path, numbers, threads=threads):
        yield Frame(frame.number, frame.time, frame.image())


def read_frame(path: Path, number: int, *, threads: int = 1) -> Frame:
    """Return the one frame with the given number; see `read_frames`."""
    (frame,) = read_frames(path, [number], threads=threads)
    return frame


def decode(
    path: Path, numbers: Collection[int] | None = None, *, threads: int = 1
) -> Iterator[LazyFrame]:
    """Yield the frames with the given numbers without converting them; see `read_frames`."""
    wanted = None if numbers is None else frozenset(numbers)
    if wanted is not None and any(number < 0 for number in wanted):
        raise InvalidInputError(f"numbers must be 0 or more, got {min(wanted)}; count from 0")
    return _decode(Path(path), wanted, threads)


class _FaultError(Exception):
    """The quick way met a fault, or did not give every frame that it promised."""


def _decode(path: Path, wanted: frozenset[int] | None, threads: int) -> Iterator[LazyFrame]:
    """Yield the wanted frames by the quickest way, and from where it fails by the next one."""
    if wanted is not None and not wanted:
        return
    last = -1
    for way in _ways(path, wanted, threads):
        try:
            for frame in way():
                if frame.number > last and (wanted is None or frame.number in wanted):
                    last = frame.number
                    yield frame
        except _FaultError as error:
            _logger.info("%s: %s; decoding from the start", path, error)
        else:
            return


def _ways(
    path: Path, wanted: frozenset[int] | None, threads: int
) -> Iterator[Callable[[], Iterator[LazyFrame]]]:
    """Yield the ways of decoding: the quicker ones stop at a fault, the last one never does."""
    if wanted is not None:
        with open_video(path) as (container, stream):
            index = prove(container, stream)
        if index is not None:
            _check_range(wanted, len(index.ticks), path)
            yield partial(_decode_proven, path, index, wanted, threads)
    if threads != 1:
        yield partial(_decode_plain, path, wanted, threads, stop_at_fault=True)
    yield partial(_decode_plain, path, wanted, 1, stop_at_fault=False)


def _decode_proven(
    path: Path, index: Index, wanted: frozenset[int], threads: int
) -> Iterator[LazyFrame]:
    """Yield at least the wanted frames from no more packets than they need."""
    numbers = {tick: number for number, tick in enumerate(index.ticks)}
    missing = set(wanted)
    turn: Turn | None = None
    with open_video(path) as (container, stream):
        _prepare(stream, threads, stop_at_fault=True)
        start = origin(container)
        packets = _only(_demuxed(container, stream), index.needed(wanted))
        for decoded in _decoded(packets, stream, stop_at_fault=True):
            if decoded.pts not in numbers:
                raise _FaultError(f"a frame came with the time stamp {decoded.pts} of no packet")
            number = numbers[decoded.pts]
            missing.discard(number)
            turn = turn or turn_of(decoded)
            yield LazyFrame(number, seconds(decoded.pts, stream, start), turn, decoded)
    if missing:
        raise _FaultError(f"frame {min(missing)} did not come")


def _decode_plain(
    path: Path, wanted: frozenset[int] | None, threads: int, *, stop_at_fault: bool
) -> Iterator[LazyFrame]:
    """Yield all frames from the start up to the last wanted one."""
    with open_video(path) as (container, stream):
        _prepare(stream, threads, stop_at_fault=stop_at_fault)
        start, last = origin(container), None if wanted is None else max(wanted)
        interval = 1 / float(stream.guessed_rate or 25)
        number, time = -1, -interval
        turn: Turn | None = None
        packets = _demuxed(container, stream)
        for number, decoded in enumerate(_decoded(packets, stream, stop_at_fault=stop_at_fault)):
            stamp = None if container.format.name in _UNTIMED else decoded.pts
            time = time + interval if stamp is None else seconds(stamp, stream, start)
            turn = turn or turn_of(decoded)
            yield LazyFrame(number, time, turn, decoded)
            if number == last:
                return
    if number < 0:
        raise UnreadableMediaError(
            f"path must hold a frame that can be decoded, got none in {path}; copy it again"
        )
    if wanted is not None:
        _check_range(wanted, number + 1, path)


def _prepare(stream: VideoStream, threads: int, *, stop_at_fault: bool) -> None:
    context = stream.codec_context
    context.thread_count = threads
    if threads != 1:
        context.thread_type = ThreadType.AUTO
    if stop_at_fault:
        context.options = {"err_detect": "explode"}


def _demuxed(container: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """Yield the packets of a stream up to the end of the file or to where it breaks off."""
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except av.error.FFmpegError as error:
        _logger.warning("%s breaks off: %s", container.name, error)


def _only(
    packets: "Iterator[Packet[VideoStream]]", needed: list[bool]
) -> "Iterator[Packet[VideoStream]]":
    """Yield the packets that are needed and stop after the last of them."""
    left = sum(needed)
    for packet, is_needed in zip(packets, needed, strict=False):
        if is_needed:
            yield packet
            left -= 1
        if not left:
            return


def _decoded(
    packets: "Iterator[Packet[VideoStream]]", stream: VideoStream, *, stop_at_fault: bool
) -> Iterator[VideoFrame]:
    """Yield the frames of the packets, passing over faults as the `ffmpeg` program does."""
    for packet in chain(packets, [None]):
        try:
            frames = stream.codec_context.decode(packet)
        except av.error.FFmpegError as error:
            if stop_at_fault:
                raise _FaultError(str(error)) from error
            continue
        if stop_at_fault and any(frame.is_corrupt for frame in frames):
            raise _FaultError("a frame is damaged")
        yield from frames


def _check_range(wanted: frozenset[int], total: int, path: Path) -> None:
    if max(wanted) >= total:
        raise InvalidInputError(
            f"numbers must lie in [0, {total}), the frames of {path}, got {max(wanted)}; "
            "ask probe(path).frames first"
        )
