import gc
import random
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from makers.clips import number_of, write_clip
from unmask.errors import InvalidInputError
from unmask.video import read
from unmask.video.index import prove
from unmask.video.media import open_video
from unmask.video.probe import probe
from unmask.video.read import Frame, decode, read_frame, read_frames
from unmask.video.sample import parse_sampling

Hashes = Callable[[Path], list[str]]

GROUPS = {"g": "12", "bf": "3", "sc_threshold": "0"}
WAYS = ["all", "every:7", "spread:6", "first:5", "consecutive:9"]
TIMES = [0, 0.04, 0.1, 0.12, 0.3, 0.31, 0.5, 0.6, 0.7, 0.84, 0.9, 1.0]

# Containers, codecs and structures: proven ones first, then those that are decoded from the start.
CLIPS: dict[str, dict[str, Any]] = {
    "groups.mp4": {"options": GROUPS},
    "deep.mkv": {"options": {"x264-params": "b-pyramid=strict:bframes=8:b-adapt=0:keyint=20"}},
    "open.mov": {"options": {"x264-params": "open-gop=1:keyint=10:bframes=3:scenecut=0"}},
    "refresh.mp4": {"options": {"x264-params": "intra-refresh=1:keyint=12"}},
    "repeated.mp4": {"options": {"x264-params": "repeat-headers=1:keyint=12"}},
    "baseline.mp4": {"options": {"profile": "baseline"}},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "portrait.mp4": {"size": (64, 96), "rotation": 90, "options": GROUPS},
    "odd.mp4": {"size": (97, 65), "pixel_format": "yuv444p"},
    "lossless.mkv": {"codec": "libx264rgb", "pixel_format": "rgb24", "options": {"crf": "0"}},
    "sound.mp4": {"audio": "aac", "options": GROUPS},
    "deep_colour.mp4": {"pixel_format": "yuv420p10le"},
    "mpeg1.mpg": {"codec": "mpeg1video", "audio": "mp2", "options": {"bf": "2"}},
    "mpeg2.ts": {"codec": "mpeg2video", "options": {"bf": "2"}},
    "mpeg4.avi": {"codec": "mpeg4", "options": {"bf": "2"}},
    "h264.avi": {"options": GROUPS},
    "h264.ts": {"options": GROUPS},
    "h264.flv": {"options": GROUPS},
    "raw.h264": {"options": GROUPS},
    "hevc.mov": {"codec": "libx265", "options": {"x265-params": "log-level=error:keyint=10"}},
    "vp9.webm": {"codec": "libvpx-vp9", "size": (97, 65), "options": {"cpu-used": "8"}},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p"},
    "interlaced.mp4": {"options": {"flags": "+ildct+ilme"}},
}


@pytest.mark.parametrize("name", CLIPS)
def test_every_way_of_asking_gives_the_frames_with_the_numbers_they_show(
    tmp_path: Path, name: str
) -> None:
    path = write_clip(tmp_path / name, frames=40, **CLIPS[name])
    for way in WAYS:
        numbers = parse_sampling(way).numbers(40)
        frames = list(read_frames(path, numbers))
        assert [frame.number for frame in frames] == numbers
        assert [number_of(frame.image) for frame in frames] == numbers


@pytest.mark.parametrize("name", CLIPS)
def test_every_way_of_asking_gives_the_pixels_of_the_ffmpeg_program(
    tmp_path: Path, ffmpeg_hashes: Hashes, name: str
) -> None:
    path = write_clip(tmp_path / name, frames=40, **CLIPS[name])
    _check_every_way(path, ffmpeg_hashes(path))


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "grid-bbaf2n.mpg",  # MPEG-1
        "pyfeat-face_noface.mov",  # HEVC in MOV, of variable rate
        "edtalk-mouth_source.mp4",  # H.264
        "liveportrait-s13.mp4",  # H.264, portrait
        "pyfeat-no_face.mp4",  # H.264 whose first frames an edit list drops
        "tpsmm-driving.mp4",  # H.264 whose width is no multiple of 4
    ],
)
def test_every_way_of_asking_a_real_video_gives_the_pixels_of_the_ffmpeg_program(
    shared: Path, ffmpeg_hashes: Hashes, name: str
) -> None:
    path = shared / "data" / "talkers" / name
    _check_every_way(path, ffmpeg_hashes(path))


