"""Motion JPEG, the published compressed form of adversarial videos."""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Interpolation

from unmask.contracts import Image
from unmask.degrade.image import ImageDegradation, in_range
from unmask.video.convert import to_rgb


class MJPEG(ImageDegradation):
    """Compress each frame as libav's `mjpeg` with 4:2:0 chroma, and decode it again.

    A copy that `unmask degrade` makes holds the decoded pictures without further loss, so that it
    reads as the Motion JPEG video would.

    Args:
        quality: libav's scale of the quantiser, 2 (best) to 31. OpenCV's writer `MJPG`, which the
            published pipeline uses, goes down to 3 and stays there after its first frames
            (measured with OpenCV 5.0 and its FFmpeg backend, whose tables are then these).

    Raises:
        InvalidInputError: if the quality lies outside that range.

    Reference:
        Hussain et al., "Adversarial Deepfakes", WACV 2021, section 5 (compressed videos).
        https://arxiv.org/abs/2002.12749
    """

    def __init__(self, quality: int = 3) -> None:
        in_range("quality", quality, 2, 31, "3 is OpenCV's, 31 the strongest")
        self.quality = quality

    def degrade(self, frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
        """Yield each frame after the compression."""
        coders: dict[tuple[int, ...], tuple[VideoCodecContext, VideoCodecContext]] = {}
        for image in frames:
            if image.shape not in coders:
                coders[image.shape] = self._encoder(*image.shape[:2]), _context("mjpeg", "r")
            yield _coded(image, *coders[image.shape])

    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return one frame after the compression."""
        return _coded(image, self._encoder(*image.shape[:2]), _context("mjpeg", "r"))

    def _encoder(self, height: int, width: int) -> VideoCodecContext:
        encoder = _context("mjpeg", "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuvj420p"
        encoder.framerate = Fraction(25)
        encoder.time_base = 1 / encoder.framerate
        # Both bounds at one value leave the rate control nothing to choose.
        encoder.options = {"qmin": str(self.quality), "qmax": str(self.quality)}
        return encoder


def _context(codec: str, mode: str) -> VideoCodecContext:
    context = av.CodecContext.create(codec, mode)  # type: ignore[call-overload]
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    return context


def _coded(image: Image, encoder: VideoCodecContext, decoder: VideoCodecContext) -> Image:
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(
        format="yuvj420p",
        dst_color_range=ColorRange.JPEG,
        interpolation=Interpolation.BICUBIC,
        threads=1,
    )
    (packet,) = encoder.encode(frame)
    (decoded,) = decoder.decode(packet)
    return to_rgb(decoded)
