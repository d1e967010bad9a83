import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from makers.clips import Image, number_of, numbered_image, write_clip
from unmask.errors import InvalidInputError, NotFoundError, UnreadableMediaError
from unmask.video.media import part_path
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter, read_mark

SUFFIXES = [".mp4", ".mov", ".mkv", ".m4v"]
TIMES = [0, 0.04, 0.1, 0.12, 0.3, 0.31, 0.5, 0.6, 0.7, 0.84, 0.9, 1.0]


def _images(count: int = 12, size: tuple[int, int] = (96, 64)) -> list[Image]:
    return [numbered_image(number, size) for number in range(count)]


def _noise(count: int, size: tuple[int, int]) -> list[Image]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (size[1], size[0], 3), np.uint8) for _ in range(count)]


def _write(
    path: Path, images: Sequence[Image], times: Sequence[float] | None = None, **settings: Any
) -> Path:
    with VideoWriter(path, settings.pop("frames_per_second", 25), **settings) as writer:
        for number, image in enumerate(images):
            writer.write(image, None if times is None else times[number])
    return path


def _packets(path: Path, kind: str = "audio") -> list[bytes]:
    with av.open(str(path)) as container:
        packets = list(container.demux(**{kind: 0}))
        return [bytes(packet) for packet in packets if packet.size]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [(96, 64), (97, 65), (96, 65), (2, 2), (1, 1)])
def test_lossless_video_is_read_back_bit_for_bit(
    tmp_path: Path, suffix: str, size: tuple[int, int]
) -> None:
    images = _noise(5, size)
    path = _write(tmp_path / f"clip{suffix}", images, lossless=True)
    assert np.array_equal([frame.image for frame in read_frames(path)], images)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_lossless_video_is_the_same_to_the_ffmpeg_program(
    tmp_path: Path, ffmpeg_frames: Any, suffix: str
) -> None:
    images = _noise(5, (97, 65))
    path = _write(tmp_path / f"clip{suffix}", images, lossless=True)
    assert np.array_equal(ffmpeg_frames(path, (97, 65)), images)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("count", [1, 2, 12, 61])
@pytest.mark.parametrize("lossless", [True, False])
def test_no_frame_is_lost_or_added(
    tmp_path: Path, ffprobe: Any, suffix: str, count: int, lossless: bool
) -> None:
    crf = None if lossless else 23
    path = _write(tmp_path / f"clip{suffix}", _images(count), crf=crf, lossless=lossless)
    (stream,) = ffprobe(path)["streams"]
    assert int(stream["nb_read_frames"]) == probe(path).frames == count
    assert [number_of(frame.image) for frame in read_frames(path)] == list(range(count))
    assert [frame.time for frame in read_frames(path)] == pytest.approx(
        [number / 25 for number in range(count)]
    )


def test_compressed_video_is_420_of_the_declared_rate(tmp_path: Path, ffprobe: Any) -> None:
    rate = Fraction(30000, 1001)
    path = _write(tmp_path / "clip.mp4", _images(), crf=23, frames_per_second=float(rate))
    (stream,) = ffprobe(path)["streams"]
    assert stream["pix_fmt"] == "yuv420p"
    assert stream["avg_frame_rate"] == "30000/1001"
    assert stream["color_space"] == "smpte170m"
    assert stream["color_range"] == "tv"


def test_rgb_becomes_yuv_as_the_ffmpeg_program_makes_it(tmp_path: Path, ffmpeg_planes: Any) -> None:
    image = numbered_image(5)
    path = _write(tmp_path / "clip.mp4", [image], crf=0)  # at 8 bits crf 0 changes nothing more
    with av.open(str(path)) as container:
        (frame,) = container.decode(video=0)
    assert frame.to_ndarray().tobytes() == ffmpeg_planes(image, "yuv420p")


