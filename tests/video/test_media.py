from pathlib import Path

import av
import numpy as np
import pytest

from makers.clips import numbered_image, write_clip
from unmask.errors import NotFoundError, UnreadableMediaError
from unmask.video.media import open_media, open_video, part_path
from unmask.video.probe import probe
from unmask.video.read import read_frame


def _refused(path: Path, words: str) -> None:
    """Check that every way in refuses a file in the same words."""
    with pytest.raises(UnreadableMediaError, match=words):
        probe(path)
    with pytest.raises(UnreadableMediaError, match=words):
        read_frame(path, 0)


def _write_sound(path: Path) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("flac" if path.suffix == ".flac" else "aac", 8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), "s16", "stereo")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def _write_picture(path: Path) -> Path:
    av.VideoFrame.from_ndarray(numbered_image(0), format="rgb24").save(path)
    return path


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    for call in (probe, lambda path: read_frame(path, 0)):
        with pytest.raises(NotFoundError, match=r"must be an existing file, got .*none\.mp4"):
            call(tmp_path / "none.mp4")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    _refused(tmp_path, "must be a video file, got the folder")


def test_a_zero_byte_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    _refused(path, "got the empty file .*empty.mp4; copy it again")


def test_a_text_file_with_a_video_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("Minutes of the meeting of 3 May.\n" * 40)
    _refused(path, "its content is not that of any known container")


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "noise.avi"
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    _refused(path, "must be a video|must hold a")


def test_an_mp4_without_its_index_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    path.write_bytes(path.read_bytes()[:-1500])
    _refused(path, "an MP4 file that was cut off before its index was written")


def test_a_file_with_sound_only_is_refused(tmp_path: Path) -> None:
    _refused(_write_sound(tmp_path / "speech.flac"), "must hold a video stream, .*sound only")


def test_sound_in_a_video_container_is_refused(tmp_path: Path) -> None:
    _refused(_write_sound(tmp_path / "speech.mp4"), "must hold a video stream, .*sound only")


@pytest.mark.parametrize("name", ["face.png", "face.jpg"])
def test_a_picture_is_refused_as_a_video(tmp_path: Path, name: str) -> None:
    _refused(_write_picture(tmp_path / name), f"must be a video, got the picture .*{name}")


def test_a_picture_with_a_video_name_is_refused(tmp_path: Path) -> None:
    path = _write_picture(tmp_path / "face.png").rename(tmp_path / "face.mp4")
    _refused(path, "must be a video, got the picture")


def test_a_playlist_that_names_another_file_is_refused(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4")
    path = tmp_path / "list.mp4"
    path.write_text("ffconcat version 1.0\nfile clip.mp4\n")
    _refused(path, "its content is not that of any known container")
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n")
    _refused(path, "its content is not that of any known container")


def test_the_part_of_a_killed_run_is_refused_though_it_could_be_decoded(tmp_path: Path) -> None:
    path = part_path(tmp_path / "clip.mkv")
    write_clip(tmp_path / "clip.mkv").rename(path)
    _refused(path, "must be a finished file, got the part .* of a run that was cut off")


def test_a_video_of_which_no_frame_can_be_decoded_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    content = path.read_bytes()
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    path.write_bytes(content[:start] + bytes(end - start) + content[end:])
    _refused(path, "must hold a frame that can be decoded, got none in")


def test_a_colon_in_a_name_is_no_protocol(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "concat:http:1%02d.mp4", frames=2)
    assert probe(path).frames == 2


def test_a_cover_picture_is_not_the_video(tmp_path: Path) -> None:
    cover = _write_picture(tmp_path / "cover.png")
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as output:
        sound = output.add_stream("aac", 8000)
        picture = output.add_stream("png", 1)
        picture.width, picture.height, picture.pix_fmt = 96, 64, "rgb24"
        picture.disposition = av.stream.Disposition.attached_pic
        output.mux(picture.encode(next(av.open(str(cover)).decode(video=0))))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), "s16", "stereo")
        frame.sample_rate = 8000
        output.mux([*sound.encode(frame), *sound.encode(None), *picture.encode(None)])
    _refused(path, "must hold a video stream, .*sound only")


def test_sound_can_be_opened_as_media(tmp_path: Path) -> None:
    with open_media(_write_sound(tmp_path / "speech.flac")) as container:
        assert len(container.streams.audio) == 1


def test_the_file_is_closed_after_the_block(tmp_path: Path) -> None:
    with open_video(write_clip(tmp_path / "clip.mp4")) as (container, _):
        pass
    with pytest.raises(AssertionError):
        next(container.demux())
