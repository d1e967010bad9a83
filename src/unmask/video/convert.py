"""Decoded pictures to upright RGB, pixel for pixel as the `ffmpeg` program gives them.

Measured against ffmpeg 5.1 on real and made clips: swscale with the flag `bicubic` gives the same
bytes, provided it is told nothing that the program does not tell it either. Two marks of a decoded
picture change what newer versions do: the place of the colour samples (10-bit and odd sizes) and
the interlaced flag. Both are taken off here; matrix and range of the colours stay.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from unmask.contracts import Image

# In these formats, and with an even number of rows, each RGB pixel comes from the samples of its
# own place alone. The numbers say how many pixels share a colour sample, across and down.
_LOCAL = {
    "yuv420p": (2, 2),
    "yuvj420p": (2, 2),
    "yuv422p": (2, 1),
    "yuvj422p": (2, 1),
    "yuv444p": (1, 1),
    "yuvj444p": (1, 1),
    "gbrp": (1, 1),
}
_BLOCK = 32  # pixels that vector code converts at once: a crop begins at a multiple of it

_AS_FFMPEG = "setparams=field_mode=prog:chroma_location=unspecified"


@dataclass(frozen=True)
class Turn:
    """How to turn a frame upright: clockwise degrees, mirror images apart, and FFmpeg's filters."""

    degrees: int = 0
    filters: tuple[str, ...] = ()

    @property
    def swaps_sides(self) -> bool:
        """Return whether the width becomes the height."""
        return self.degrees % 180 == 90


# By the signs of the four numbers a, b, c, d of the display matrix.
_TURNS = {
    (1, 0, 0, -1): Turn(180, ("vflip",)),
    (-1, 0, 0, 1): Turn(0, ("hflip",)),
    (-1, 0, 0, -1): Turn(180, ("hflip", "vflip")),
    (0, 1, -1, 0): Turn(90, ("transpose=clock",)),
    (0, -1, 1, 0): Turn(270, ("transpose=cclock",)),
    (0, -1, -1, 0): Turn(90, ("transpose=clock_flip",)),
    (0, 1, 1, 0): Turn(270, ("transpose=cclock_flip",)),
}


def to_rgb(frame: VideoFrame) -> Image:
    """Return an upright frame as (H, W, 3) uint8 RGB."""
    return _reformat(_plain(frame))


def crop_rgb(frame: VideoFrame, left: int, top: int, right: int, bottom: int) -> Image:
    """Return `to_rgb(frame)[top:bottom, left:right]`, converting little more than that."""
    if not _is_local(frame):
        return np.ascontiguousarray(to_rgb(frame)[top:bottom, left:right])
    across, down = left - left % _BLOCK, top - top % 2
    window = _window(frame, across, down, right + right % 2, bottom + bottom % 2)
    rgb = _reformat(window)
    return np.ascontiguousarray(rgb[top - down : bottom - down, left - across : right - across])


def small_rgb(frame: VideoFrame, width: int, height: int) -> Image:
    """Return an upright frame as (height, width, 3) uint8 RGB, each pixel the mean of its area."""
    return _reformat(_plain(frame), width, height, Interpolation.AREA)


def turn_of(frame: VideoFrame) -> Turn:
    """Return how a decoded frame is turned upright, as its display matrix asks.

    Quarter turns and mirror images are followed as the `ffmpeg` program does; a matrix that asks
    for another angle is not. Ask once for a video: a frame whose side data was looked at refers to
    itself, and many of those fill the memory until the garbage collector comes round.
    """
    side_data = cast("Iterable[SideData]", frame.side_data)
    matrix = next((data for data in side_data if data.type is Type.DISPLAYMATRIX), None)
    if matrix is None:
        return Turn()
    values = np.frombuffer(bytes(matrix), np.int32)[[0, 1, 3, 4]].astype(np.int64)
    signs = np.sign(values) * (2 * np.abs(values) > np.abs(values).max())
    return _TURNS.get(tuple(signs.tolist()), Turn())


def filtered(frame: VideoFrame, *filters: str) -> VideoFrame:
    """Return a frame after FFmpeg's filters, each written as `name` or `name=arguments`."""
    if not filters:
        return frame
    graph = Graph()
    graph.threads = 1
    nodes = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1)
        )
    ]
    for text in filters:
        name, _, arguments = text.partition("=")
        nodes.append(graph.add(name, arguments or None))
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    graph.vpush(frame)
    return graph.vpull()


def _is_local(frame: VideoFrame) -> bool:
    across, _ = _LOCAL.get(frame.format.name, (0, 0))
    return across == 1 or (across == 2 and frame.height % 2 == 0)


def _plain(frame: VideoFrame) -> VideoFrame:
    """Return the frame without the marks that the `ffmpeg` program does not heed."""
    if _is_local(frame) and not frame.interlaced_frame:
        return frame
    return filtered(frame, _AS_FFMPEG)


def _reformat(
    frame: VideoFrame,
    width: int | None = None,
    height: int | None = None,
    interpolation: Interpolation = Interpolation.BICUBIC,
) -> Image:
    # One thread: swscale cuts the picture into slices otherwise, which other threads may delay.
    rgb = frame.reformat(width, height, "rgb24", interpolation=interpolation, threads=1)
    return np.ascontiguousarray(rgb.to_ndarray(), np.uint8)


def _window(frame: VideoFrame, left: int, top: int, right: int, bottom: int) -> VideoFrame:
    """Return a copy of a part of a frame of a local format, without the marks of the whole."""
    window = av.VideoFrame(
        min(right, frame.width) - left, min(bottom, frame.height) - top, frame.format.name
    )
    window.colorspace, window.color_range = frame.colorspace, frame.color_range
    wide, high = _LOCAL[frame.format.name]
    for source, target in zip(frame.planes, window.planes, strict=True):
        is_colour = source.width != frame.width or source.height != frame.height
        across, down = (wide, high) if is_colour else (1, 1)
        rows = slice(top // down, top // down + target.height)
        columns = slice(left // across, left // across + target.width)
        _samples(target)[:] = _samples(source)[rows, columns]
    return window


def _samples(plane: VideoPlane) -> NDArray[np.uint8]:
    """Return the samples of an 8-bit plane as a (H, W) view."""
    lines = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, abs(plane.line_size))
    return lines[:: 1 if plane.line_size > 0 else -1, : plane.width]
