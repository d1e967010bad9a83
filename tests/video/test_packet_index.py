from itertools import combinations
from pathlib import Path

import av
import pytest

from makers.clips import write_clip
from unmask.video.h264 import Picture
from unmask.video.index import Index, prove
from unmask.video.media import open_video

GROUPS = {"g": "12", "bf": "2", "sc_threshold": "0"}


def _prove(path: Path) -> Index | None:
    with open_video(path) as (container, stream):
        return prove(container, stream)


def _index(kinds: str, numbers: list[int | None]) -> Index:
    """Return an index of I (start), P (reference) and b (referred to by none) pictures."""
    pictures = [Picture(kind == "I", kind != "b", 0) for kind in kinds]
    return Index(pictures, numbers, list(range(len(kinds))))


def test_of_a_group_only_the_references_up_to_the_last_wanted_frame_are_needed() -> None:
    index = _index("IPbPb" + "IPbPb", [0, 2, 1, 4, 3, 5, 7, 6, 9, 8])
    expected = {
        (0,): "x.........",
        (1,): "xxx.......",  # shown before, decoded after, the reference with number 2
        (3,): "xx.xx.....",
        (5,): ".....x....",
        (8,): ".....xx.xx",
        (1, 6): "xxx..xxx..",
        (): "..........",
    }
    for wanted, needed in expected.items():
        assert "".join("x" if need else "." for need in index.needed(wanted)) == needed


def test_a_packet_that_an_edit_list_drops_is_needed_as_a_reference_only() -> None:
    index = _index("IbPb", [None, None, 1, 0])
    assert index.needed([0]) == [True, False, True, True]


def test_all_frames_need_all_packets() -> None:
    index = _index("IPbIb", [0, 2, 1, 3, 4])
    assert index.needed(range(5)) == [True] * 5


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv"])
def test_frames_of_h264_are_numbered_by_their_time_stamps(tmp_path: Path, name: str) -> None:
    index = _prove(write_clip(tmp_path / name, frames=30, options=GROUPS))
    assert index is not None
    assert index.ticks == sorted(set(index.ticks))
    assert sorted(number for number in index.numbers if number is not None) == list(range(30))
    assert [k for k, picture in enumerate(index.pictures) if picture.starts] == [0, 12, 24]


def test_one_frame_never_needs_packets_of_another_group(tmp_path: Path) -> None:
    index = _prove(write_clip(tmp_path / "clip.mp4", frames=36, options=GROUPS))
    assert index is not None
    for number in range(36):
        needed = [position for position, need in enumerate(index.needed([number])) if need]
        assert {position // 12 for position in needed} == {number // 12}
        assert len(needed) <= 9  # of the 12, at most the references and the frame itself


def test_more_wanted_frames_need_no_fewer_packets(tmp_path: Path) -> None:
    index = _prove(write_clip(tmp_path / "clip.mp4", frames=14, options=GROUPS))
    assert index is not None
    for one, other in combinations(range(14), 2):
        both = index.needed([one, other])
        for single in (index.needed([one]), index.needed([other])):
            assert all(need for need, alone in zip(both, single, strict=True) if alone)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("other_codec.mp4", "mpeg4", {}),
        ("hevc.mov", "libx265", {"x265-params": "log-level=error"}),
        ("no_times.avi", "libx264", {}),
        ("stream.ts", "libx264", {}),
        ("interlaced.mp4", "libx264", {"flags": "+ildct+ilme"}),
        ("mpeg1.mpg", "mpeg1video", {}),
    ],
)
def test_what_is_not_proven_has_no_index(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    assert _prove(write_clip(tmp_path / name, codec=codec, options=options)) is None


def test_a_stream_whose_start_was_cut_off_has_no_index(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "open.mp4", frames=40, options={"x264-params": "open-gop=1"})
    with av.open(str(source)) as given, av.open(str(tmp_path / "cut.mp4"), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for packet in list(given.demux(given.streams.video[0]))[1:-1]:
            packet.stream = stream
            output.mux(packet)
    assert _prove(tmp_path / "cut.mp4") is None


def test_time_stamps_in_another_order_than_the_pictures_give_no_index(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "clip.mkv", frames=30, options=GROUPS)
    with av.open(str(source)) as given, av.open(str(tmp_path / "wrong.mkv"), "w") as output:
        stream = output.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(given.demux(given.streams.video[0])):
            if packet.size:
                packet.pts = packet.dts = 40 * number  # as if the frames were never reordered
                packet.stream = stream
                output.mux(packet)
    assert _prove(tmp_path / "wrong.mkv") is None


def test_a_file_that_ends_within_a_packet_has_no_index(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", container_options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[:-100])
    assert _prove(path) is None