@pytest.mark.parametrize("size", [(97, 65), (96, 65), (97, 64), (1, 1)])
def test_odd_sizes_are_kept_in_444(tmp_path: Path, ffprobe: Any, size: tuple[int, int]) -> None:
    path = _write(tmp_path / "clip.mp4", _images(4, size), crf=23)
    (stream,) = ffprobe(path)["streams"]
    assert (stream["width"], stream["height"], stream["pix_fmt"]) == (*size, "yuv444p")
    assert (probe(path).width, probe(path).height) == size


def test_a_higher_crf_makes_a_smaller_and_worse_file(tmp_path: Path) -> None:
    images = _images(size=(192, 128))
    sizes, errors = [], []
    for crf in (10, 23, 40):
        path = _write(tmp_path / f"{crf}.mp4", images, crf=crf)
        sizes.append(path.stat().st_size)
        read = [frame.image for frame in read_frames(path)]
        errors.append(np.abs(np.subtract(read, images, dtype=float)).mean())
    assert sizes == sorted(sizes, reverse=True)
    assert errors == sorted(errors)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("settings", [{"crf": 23}, {"lossless": True}])
def test_the_same_frames_give_the_same_bytes(
    tmp_path: Path, suffix: str, settings: dict[str, Any]
) -> None:
    images = _images(30, (112, 80))  # a size at which x264 wavers if it may
    files = {
        _write(tmp_path / f"{turn}{suffix}", images, synthetic="twice", **settings).read_bytes()
        for turn in range(4)
    }
    assert len(files) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("settings", [{"crf": 23}, {"lossless": True}])
def test_times_of_a_variable_rate_are_kept(
    tmp_path: Path, ffprobe: Any, suffix: str, settings: dict[str, Any]
) -> None:
    path = _write(tmp_path / f"clip{suffix}", _images(), TIMES, **settings)
    assert [frame.time for frame in read_frames(path)] == pytest.approx(TIMES, abs=1e-4)
    assert probe(path).variable_rate
    (stream,) = ffprobe(path)["streams"]
    assert int(stream["nb_read_frames"]) == len(TIMES)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("codec", ["aac", "mp2", "ac3"])
def test_sound_is_copied_packet_by_packet(tmp_path: Path, suffix: str, codec: str) -> None:
    source = write_clip(tmp_path / "source.mkv", frames=30, audio=codec)
    times = [number / 25 for number in range(30)]
    path = _write(tmp_path / f"clip{suffix}", _images(30), times, crf=23, audio_from=source)
    given, copied = _packets(source), _packets(path)
    assert copied == given[: len(copied)]
    assert len(copied) >= len(given) - 2  # encoders pad the end beyond the last frame
    assert probe(path).frames == 30


def test_sound_that_the_container_does_not_take_becomes_aac(tmp_path: Path, ffprobe: Any) -> None:
    source = write_clip(tmp_path / "source.wmv", frames=50, codec="wmv2", audio="wmav2")
    path = _write(tmp_path / "clip.mp4", _images(50), crf=23, audio_from=source)
    streams = {stream["codec_type"]: stream for stream in ffprobe(path)["streams"]}
    assert streams["audio"]["codec_name"] == "aac"
    assert float(streams["audio"]["duration"]) == pytest.approx(2, abs=0.1)
    assert int(streams["video"]["nb_read_frames"]) == 50


def test_sound_ends_with_the_pictures(tmp_path: Path, ffprobe: Any) -> None:
    source = write_clip(tmp_path / "source.mp4", frames=100, audio="aac")
    path = _write(tmp_path / "clip.mp4", _images(25), crf=23, audio_from=source)
    sound = next(s for s in ffprobe(path)["streams"] if s["codec_type"] == "audio")
    assert float(sound["duration"]) == pytest.approx(1, abs=0.05)


