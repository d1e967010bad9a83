"""The sound of one file, on its way into another."""

import logging
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from unmask.video.media import origin

_logger = logging.getLogger(__name__)

_AAC_RATES = {
    7350,
    8000,
    11025,
    12000,
    16000,
    22050,
    24000,
    32000,
    44100,
    48000,
    64000,
    88200,
    96000,
}


class AudioCopy:
    """Copies the first sound of a file: its packets as they are, or as AAC where they do not fit.

    Args:
        source: the file with the sound.
        output: the file that gets a stream for it, whose header is not yet written.
        from_first_frame: whether time 0 is that of the first picture of the source rather than
            that of its earliest picture or sound.
    """

    def __init__(
        self, source: InputContainer, output: OutputContainer, *, from_first_frame: bool
    ) -> None:
        self._source = source
        self._input = source.streams.audio[0]
        self._zero = _first_frame(source) if from_first_frame else origin(source)
        self._is_copied = self._input.codec_context.name in output.supported_codecs
        self._output = (
            output.add_stream_from_template(self._input)
            if self._is_copied
            else _add_aac(output, self._input)
        )
        self._packets = self._copied() if self._is_copied else self._encoded()
        self._held: Packet[AudioStream] | None = None

    def until(self, time: Fraction) -> "Iterator[Packet[AudioStream]]":
        """Yield the packets that begin before a time in seconds and have not come yet."""
        for packet in chain([self._held] if self._held else [], self._packets):
            self._held = packet
            if packet.pts is not None and packet.pts * packet.time_base >= time:
                return
            yield packet
        self._held = None

    def _copied(self) -> "Iterator[Packet[AudioStream]]":
        for packet in self._demuxed():
            if packet.pts is None:
                continue
            shift = round(self._zero / packet.time_base)
            packet.pts -= shift
            packet.dts = packet.pts if packet.dts is None else packet.dts - shift
            # One packet before the start stays: a decoder needs it to swing in.
            if packet.pts + 2 * (packet.duration or 0) > 0:
                packet.stream = self._output
                yield packet

    def _encoded(self) -> "Iterator[Packet[AudioStream]]":
        for packet in self._demuxed():
            for frame in self._input.decode(packet):
                if frame.pts is not None and frame.time_base is not None:
                    frame.pts -= round(self._zero / frame.time_base)
                yield from self._output.encode(frame)
        yield from self._output.encode(None)

    def _demuxed(self) -> "Iterator[Packet[AudioStream]]":
        """Yield the packets of the sound up to its end or to where the file breaks off."""
        try:
            yield from (packet for packet in self._source.demux(self._input) if packet.size)
        except av.error.FFmpegError as error:
            _logger.warning("the sound of %s breaks off: %s", self._source.name, error)


def _first_frame(source: InputContainer) -> Fraction:
    video = next(iter(source.streams.video), None)
    if video is None or video.start_time is None or video.time_base is None:
        return origin(source)
    return video.start_time * video.time_base


def _add_aac(output: OutputContainer, source: AudioStream) -> AudioStream:
    rate = source.codec_context.sample_rate
    stream = output.add_stream("aac", rate=rate if rate in _AAC_RATES else 48000)
    stream.codec_context.layout = (
        "mono" if source.codec_context.layout.nb_channels == 1 else "stereo"
    )
    return stream