def _check_every_way(path: Path, expected: list[str]) -> None:
    assert probe(path).frames == len(expected) > 0
    assert [_hash(frame) for frame in read_frames(path)] == expected
    for way in WAYS:
        numbers = parse_sampling(way).numbers(len(expected))
        hashes = [_hash(frame) for frame in read_frames(path, numbers)]
        assert hashes == [expected[number] for number in numbers], way
    assert _hash(read_frame(path, len(expected) - 1)) == expected[-1]


def _hash(frame: Frame) -> str:
    return md5(frame.image.tobytes()).hexdigest()


def test_numbers_come_once_each_and_in_rising_order_however_they_are_given(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    assert [frame.number for frame in read_frames(path, [9, 2, 2, 5])] == [2, 5, 9]
    assert [frame.number for frame in read_frames(path, {11, 0})] == [0, 11]
    assert [frame.number for frame in read_frames(path, range(3))] == [0, 1, 2]
    assert list(read_frames(path, [])) == []


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm"])
def test_times_are_those_of_the_time_stamps(tmp_path: Path, name: str) -> None:
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    path = write_clip(tmp_path / name, codec=codec, times=TIMES)
    assert [frame.time for frame in read_frames(path)] == pytest.approx(TIMES)
    assert [frame.time for frame in read_frames(path, [3, 8])] == pytest.approx([0.12, 0.7])


def test_time_zero_is_the_earliest_sound_or_picture(tmp_path: Path) -> None:
    late = [0.5 + time for time in TIMES]
    with_sound = write_clip(tmp_path / "sound.mp4", times=late, audio="aac")
    assert read_frame(with_sound, 0).time == pytest.approx(0.5, abs=0.03)
    assert read_frame(write_clip(tmp_path / "clip.mp4", times=late), 0).time == 0


@pytest.mark.parametrize("name", ["clip.avi", "clip.h264"])
def test_a_file_without_time_stamps_has_regular_times(tmp_path: Path, name: str) -> None:
    path = write_clip(tmp_path / name, options=GROUPS)
    times = [frame.time for frame in read_frames(path)]
    assert times == pytest.approx([number / 25 for number in range(12)])


def test_a_rate_that_is_no_whole_number_is_kept(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", rate=30000 / 1001)
    assert read_frame(path, 10).time == pytest.approx(10 * 1001 / 30000)


def test_one_frame_is_enough(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=1)
    assert number_of(read_frame(path, 0).image) == 0
    assert [frame.number for frame in read_frames(path)] == [0]


@pytest.mark.parametrize("threads", [0, 2])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi"])
def test_more_threads_give_the_same_frames(tmp_path: Path, name: str, threads: int) -> None:
    path = write_clip(tmp_path / name, frames=40, options=GROUPS)
    for numbers in (None, [3, 17, 18, 33]):
        one = [frame.image for frame in read_frames(path, numbers)]
        more = [frame.image for frame in read_frames(path, numbers, threads=threads)]
        assert np.array_equal(one, more)


def test_fewer_frames_are_decoded_where_that_is_proven_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=60, options=GROUPS)
    fed = []
    only = read._only

    def spy(*arguments: Any) -> Any:
        for packet in only(*arguments):
            fed.append(packet)
            yield packet

    monkeypatch.setattr(read, "_only", spy)
    assert [number_of(frame.image) for frame in read_frames(path, [25, 50])] == [25, 50]
    assert len(fed) <= 10  # of 60: two groups of 12 begin, and end at the wanted frame


def test_reading_ends_after_the_last_wanted_frame(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", codec="mjpeg", pixel_format="yuvj420p", frames=90)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert [number_of(frame.image) for frame in read_frames(path, [2, 5])] == [2, 5]


@pytest.mark.parametrize("numbers", [[-1], [3, -2]])
def test_a_negative_number_is_refused(tmp_path: Path, numbers: list[int]) -> None:
    with pytest.raises(InvalidInputError, match="numbers must be 0 or more, got -"):
        list(read_frames(write_clip(tmp_path / "clip.mp4"), numbers))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi"])
def test_a_number_beyond_the_last_frame_is_refused_with_their_count(
    tmp_path: Path, name: str
) -> None:
    path = write_clip(tmp_path / name)
    with pytest.raises(InvalidInputError, match=r"must lie in \[0, 12\).*got 12; ask probe"):
        list(read_frames(path, [3, 12]))


def _cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


TRUNCATED: dict[str, dict[str, Any]] = {
    "faststart.mp4": {"container_options": {"movflags": "faststart"}, "options": GROUPS},
    "fragments.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "clip.mkv": {"options": GROUPS},
    "clip.avi": {"codec": "mpeg4"},
    "clip.mpg": {"codec": "mpeg1video"},
    "clip.ts": {"options": GROUPS},
    "clip.webm": {"codec": "libvpx-vp9"},
}


@pytest.mark.parametrize("name", TRUNCATED)
@pytest.mark.parametrize("share", [0.5, 0.6, 0.8])
def test_a_truncated_file_gives_the_frames_that_it_still_holds(
    tmp_path: Path, name: str, share: float
) -> None:
    path = write_clip(tmp_path / name, frames=90, size=(160, 96), **TRUNCATED[name])
    _cut(path, share)
    frames = list(decode(path))
    count = probe(path).frames
    assert 5 < count == len(frames) < 90
    shown = [number_of(frame.image()) for frame in frames[:-1]]  # the last may be half a picture
    assert shown == [number for number in range(90) if number in shown]
    for number in (0, count // 2, count - 1):
        assert np.array_equal(read_frame(path, number).image, frames[number].image())


def _damage(path: Path, seed: int) -> None:
    """Flip bits within pictures, behind their headers, so that the index is still proven."""
    with open_video(path) as (container, stream):
        places = [
            (packet.pos, packet.size)
            for packet in container.demux(stream)
            if packet.size > 300 and packet.pos is not None
        ]
    content, source = bytearray(path.read_bytes()), random.Random(seed)
    for place, size in source.sample(places, 3):
        content[place + source.randrange(150, size)] ^= 1 << source.randrange(8)
    path.write_bytes(content)


@pytest.mark.parametrize("seed", range(8))
def test_damage_within_pictures_shows_in_the_same_way_however_a_frame_is_reached(
    tmp_path: Path, seed: int
) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=40, size=(160, 96), options=GROUPS)
    _damage(path, seed)
    with open_video(path) as (container, stream):
        assert prove(container, stream) is not None
    whole = [frame.image() for frame in decode(path)]
    assert len(whole) == probe(path).frames
    for numbers in ([1], [13, 30], [39], list(range(0, 40, 5)), list(range(40))):
        for frame in read_frames(path, numbers):
            assert np.array_equal(frame.image, whole[frame.number])


def _count_cycles(call: Callable[[], object]) -> int:
    gc.collect()
    gc.disable()
    try:
        call()
        return gc.collect()
    finally:
        gc.enable()


@pytest.mark.parametrize("rotation", [0, 90])
def test_frames_leave_memory_at_once_without_the_garbage_collector(
    tmp_path: Path, rotation: int
) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=60, rotation=rotation)

    def read_all() -> None:
        for frame in decode(path):
            frame.image(), frame.crop(0, 0, 9, 9), frame.small(9, 9)

    read_all()
    assert _count_cycles(read_all) < 40
