"""Opening a video file, with a plain answer for each way that it can fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from unmask.errors import NotFoundError, UnreadableMediaError

PART_SUFFIX = ".part"

# A playlist can name other files and addresses; a video that a user brings must not.
_PICTURES = "image2,png_pipe,jpeg_pipe,bmp_pipe,webp_pipe,tiff_pipe,ppm_pipe,jpegxl_pipe"
_VIDEOS = (
    "mov,matroska,avi,mpeg,mpegts,mpegvideo,h264,hevc,m4v,flv,asf,ogg,gif,apng,dv,mxf,rm,nut,ivf,"
    "yuv4mpegpipe,wtv,vob,mjpeg,obu,av1"
)
_SOUNDS = "wav,mp3,aac,flac,aiff,amr,caf,ac3,w64,au"


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open a file and yield it with its first video stream that is not a cover picture.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableMediaError: if it is no video, with what it is instead.
    """
    with open_media(path) as container:
        if container.format.name in _PICTURES.split(","):
            raise UnreadableMediaError(
                f"path must be a video, got the picture {path}; read it as an image"
            )
        streams = [s for s in container.streams.video if not _is_cover(s)]
        if not streams:
            raise UnreadableMediaError(
                f"path must hold a video stream, got {path} with "
                f"{'sound only' if container.streams.audio else 'none'}; choose another file"
            )
        if streams[0].codec_context is None:
            raise UnreadableMediaError(
                f"path must hold a codec that FFmpeg decodes, got {path}; convert it to H.264"
            )
        yield container, streams[0]


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Open a file of any kind of media; see `open_video`."""
    _check_file(path)
    # The prefix keeps a colon in the file's name from being read as a protocol.
    options = {
        "format_whitelist": f"{_VIDEOS},{_PICTURES},{_SOUNDS}",
        "protocol_whitelist": "file",
    }
    try:
        container = av.open(f"file:{path}", mode="r", options=options, metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise UnreadableMediaError(
            f"path must be a video that FFmpeg can read, got {path} ({_reason(path, error)}); "
            "copy or record it again"
        ) from error
    with container:
        yield container


def origin(container: InputContainer) -> Fraction:
    """Return the earliest time stamp of the sound and the pictures, which counts as time 0."""
    streams = (*container.streams.video, *container.streams.audio)
    return min(
        (
            s.start_time * s.time_base
            for s in streams
            if s.start_time is not None and s.time_base is not None and not _is_cover(s)
        ),
        default=Fraction(0),
    )


def part_path(path: Path) -> Path:
    """Return where a file is written before it is whole: beside it, hidden, not to be read."""
    return path.with_name(f".{path.name}{PART_SUFFIX}")


def _is_cover(stream: av.stream.Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise NotFoundError(f"path must be an existing file, got {path}; check how it is spelt")
    if not path.is_file():
        kind = "folder" if path.is_dir() else "special file"
        raise UnreadableMediaError(f"path must be a video file, got the {kind} {path}; name a file")
    if path.name.startswith(".") and path.suffix == PART_SUFFIX:
        raise UnreadableMediaError(
            f"path must be a finished file, got the part {path} of a run that was cut off; "
            "write it again"
        )
    if path.stat().st_size == 0:
        raise UnreadableMediaError(
            f"path must be a video file, got the empty file {path}; copy it again"
        )


def _reason(path: Path, error: Exception) -> str:
    """Return why a file cannot be opened, as far as its first bytes tell."""
    if isinstance(error, PermissionError):
        return "no permission to read it"
    with path.open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp":
        return "an MP4 file that was cut off before its index was written"
    return "its content is not that of any known container"
