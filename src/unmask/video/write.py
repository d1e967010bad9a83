"""Writing videos: compressed or lossless, with sound, times and the synthetic mark."""

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from av.codec.context import ThreadType
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from av.video.stream import VideoStream

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.video.audio import AudioCopy
from unmask.video.media import open_media, part_path
from unmask.video.x264 import PRESETS, x264_options

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
MARK_KEY = "unmask_synthetic"

_TICK = Fraction(1, 90_000)  # of frames with times of their own; Matroska rounds to 1 ms
_BT601 = 6  # FFmpeg's number of the matrix that RGB is converted with, for the header


@dataclass(frozen=True)
class _Settings:
    """How a file is encoded."""

    rate: Fraction
    codec: str
    options: dict[str, str]
    threads: int
    synthetic: str | None


class VideoWriter:
    """Writes frames to an H.264 video; a context manager.

    The file appears under its name when the block ends well. Until then it is a hidden part beside
    it, which an exception removes and which is never read as a video.

    Compressed video is 4:2:0, as everywhere, if both sides are even. H.264 cannot store an odd
    side in 4:2:0, so such a video is 4:4:4: every reader gets the very size that was written.
    The same frames and settings give the same bytes on one kind of machine.

    Args:
        path: the file to write: .mp4, .m4v, .mov or .mkv. Its folder is made if need be.
        frames_per_second: the rate; where frames have times of their own, about how many.
        crf: x264's constant rate factor: 0 is best, 23 usual, 51 worst.
        lossless: write RGB that is read back bit for bit, instead of a crf.
        preset: x264's preset; by default `medium`, or `ultrafast` for lossless.
        audio_from: the file whose sound is copied for as long as the video lasts, if it has any.
        synthetic: how the pictures were made; puts the synthetic mark into the metadata.
        threads: how many threads encode; the bytes depend on it.

    Raises:
        InvalidInputError: if a setting is out of range.
        NotFoundError: if there is no file to take the sound from.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "grey.mp4"
        ...     with VideoWriter(path, 25, crf=23) as writer:
        ...         writer.write(np.full((48, 64, 3), 128, np.uint8))
        ...     path.exists()
        True
    """

    def __init__(
        self,
        path: Path,
        frames_per_second: float | Fraction,
        *,
        crf: int | None = None,
        lossless: bool = False,
        preset: str | None = None,
        audio_from: Path | None = None,
        synthetic: str | None = None,
        threads: int = 1,
    ) -> None:
        self.path = Path(path)
        preset = preset or ("ultrafast" if lossless else "medium")
        _check(self.path, frames_per_second, crf, lossless, preset, threads)
        self._settings = _Settings(
            rate=Fraction(frames_per_second).limit_denominator(1001),
            codec="libx264rgb" if lossless else "libx264",
            options=x264_options(crf=crf or 0, preset=preset),
            threads=threads,
            synthetic=synthetic,
        )
        self._audio_from = audio_from
        self._sound: InputContainer | None = None
        self._stack = ExitStack()
        self._encoder: _Encoder | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._audio_from is not None:
            self._sound = self._stack.enter_context(open_media(Path(self._audio_from)))
        return self

    def write(self, image: Image, time: float | None = None) -> None:
        """Add a frame.

        Args:
            image: (H, W, 3) uint8 RGB, of the same size as the frames before.
            time: when it is shown, in seconds from the start of the file; None for the next
                regular time. Given for all frames or for none.

        Raises:
            InvalidInputError: if the image has another shape or type, or the time does not rise.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise InvalidInputError(
                f"image must be uint8 RGB of shape (H, W, 3), got {image.dtype} {image.shape}; "
                "convert it first"
            )
        if self._encoder is None:
            self._encoder = _Encoder(
                self.path, self._settings, image, sound=self._sound, is_timed=time is not None
            )
        self._encoder.add(image, time)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            try:
                if kind is None:
                    self._finish()
            finally:
                if self._encoder is not None:
                    self._encoder.abandon()

    def _finish(self) -> None:
        if self._encoder is None:
            raise InvalidInputError(
                f"a video must have at least one frame, got none for {self.path}; "
                "write one or leave the file out"
            )
        self._encoder.finish()
        part_path(self.path).replace(self.path)


def read_mark(path: Path) -> str | None:
    """Return how a file was made, as its synthetic mark says; None if it carries no mark.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableMediaError: if it is no media file.
    """
    with open_media(Path(path)) as container:
        # Matroska writes the names of its tags in capitals.
        tags = {key.lower(): value for key, value in container.metadata.items()}
    return tags.get(MARK_KEY)


class _Encoder:
    """The part file that is being written, opened when the size of the pictures is known."""

    def __init__(
        self,
        path: Path,
        settings: _Settings,
        image: Image,
        *,
        sound: InputContainer | None,
        is_timed: bool,
    ) -> None:
        self._part = part_path(path)
        self._shape = image.shape
        self._tick = _TICK if is_timed else 1 / settings.rate
        self._interval = 1 / settings.rate
        self._is_timed = is_timed
        self._last = -1  # the time stamp of the last frame, in ticks
        self._output = av.open(
            f"file:{self._part}",
            mode="w",
            format=FORMATS[path.suffix.lower()],
            options={} if path.suffix.lower() == ".mkv" else {"movflags": "+use_metadata_tags"},
            container_options={"fflags": "+bitexact"},  # no date, no random numbers
        )
        if settings.synthetic is not None:
            self._output.metadata["comment"] = f"Synthetic media: {settings.synthetic}"
            self._output.metadata[MARK_KEY] = settings.synthetic
        self._stream = self._add_stream(settings)
        self._audio = (
            AudioCopy(sound, self._output, from_first_frame=not is_timed)
            if sound is not None and sound.streams.audio
            else None
        )

    def add(self, image: Image, time: float | None) -> None:
        """Encode a frame and the sound up to it."""
        if image.shape != self._shape:
            raise InvalidInputError(
                f"image must have the shape of the first frame, {self._shape}, got {image.shape}; "
                "resize it or write another file"
            )
        self._last = self._stamp(time)
        frame = self._converted(image)
        frame.pts, frame.time_base = self._last, self._tick
        self._output.mux(self._stream.encode(frame))
        self._mux_sound(self._last * self._tick)

    def finish(self) -> None:
        """Write what the encoder still holds, the rest of the sound, and the index."""
        self._output.mux(self._stream.encode(None))
        self._mux_sound(self._last * self._tick + self._interval)
        self._output.close()

    def abandon(self) -> None:
        """Close the file and remove the part if it is still there."""
        with suppress(av.error.FFmpegError):  # the disk may be full, which was already raised
            self._output.close()
        self._part.unlink(missing_ok=True)

    def _add_stream(self, settings: _Settings) -> VideoStream:
        stream = self._output.add_stream(settings.codec, settings.rate, dict(settings.options))
        assert isinstance(stream, VideoStream)
        height, width, _ = self._shape
        stream.width, stream.height = width, height
        context = stream.codec_context
        context.time_base = self._tick
        context.thread_count = settings.threads
        context.thread_type = ThreadType.FRAME
        if settings.codec == "libx264rgb":
            stream.pix_fmt = "rgb24"
        else:
            stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
            context.colorspace, context.color_range = _BT601, ColorRange.MPEG
        return stream

    def _converted(self, image: Image) -> VideoFrame:
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        return frame.reformat(
            format=self._stream.pix_fmt,
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.BICUBIC,
            threads=1,
        )

    def _stamp(self, time: float | None) -> int:
        """Return the time stamp of the next frame in ticks."""
        if (time is not None) != self._is_timed:
            raise InvalidInputError(
                f"time must be given for all frames or for none, got {time}; choose one"
            )
        stamp = self._last + 1 if time is None else round(time / self._tick)
        if stamp <= self._last:
            raise InvalidInputError(
                f"time must rise from frame to frame and start at 0 or later, got {time}; "
                "sort the frames"
            )
        return stamp

    def _mux_sound(self, until: Fraction) -> None:
        if self._audio is not None:
            for packet in self._audio.until(until):
                self._output.mux(packet)


def _check(
    path: Path,
    frames_per_second: float | Fraction,
    crf: int | None,
    lossless: bool,
    preset: str,
    threads: int,
) -> None:
    if path.suffix.lower() not in FORMATS:
        raise InvalidInputError(
            f"path must end in one of {', '.join(FORMATS)}, got {path}; rename it"
        )
    if not 0 < frames_per_second <= 1000:
        raise InvalidInputError(
            f"frames_per_second must lie between 0 and 1000, got {frames_per_second}; "
            "25 and 30 are usual"
        )
    if lossless != (crf is None):
        raise InvalidInputError(
            f"crf must be given unless lossless is, got crf={crf} and lossless={lossless}; "
            "choose one of the two"
        )
    if crf is not None and not 0 <= crf <= 51:
        raise InvalidInputError(f"crf must lie in [0, 51], got {crf}; 23 is usual")
    if preset not in PRESETS:
        raise InvalidInputError(
            f"preset must be one of x264's, {', '.join(PRESETS)}, got {preset!r}; medium is usual"
        )
    if threads < 1:
        raise InvalidInputError(f"threads must be 1 or more, got {threads}; the bytes depend on it")
