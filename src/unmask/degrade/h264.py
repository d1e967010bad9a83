"""H.264 compression at any rate."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation

from unmask.contracts import Degradation, Image
from unmask.degrade.image import in_range
from unmask.video.convert import to_rgb
from unmask.video.x264 import x264_options

FRAMES_PER_SECOND = 25


class H264(Degradation):
    """Compress the video as H.264 with x264's preset `medium`, 4:2:0 (odd sizes 4:4:4).

    As the last step of a chain it is the writing itself. Before another step it compresses and
    decodes in memory, frame by frame, at 25 frames a second.

    Args:
        crf: x264's constant rate factor: 0 is lossless but for the chroma, 23 light, 40 heavy.

    Raises:
        InvalidInputError: if crf lies outside 0 to 51.

    Reference:
        Roessler et al., "FaceForensics++: Learning to Detect Manipulated Facial Images",
        ICCV 2019, section 3 (rates 23 and 40). https://arxiv.org/abs/1901.08971
    """

    crf: int

    def __init__(self, crf: int = 23) -> None:
        in_range("crf", crf, 0, 51, "23 is light, 40 is heavy")
        self.crf = crf

    def degrade(self, frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
        """Yield each frame after the compression."""
        first = next(frames, None)
        if first is None:
            return
        encoder, decoder = self._encoder(*first.shape[:2]), _decoder()
        for frame in chain(_pictures(chain([first], frames), encoder.pix_fmt), [None]):
            for packet in encoder.encode(frame):
                yield from map(to_rgb, decoder.decode(packet))
        yield from map(to_rgb, decoder.decode(None))

    def _encoder(self, height: int, width: int) -> VideoCodecContext:
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height = width, height
        # H.264 has no odd sides in 4:2:0.
        encoder.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        encoder.framerate = Fraction(FRAMES_PER_SECOND)
        encoder.time_base = 1 / encoder.framerate
        encoder.thread_count = 1  # the bytes depend on how many threads there are
        encoder.options = x264_options(crf=self.crf, preset="medium")
        return encoder


def _decoder() -> VideoCodecContext:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    return decoder


def _pictures(images: Iterable[Image], pixel_format: str | None) -> Iterator[av.VideoFrame]:
    for number, image in enumerate(images):
        rgb = av.VideoFrame.from_ndarray(image, format="rgb24")
        # Bicubic, as the ffmpeg program does it.
        frame = rgb.reformat(format=pixel_format, interpolation=Interpolation.BICUBIC, threads=1)
        frame.pts = number
        yield frame
