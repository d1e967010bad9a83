"""Sparse exact reading against decoding everything, and the memory that reading takes.

Run `python benchmarks/video_reading.py [CLIP]`. Without a clip one of 300 frames at 720p is made.
Both sides run in one process, in turns, on one thread; the medians are printed.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import av
import numpy as np
from av.filter import Graph
from av.video.frame import PictureType
from av.video.stream import VideoStream

from unmask.contracts import Image
from unmask.video.probe import probe
from unmask.video.read import decode, read_frames
from unmask.video.sample import evenly_spaced

ROUNDS = 5
RATE = 25


@dataclass(frozen=True)
class Timing:
    """What was timed, and the median wall time of each side in milliseconds."""

    what: str
    plain: float
    ours: float


def main(arguments: Sequence[str] = ()) -> None:
    """Time reading and measure its memory; see the file's first lines for the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path, nargs="?", help="a video instead of the made one")
    parser.add_argument("--minutes", type=int, default=10, help="of the video for the memory")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        _read_all(options.measure)
        return
    with TemporaryDirectory() as folder:
        clip = options.clip or make_clip(
            Path(folder) / "720p.mp4", 300, "1280x720", "veryfast", noise=4
        )
        _print(clip, [*_time_reading(clip), _time_crops(clip)])
        if options.minutes:
            _print_memory(repeat(Path(folder) / "long.mp4", options.minutes))


def make_clip(path: Path, frames: int, size: str, preset: str, *, noise: int) -> Path:
    """Write a moving, noisy test picture as H.264."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", RATE, {"preset": preset, "crf": "23"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = (int(side) for side in size.split("x"))
        graph = Graph()
        source = graph.add("testsrc2", f"size={size}:rate={RATE}")
        grain = graph.add("noise", f"alls={noise}:allf=t")
        form = graph.add("format", "yuv420p")
        graph.link_nodes(source, grain, form, graph.add("buffersink")).configure()
        for _ in range(frames):
            frame = graph.vpull()
            frame.pict_type = PictureType.NONE  # the test picture asks for key frames only
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def repeat(path: Path, minutes: int) -> Path:
    """Write a long 1080p video by repeating the packets of one of ten seconds."""
    piece = make_clip(path.with_name("piece.mp4"), 10 * RATE, "1920x1080", "ultrafast", noise=0)
    with av.open(str(path), "w") as output:
        for turn in range(6 * minutes):
            with av.open(str(piece)) as source:
                stream = source.streams.video[0]
                if turn == 0:
                    target = output.add_stream_from_template(stream)
                shift = round(10 * turn / (stream.time_base or Fraction(1)))
                for packet in source.demux(stream):
                    if packet.pts is not None and packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = target
                        output.mux(packet)
    return path


def _time_reading(clip: Path) -> Iterator[Timing]:
    total = probe(clip).frames
    for what, numbers in {
        f"6 of {total} frames": evenly_spaced(total, min(6, total)),
        f"32 of {total} frames": evenly_spaced(total, min(32, total)),
        f"the first {min(16, total)} frames": range(min(16, total)),
        f"all {total} frames": range(total),
    }.items():
        for theirs, ours in zip(_plain(clip, numbers), _ours(clip, numbers), strict=True):
            assert np.array_equal(theirs, ours), f"the pixels of {what} differ"
        yield _alternate(
            what, partial(_exhaust, _plain, clip, numbers), partial(_exhaust, _ours, clip, numbers)
        )


def _plain(clip: Path, numbers: Iterable[int]) -> Iterator[Image]:
    """Yield frames as without an index: decode up to the last wanted, convert the wanted ones."""
    wanted = set(numbers)
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        for number, frame in enumerate(container.decode(stream)):
            if number in wanted:
                yield np.asarray(frame.to_ndarray(format="rgb24", threads=1), np.uint8)
            if number >= max(wanted):
                return


def _ours(clip: Path, numbers: Iterable[int]) -> Iterator[Image]:
    return (frame.image for frame in read_frames(clip, list(numbers)))


def _time_crops(clip: Path) -> Timing:
    """Time converting one frame, whole and cut, against its 256-pixel crop alone."""
    (frame,) = decode(clip, [0])
    right, bottom = min(frame.width, 300), min(frame.height, 300)
    box = (max(0, right - 256), max(0, bottom - 256), right, bottom)
    return _alternate(
        "a 256-px crop of one frame",
        lambda: frame.image()[box[1] : box[3], box[0] : box[2]],
        lambda: frame.crop(*box),
        rounds=50,
    )


def _alternate(
    what: str, plain: Callable[[], object], ours: Callable[[], object], rounds: int = ROUNDS
) -> Timing:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, call in zip(times, (plain, ours), strict=True):
            start = time.perf_counter()
            call()
            side.append(1000 * (time.perf_counter() - start))
    return Timing(what, median(times[0]), median(times[1]))


def _exhaust(
    read: Callable[[Path, Iterable[int]], Iterator[Image]], clip: Path, numbers: Iterable[int]
) -> None:
    for _ in read(clip, numbers):
        pass


def _print(clip: Path, timings: list[Timing]) -> None:
    info = probe(clip)
    print(f"{info.width}x{info.height} {info.codec}, {info.frames} frames, one thread")
    print(f"{'':28}{'plain PyAV':>12}{'unmask':>12}{'ratio':>8}")
    for timing in timings:
        print(
            f"{timing.what:28}{timing.plain:9.2f} ms{timing.ours:9.2f} ms"
            f"{timing.plain / timing.ours:7.2f}x"
        )


def _print_memory(clip: Path) -> None:
    """Read a long video in a process of its own and print the most memory that it held."""
    command = [sys.executable, __file__, "--measure", str(clip)]
    print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def _read_all(clip: Path) -> None:
    before, start = _peak_mebibytes(), time.perf_counter()
    frames = sum(1 for _ in read_frames(clip))
    rate = frames / (time.perf_counter() - start)
    print(
        f"reading all {frames} frames of 1080p as RGB: at most {_peak_mebibytes():.0f} MiB, "
        f"{before:.0f} of them before the first; {rate:.0f} frames a second"
    )


def _peak_mebibytes() -> float:
    """Return the most memory that this process held, from where it does not count its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(float(line.split()[1]) / 2**10 for line in lines if line.startswith("VmHWM"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main(sys.argv[1:])
