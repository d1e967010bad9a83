"""Which packets of a video must be decoded to reach given frames, where that can be proven."""

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from unmask.video.h264 import Format, Picture, UnprovenError, read_format, read_picture

_CONTAINERS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}


@dataclass(frozen=True)
class Index:
    """What a pass over the packets proves about an H.264 stream, in the order of decoding.

    Args:
        pictures: what each packet holds.
        numbers: the number of the frame that each packet gives, None where an edit list drops it.
        ticks: the time stamp of each frame, by its number.
    """

    pictures: list[Picture]
    numbers: list[int | None]
    ticks: list[int]

    def needed(self, wanted: Collection[int]) -> list[bool]:
        """Return for each packet whether it must be decoded to get the wanted frames.

        Nothing refers across a packet at which decoding can start, nor to a picture that is not
        a reference; so of each group only the references up to its last wanted frame are needed.
        """
        needed = [False] * len(self.pictures)
        in_use = False
        for position in reversed(range(len(needed))):
            picture = self.pictures[position]
            is_wanted = self.numbers[position] in wanted
            in_use = in_use or is_wanted
            needed[position] = is_wanted or (in_use and picture.referred)
            if picture.starts:
                in_use = False
        return needed


def prove(container: InputContainer, stream: VideoStream) -> Index | None:
    """Read all packets, decode none, and return their index, or None where nothing is proven.

    Proven is an H.264 stream of whole frames in MP4, MOV or Matroska that begins with an IDR
    picture, has one sequence parameter set throughout, and whose time stamps rise in the same
    order as the decoder puts out the pictures. Then packet and frame correspond one to one, and
    leaving out an unwanted picture that is no reference changes no other.
    """
    if container.format.name not in _CONTAINERS or stream.codec_context.name != "h264":
        return None
    try:
        form = read_format(stream.codec_context.extradata)
        packets = [_read(packet, form) for packet in container.demux(stream) if packet.size]
        return _index(packets, form)
    except (UnprovenError, av.error.FFmpegError):
        return None


def seconds(ticks: int, stream: VideoStream, start: Fraction) -> float:
    """Return the time of a time stamp since the start of the file."""
    return float(ticks * (stream.time_base or Fraction(1)) - start)


def _read(packet: "Packet[VideoStream]", form: Format) -> tuple[Picture, int, bool]:
    if packet.is_corrupt or packet.pts is None:
        raise UnprovenError("a packet is damaged or has no time stamp")
    return read_picture(memoryview(packet), form), packet.pts, packet.is_discard


def _index(packets: list[tuple[Picture, int, bool]], form: Format) -> Index:
    pictures = [picture for picture, _, _ in packets]
    if not pictures or not pictures[0].starts:
        raise UnprovenError("the stream does not begin with an IDR picture")
    _check_reorder(orders := _orders(pictures, form), form)
    shown = [k for k, (_, _, discarded) in enumerate(packets) if not discarded]
    shown.sort(key=lambda k: orders[k])
    ticks = [packets[k][1] for k in shown]
    if any(later <= earlier for earlier, later in pairwise(ticks)):
        raise UnprovenError("the time stamps do not rise in the order of output")
    numbers: list[int | None] = [None] * len(packets)
    for number, k in enumerate(shown):
        numbers[k] = number
    return Index(pictures, numbers, ticks)


def _orders(pictures: Iterable[Picture], form: Format) -> list[tuple[int, int]]:
    """Return the place of each picture in the order of output: its group, its count therein.

    Source:
        ITU-T H.264, 8.2.1.1 (type 0: the high bits are counted) and 8.2.1.3 (type 2).
    """
    orders = []
    span, group, high, low = 1 << form.order_bits, 0, 0, 0
    for position, picture in enumerate(pictures):
        if picture.starts:
            group, high, low = group + 1, 0, 0
        if not form.order_bits:
            orders.append((group, position))
            continue
        turn = _turn(picture.order - low, span)
        orders.append((group, high + turn + picture.order))
        if picture.referred:
            high, low = high + turn, picture.order
    return orders


def _turn(step: int, span: int) -> int:
    """Return by how much the high bits change when the low bits step so far."""
    if step <= -span // 2:
        return span
    return -span if step > span // 2 else 0


def _check_reorder(orders: list[tuple[int, int]], form: Format) -> None:
    """Refuse more reordering than is declared: decoders that trust the header lose such frames."""
    earlier: list[tuple[int, int]] = []
    for order in orders:
        place = bisect_left(earlier, order)
        if len(earlier) - place > form.reorder:
            raise UnprovenError("the frames are reordered more than the header says")
        insort(earlier, order)