def test_sound_before_the_first_picture_is_left_out_where_frames_have_no_times(
    tmp_path: Path, ffprobe: Any
) -> None:
    times = [1 + number / 25 for number in range(50)]
    source = write_clip(tmp_path / "source.mp4", frames=50, times=times, audio="aac")
    for given, duration in ((None, 2), (times, 3)):
        path = _write(tmp_path / "clip.mp4", _images(50), given, crf=23, audio_from=source)
        sound = next(s for s in ffprobe(path)["streams"] if s["codec_type"] == "audio")
        assert float(sound["duration"]) == pytest.approx(duration, abs=0.08)
        assert probe(path).frames == 50


def test_a_source_without_sound_gives_a_video_without_sound(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "source.mp4")
    path = _write(tmp_path / "clip.mp4", _images(), crf=23, audio_from=source)
    assert not probe(path).has_audio


def test_truncated_sound_is_copied_as_far_as_it_goes(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "source.mkv", frames=50, audio="aac")
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    path = _write(tmp_path / "clip.mp4", _images(50), crf=23, audio_from=source)
    info = probe(path)
    assert info.has_audio
    assert info.frames == 50


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_synthetic_mark_is_read_back_and_seen_by_ffprobe(
    tmp_path: Path, ffprobe: Any, suffix: str
) -> None:
    text = "landmark_swap; seed=7, Größe=…"
    path = _write(tmp_path / f"clip{suffix}", _images(2), crf=23, synthetic=text)
    assert read_mark(path) == text
    tags = {key.lower(): value for key, value in ffprobe(path)["format"]["tags"].items()}
    assert tags["unmask_synthetic"] == text
    assert tags["comment"] == f"Synthetic media: {text}"


def test_what_is_not_marked_has_no_mark(tmp_path: Path) -> None:
    assert read_mark(write_clip(tmp_path / "other.mp4")) is None
    assert read_mark(_write(tmp_path / "ours.mp4", _images(2), crf=23)) is None


def test_the_mark_of_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="must be an existing file"):
        read_mark(tmp_path / "none.mp4")


def test_the_folder_is_made_and_an_old_file_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "clip.mp4"
    for count in (3, 5):
        _write(path, _images(count), crf=23)
        assert probe(path).frames == count
    assert [file.name for file in path.parent.iterdir()] == ["clip.mp4"]


def _fail_after(path: Path, frames: int) -> None:
    with VideoWriter(path, 25, crf=23) as writer:
        for image in _images(frames):
            writer.write(image)
        raise RuntimeError("the forgery failed")


@pytest.mark.parametrize("frames", [0, 1, 30])
def test_an_exception_removes_the_part_and_keeps_the_old_file(tmp_path: Path, frames: int) -> None:
    path = _write(tmp_path / "clip.mp4", _images(3), crf=23)
    with pytest.raises(RuntimeError, match="the forgery failed"):
        _fail_after(path, frames)
    assert probe(path).frames == 3
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_not_there_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with VideoWriter(path, 25, lossless=True) as writer:
        for image in _noise(50, (96, 64)):
            writer.write(image)
            assert not list(tmp_path.glob("*.mkv"))
        assert part_path(path).exists()
    assert path.exists()
    assert not part_path(path).exists()


def _in_a_process(path: Path, last_words: str, first_words: str = "") -> int:
    """Write a lossless video in another process that ends with some last words."""
    program = f"""
import os, resource, signal, sys
import numpy as np
from pathlib import Path
from unmask.video.write import VideoWriter
{first_words}
random = np.random.default_rng(0)
with VideoWriter(Path(sys.argv[1]), 25, lossless=True) as writer:
    for number in range(40):
        writer.write(random.integers(0, 256, (64, 96, 3), np.uint8))
    {last_words}
"""
    run = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True)
    return run.returncode


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_a_killed_run_leaves_is_never_read_as_a_video(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    assert _in_a_process(path, "os.kill(os.getpid(), signal.SIGKILL)") == -signal.SIGKILL
    assert not path.exists()
    assert [file.name for file in tmp_path.iterdir()] == [part_path(path).name]
    with pytest.raises(UnreadableMediaError, match="must be a finished file, got the part"):
        probe(part_path(path))
    _write(path, _images(3), crf=23)  # run again
    assert probe(path).frames == 3
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="file sizes are limited on Unix only")
def test_a_full_disk_is_an_error_and_leaves_no_part(tmp_path: Path) -> None:
    limit = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    )
    assert _in_a_process(tmp_path / "clip.mkv", "pass", limit) == 1
    assert list(tmp_path.iterdir()) == []


