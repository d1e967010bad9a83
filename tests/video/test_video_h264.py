from pathlib import Path
from typing import Any

import pytest

from makers.clips import write_clip
from unmask.video.h264 import Format, Picture, UnprovenError, read_format, read_picture
from unmask.video.media import open_video

PLAIN = {"g": "12", "bf": "0", "sc_threshold": "0"}


def _extradata(path: Path) -> bytes:
    with open_video(path) as (_, stream):
        assert stream.codec_context.extradata is not None
        return stream.codec_context.extradata


def _packets(path: Path) -> list[bytes]:
    with open_video(path) as (container, stream):
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", frames=30, options={"g": "12", "bf": "2"})


@pytest.fixture
def form(clip: Path) -> Format:
    return read_format(_extradata(clip))


@pytest.mark.parametrize(
    ("options", "codec", "pixel_format"),
    [
        ({"bf": "0"}, "libx264", "yuv420p"),
        ({"bf": "3", "x264-params": "b-pyramid=none"}, "libx264", "yuv420p"),
        ({"bf": "8", "x264-params": "b-pyramid=strict:b-adapt=0"}, "libx264", "yuv420p"),
        ({"profile": "baseline"}, "libx264", "yuv420p"),
        ({"x264-params": "cqm=jvt"}, "libx264", "yuv420p"),
        ({"x264-params": "cqm=jvt"}, "libx264", "yuv444p"),
        ({"x264-params": "nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500"}, "libx264", "yuv420p"),
        ({"x264-params": "sar=11/13:colormatrix=bt709:chromaloc=1"}, "libx264", "yuv420p"),
        ({"colorspace": "bt709", "color_range": "pc"}, "libx264", "yuv420p"),
        ({}, "libx264", "yuv420p10le"),
        ({"crf": "0"}, "libx264rgb", "rgb24"),
    ],
)
def test_the_depth_of_reordering_is_the_one_that_ffprobe_reads(
    tmp_path: Path, ffprobe: Any, options: dict[str, str], codec: str, pixel_format: str
) -> None:
    path = write_clip(
        tmp_path / "clip.mp4", frames=24, codec=codec, pixel_format=pixel_format, options=options
    )
    (stream,) = ffprobe(path)["streams"]
    assert read_format(_extradata(path)).reorder == stream["has_b_frames"]


def test_pictures_without_b_frames_are_all_references_in_rising_order(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=24, options=PLAIN)
    form = read_format(_extradata(path))
    pictures = [read_picture(memoryview(packet), form) for packet in _packets(path)]
    assert [k for k, picture in enumerate(pictures) if picture.starts] == [0, 12]
    assert all(picture.referred for picture in pictures)
    assert [picture.order for picture in pictures[:12]] == sorted(
        picture.order for picture in pictures[:12]
    )


def test_b_frames_that_nothing_refers_to_are_known(clip: Path, form: Format) -> None:
    pictures = [read_picture(memoryview(packet), form) for packet in _packets(clip)]
    assert 0 < sum(not picture.referred for picture in pictures) < 24


def test_slices_of_one_picture_are_one_picture(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "clip.mp4", size=(96, 96), options={**PLAIN, "x264-params": "slices=3"}
    )
    form = read_format(_extradata(path))
    assert [isinstance(read_picture(memoryview(p), form), Picture) for p in _packets(path)] == (
        [True] * 12
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"flags": "+ildct+ilme"}, "field"),
        ({"x264-params": "fake-interlaced=1"}, "field"),
    ],
)
def test_interlaced_coding_is_not_proven(
    tmp_path: Path, options: dict[str, str], words: str
) -> None:
    path = write_clip(tmp_path / "clip.mp4", options=options)
    with pytest.raises(UnprovenError, match=words):
        read_format(_extradata(path))


@pytest.mark.parametrize("extradata", [None, b"", b"\1\2\3", b"\0\0\0\1\x67" + bytes(20)])
def test_parameter_sets_without_lengths_are_not_proven(extradata: bytes | None) -> None:
    with pytest.raises(UnprovenError, match="no lengths in front"):
        read_format(extradata)


def test_two_sequence_parameter_sets_are_not_proven(clip: Path) -> None:
    extradata = _extradata(clip)
    length = int.from_bytes(extradata[6:8], "big")
    doubled = extradata[:5] + b"\xe2" + 2 * extradata[6 : 8 + length] + extradata[8 + length :]
    with pytest.raises(UnprovenError, match="not exactly one sequence parameter set"):
        read_format(doubled)


def test_every_cut_parameter_set_is_not_proven(clip: Path) -> None:
    extradata = _extradata(clip)
    for end in range(len(extradata) - 4):  # the last 4 bytes repeat what the set says
        with pytest.raises(UnprovenError):
            read_format(extradata[:end])


def test_every_cut_packet_is_not_proven(clip: Path, form: Format) -> None:
    packet = _packets(clip)[3]
    for end in range(len(packet)):
        with pytest.raises(UnprovenError):
            read_picture(memoryview(packet[:end]), form)


def test_two_pictures_in_one_packet_are_not_proven(clip: Path, form: Format) -> None:
    packets = _packets(clip)
    with pytest.raises(UnprovenError, match="does not hold one whole picture"):
        read_picture(memoryview(packets[1] + packets[2]), form)


def test_parameter_sets_that_the_packets_repeat_do_no_harm(tmp_path: Path) -> None:
    options = {"x264-params": "repeat-headers=1"}
    path = write_clip(tmp_path / "clip.mp4", frames=30, options=options)
    form = read_format(_extradata(path))
    packets = _packets(path)
    assert any(known in packets[0] for known in form.sets)
    assert read_picture(memoryview(packets[0]), form).starts


def test_another_parameter_set_in_a_packet_is_not_proven(clip: Path, form: Format) -> None:
    unit = bytes([0x67, 1, 2, 3])
    with pytest.raises(UnprovenError, match="a unit of type 7"):
        read_picture(memoryview(len(unit).to_bytes(4, "big") + unit + _packets(clip)[1]), form)


def test_a_packet_of_messages_only_is_not_proven(form: Format) -> None:
    with pytest.raises(UnprovenError, match="holds no picture"):
        read_picture(memoryview(b"\0\0\0\2\x06\x05"), form)
