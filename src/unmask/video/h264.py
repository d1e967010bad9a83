"""The few fields of an H.264 stream that tell which frames need which others.

Source:
    ITU-T H.264 (08/2021): parameter sets 7.3.2.1 and 7.3.2.2, slice header 7.3.3, scaling lists
    7.3.2.1.1.1, video usability information E.1.1, order of output 8.2.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

SLICE, IDR_SLICE = 1, 5
_HARMLESS = {6, 9, 12}  # messages, delimiters and filler: dropping them changes no picture
_SETS = {7, 8}
_HIGH_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}
_HEADER_BYTES = 32  # more than the part of a slice header that is read


class UnprovenError(Exception):
    """The stream may well be sound, but what depends on what is not proven by its headers."""


@dataclass(frozen=True)
class Format:
    """What the parameter sets say about every slice.

    Args:
        length_bytes: how many bytes hold the length of a unit.
        frame_number_bits: width of `frame_num` in a slice header.
        order_bits: width of `pic_order_cnt_lsb`, 0 where frames are shown as they are coded.
        reorder: how many frames at most are decoded before, but shown after, another one.
        sets: the parameter sets themselves, which the packets may repeat.
    """

    length_bytes: int
    frame_number_bits: int
    order_bits: int
    reorder: int
    sets: frozenset[bytes] = frozenset()


@dataclass(frozen=True)
class Picture:
    """One coded picture: whether decoding can start at it, others refer to it, and its order."""

    starts: bool
    referred: bool
    order: int


class _Bits:
    """The bits of a unit, read from the first to the last."""

    def __init__(self, data: bytes) -> None:
        payload = data.replace(b"\0\0\3", b"\0\0")  # 7.4.1: the 3 keeps start codes out
        self._value = int.from_bytes(payload, "big")
        self._left = 8 * len(payload)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise UnprovenError("a unit ends early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def unsigned(self) -> int:
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)

    def skip(self, *fields: int) -> None:
        """Pass over fields of so many bits each; 0 stands for a number of variable length."""
        for width in fields:
            self.take(width) if width else self.unsigned()


def read_format(extradata: bytes | None) -> Format:
    """Return what the container's parameter sets (`avcC`) say.

    Raises:
        UnprovenError: for Annex B, interlaced coding, or several sequence parameter sets.
    """
    if not extradata or extradata[0] != 1 or len(extradata) < 7:
        raise UnprovenError("the units have no lengths in front")
    sequences, rest = _sets(extradata[6:], extradata[5] & 31)
    pictures, _ = _sets(rest[1:], rest[0] if rest else 0)
    if len(sequences) != 1 or not pictures:
        raise UnprovenError("there is not exactly one sequence parameter set")
    for unit in pictures:
        _check_picture_set(_Bits(unit[1:]))
    form = _read_sequence_set(_Bits(sequences[0][1:]), length_bytes=(extradata[4] & 3) + 1)
    return replace(form, sets=frozenset(sequences + pictures))


def read_picture(packet: memoryview, form: Format) -> Picture:
    """Return what the slices of one packet say.

    Raises:
        UnprovenError: if the packet is not exactly one whole picture and harmless extras: no
            parameter sets other than those of the container.
    """
    first: Picture | None = None
    for start, end in _units(packet, form.length_bytes):
        kind = packet[start] & 31
        if kind in _HARMLESS or (kind in _SETS and bytes(packet[start:end]) in form.sets):
            continue
        if kind not in (SLICE, IDR_SLICE):
            raise UnprovenError(f"a packet carries a unit of type {kind}")
        begins_picture = end > start + 1 and packet[start + 1] >= 128  # first_mb_in_slice is 0
        if begins_picture != (first is None):
            raise UnprovenError("a packet does not hold one whole picture")
        first = first or _read_slice(bytes(packet[start : min(end, start + _HEADER_BYTES)]), form)
    if first is None:
        raise UnprovenError("a packet holds no picture")
    return first


def _sets(data: bytes, count: int) -> tuple[list[bytes], bytes]:
    """Return `count` parameter sets, each behind two bytes of length, and what follows them."""
    found = []
    for _ in range(count):
        length = int.from_bytes(data[:2], "big")
        if not 2 <= length <= len(data) - 2:
            raise UnprovenError("the parameter sets end early")
        found.append(data[2 : 2 + length])
        data = data[2 + length :]
    return found, data


def _units(packet: memoryview, length_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield where each unit of a packet starts and ends."""
    position = 0
    while position < len(packet):
        start = position + length_bytes
        position = start + int.from_bytes(packet[position:start], "big")
        if not start < position <= len(packet):
            raise UnprovenError("the lengths of the units do not add up to the packet")
        yield start, position