def _refuse_setting(words: str, path: Path, *arguments: Any, **settings: Any) -> None:
    with pytest.raises(InvalidInputError, match=words):
        VideoWriter(path, *arguments, **settings)


def test_settings_out_of_range_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    _refuse_setting(
        r"path must end in one of \.mp4, .*got .*clip.avi", path.with_suffix(".avi"), 25
    )
    _refuse_setting("frames_per_second must lie between 0 and 1000, got 0", path, 0, crf=23)
    _refuse_setting("frames_per_second must lie .*, got nan", path, float("nan"), crf=23)
    _refuse_setting("crf must be given unless lossless is", path, 25)
    _refuse_setting("crf must be given unless lossless is", path, 25, crf=23, lossless=True)
    _refuse_setting(r"crf must lie in \[0, 51\], got 52; 23 is usual", path, 25, crf=52)
    _refuse_setting(r"crf must lie in \[0, 51\], got -1", path, 25, crf=-1)
    _refuse_setting("threads must be 1 or more, got 0", path, 25, crf=23, threads=0)


def test_an_unknown_preset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"preset must be one of x264's, .*got 'quick'"):
        _write(tmp_path / "clip.mp4", _images(1), crf=23, preset="quick")


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((64, 96), np.uint8),
        np.zeros((64, 96, 4), np.uint8),
        np.zeros((64, 96, 3), np.float32),
        np.zeros((0, 96, 3), np.uint8),
    ],
)
def test_an_image_of_another_shape_or_type_is_refused(tmp_path: Path, image: Any) -> None:
    with pytest.raises(
        InvalidInputError, match=r"image must be uint8 RGB of shape \(H, W, 3\), got"
    ):
        _write(tmp_path / "clip.mp4", [image], crf=23)
    assert list(tmp_path.iterdir()) == []


def test_an_image_of_another_size_than_the_first_is_refused(tmp_path: Path) -> None:
    images = [numbered_image(0, (96, 64)), numbered_image(1, (64, 96))]
    with pytest.raises(InvalidInputError, match=r"shape of the first frame, \(64, 96, 3\), got"):
        _write(tmp_path / "clip.mp4", images, crf=23)


@pytest.mark.parametrize("times", [[0, 0.1, 0.1], [0.2, 0.1, 0.3], [-0.1, 0, 0.1]])
def test_times_that_do_not_rise_are_refused(tmp_path: Path, times: list[float]) -> None:
    with pytest.raises(InvalidInputError, match="time must rise from frame to frame"):
        _write(tmp_path / "clip.mp4", _images(3), times, crf=23)


def test_times_of_some_frames_only_are_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "clip.mp4", 25, crf=23) as writer:
        writer.write(numbered_image(0), 0.0)
        with pytest.raises(InvalidInputError, match="time must be given for all frames or for no"):
            writer.write(numbered_image(1))


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="must have at least one frame, got none"):
        _write(tmp_path / "clip.mp4", [], crf=23)
    assert list(tmp_path.iterdir()) == []


def test_sound_from_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="must be an existing file"):
        _write(tmp_path / "clip.mp4", _images(1), crf=23, audio_from=tmp_path / "none.mp4")


def test_views_and_turned_images_are_written_as_they_look(tmp_path: Path) -> None:
    image = _noise(1, (96, 64))[0]
    views = [image[::-1, ::-1], np.rot90(np.rot90(image)), image[:, :, ::-1]]
    path = _write(tmp_path / "clip.mp4", views, lossless=True)
    assert np.array_equal([frame.image for frame in read_frames(path)], views)