def _read_slice(unit: bytes, form: Format) -> Picture:
    starts, referred = unit[0] & 31 == IDR_SLICE, bool(unit[0] & 0x60)
    bits = _Bits(unit[1:])
    bits.skip(0, 0, 0, form.frame_number_bits)  # first block, kind of slice, picture set
    if starts:
        bits.skip(0)  # idr_pic_id
    return Picture(starts, referred, bits.take(form.order_bits))


def _check_picture_set(bits: _Bits) -> None:
    bits.skip(0, 0, 1)  # the two numbers and the entropy coder
    if bits.take(1):
        raise UnprovenError("the two fields of a frame may have orders of their own")


def _read_sequence_set(bits: _Bits, *, length_bytes: int) -> Format:
    profile = bits.take(8)
    bits.skip(16, 0)  # constraints and level, number of the set
    if profile in _HIGH_PROFILES:
        _skip_high_profile(bits)
    frame_number_bits = bits.unsigned() + 4
    order_type = bits.unsigned()
    if order_type == 1:
        raise UnprovenError("the order of output is of type 1")
    order_bits = bits.unsigned() + 4 if order_type == 0 else 0
    bits.skip(0, 1, 0, 0)  # references, gaps, width, height
    if not bits.take(1):
        raise UnprovenError("the frames may be coded as fields")
    bits.skip(1)
    if bits.take(1):
        bits.skip(0, 0, 0, 0)  # the cropping rectangle
    reorder = _read_reorder(bits) if bits.take(1) else 0
    return Format(length_bytes, frame_number_bits, order_bits, reorder)


def _skip_high_profile(bits: _Bits) -> None:
    chroma = bits.unsigned()
    if chroma == 3 and bits.take(1):
        raise UnprovenError("the colours are coded as separate pictures")
    bits.skip(0, 0, 1)  # bit depths, lossless bypass
    if bits.take(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.take(1):
                _skip_scaling_list(bits, 16 if index < 6 else 64)


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _read_reorder(bits: _Bits) -> int:
    """Return `max_num_reorder_frames` of the usability information, 0 where it is not given."""
    if bits.take(1) and bits.take(8) == 255:  # aspect ratio, written out
        bits.skip(32)
    if bits.take(1):  # overscan
        bits.skip(1)
    if bits.take(1):  # video signal type
        bits.skip(4)
        if bits.take(1):  # description of the colours
            bits.skip(24)
    if bits.take(1):  # chroma location
        bits.skip(0, 0)
    if bits.take(1):  # timing
        bits.skip(32, 32, 1)
    buffering = [_skip_buffering(bits) for _ in range(2)]
    if any(buffering):
        bits.skip(1)
    bits.skip(1)  # structure of pictures
    if not bits.take(1):
        return 0
    bits.skip(1, 0, 0, 0, 0)
    return bits.unsigned()


def _skip_buffering(bits: _Bits) -> bool:
    present = bool(bits.take(1))
    if present:
        count = bits.unsigned() + 1
        bits.skip(8)
        for _ in range(count):
            bits.skip(0, 0, 1)
        bits.skip(20)
    return present
