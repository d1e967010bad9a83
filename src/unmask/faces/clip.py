"""The faces of one video or image: found, chosen, cut out and listed."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import av

from unmask.contracts import Image
from unmask.errors import UnmaskError, UnreadableMediaError
from unmask.faces.crop import (
    Profile,
    cut,
    cut_aligned,
    median_box,
    square_region,
    steady_region,
    write_crop,
)
from unmask.faces.masks import Forged, compare_to_masks
from unmask.faces.mtcnn import CELL, MTCNN, Box
from unmask.faces.select import main_tracks
from unmask.faces.track import Track, View, follow
from unmask.video.picture import read_picture
from unmask.video.probe import probe
from unmask.video.read import decode
from unmask.video.sample import parse_sampling

logger = logging.getLogger(__name__)

Row = dict[str, Any]

HELD_BYTES = 128 << 20  # of decoded frames: a longer clip is decoded once more for its crops
# Faces of 80 pixels fill a crop of 256 only blurred, smaller ones not at all. But a small picture
# may show nothing larger: there a fifth of its shorter side counts, as a talking head fills more.
SMALLEST, SMALLEST_SHARE = 80, 0.2
KEPT_CONFIDENCE = 0.7  # the published one: enough for a face that is already known
FAULTS = (UnmaskError, OSError, av.FFmpegError)
CROP_NAME = re.compile(r"\d{6,}_\d+\.(png|jpg)")


@dataclass(frozen=True)
class Clip:
    """One item of a catalog.

    Args:
        id: in the catalog; its crops lie in a folder of that name.
        path: of the media.
        size: how many frames it has, their width and height; None where that is not known.
        is_image: whether it is one picture.
        mask: of the forgery, where there is one.
        fault: why the catalog says that it cannot be used, or empty.
        content: the hash of the media, where it is known.
    """

    id: str
    path: Path
    size: tuple[int, int, int] | None = None
    is_image: bool = False
    mask: Path | None = None
    fault: str = ""
    content: str | None = None


@dataclass(frozen=True)
class Way:
    """How the faces of clips are prepared; see `FacesSettings`."""

    out: Path
    profile: Profile
    size: int
    sampling: str
    suffix: str
    smallest: int | None
    confidence: float
    keeps_all: bool
    search_every: int


@dataclass(frozen=True)
class Found:
    """The faces of a clip, which also hold for copies of it in other qualities."""

    numbers: list[int]
    tracks: list[Track]
    chosen: list[Track]
    empty: frozenset[int]

    @cached_property
    def medians(self) -> dict[int, Box]:
        """The median box of each chosen track, by its number."""
        return {
            track.number: median_box(face.box for face in track.faces.values())
            for track in self.chosen
        }


class Picture:
    """An image file as the only frame of a video."""

    number, time = 0, 0.0

    def __init__(self, path: Path) -> None:
        self._image = read_picture(path)
        self.height, self.width = self._image.shape[:2]

    def image(self) -> Image:
        """Return the picture."""
        return self._image

    def crop(self, left: int, top: int, right: int, bottom: int) -> Image:
        """Return a part of it."""
        return self._image[top:bottom, left:right]


class UnreadableMaskError(UnreadableMediaError):
    """The mask of a forged video cannot be decoded."""


def prepare_clips(clips: Sequence[Clip], way: Way) -> list[Row]:
    """Return the rows of a clip and of its copies in other qualities, and write their crops.

    The faces are found in the first clip that can be read; in the others they are where they are
    in that one.
    """
    rows: list[Row] = []
    found: Found | None = None
    for clip in clips:
        fault = {"item": clip.id, "status": "unreadable"}
        try:
            if clip.fault:
                raise UnreadableMediaError(clip.fault)
            if found is None:
                own, found = _prepare(clip, way)
                rows += own
            else:
                rows += _cut_all(clip, way, found, _frames(clip, found.numbers))
        except UnreadableMaskError as error:
            rows.append(fault | {"status": "unreadable_mask", "reason": str(error)})
        except FAULTS as error:
            rows.append(fault | {"reason": str(error)})
    return rows


def _prepare(clip: Clip, way: Way) -> tuple[list[Row], Found]:
    """Find the faces of a clip, choose among them and cut them out."""
    frames_total, width, height = clip.size or _size(clip)
    numbers = parse_sampling(way.sampling).numbers(frames_total)
    frames: Iterable[View] = _frames(clip, numbers)
    if len(numbers) * width * height * 3 // 2 <= HELD_BYTES:
        frames = list(frames)
    smallest = way.smallest or max(min(SMALLEST, SMALLEST_SHARE * min(width, height)), CELL)
    tracks = follow(
        frames,
        _finder(smallest, min(KEPT_CONFIDENCE, way.confidence)),
        search_every=way.search_every,
        confidence=way.confidence,
    )
    if clip.mask:
        forged = _forged(clip, numbers, tracks, width, height)
        found = Found(numbers, tracks, main_tracks(tracks, forged.shares), forged.empty)
    else:
        chosen = tracks if way.keeps_all else main_tracks(tracks)
        found = Found(numbers, tracks, chosen, frozenset())
    if not isinstance(frames, list):
        frames = _frames(clip, numbers)
    return _cut_all(clip, way, found, frames), found


@cache
def _finder(smallest: float, confidence: float) -> MTCNN:
    return MTCNN(smallest=smallest, thresholds=(0.6, 0.7, confidence))


def _size(clip: Clip) -> tuple[int, int, int]:
    """Return how many frames a clip has, their width and height."""
    if clip.is_image:
        picture = Picture(clip.path)
        return 1, picture.width, picture.height
    info = probe(clip.path)
    return info.frames, info.width, info.height


def _frames(clip: Clip, numbers: Sequence[int]) -> Iterator[View]:
    """Yield the frames with the given numbers, or as many as a damaged file gives."""
    if clip.is_image:
        yield Picture(clip.path)
        return
    got = 0
    try:
        for frame in decode(clip.path, numbers):
            got += 1
            yield frame
    except UnmaskError as error:
        if not got:
            raise
        logger.warning("%s: only %d of %d frames: %s", clip.id, got, len(numbers), error)


def _forged(
    clip: Clip, numbers: Sequence[int], tracks: Sequence[Track], width: int, height: int
) -> Forged:
    """Compare the faces to the mask of the forgery."""
    mask = Clip(clip.id, clip.mask or clip.path, is_image=clip.is_image)
    try:
        masks = ((frame.number, frame.image()) for frame in _frames(mask, numbers))
        return compare_to_masks(tracks, masks, width, height)
    except FAULTS as error:
        raise UnreadableMaskError(f"the mask: {error}") from error


def _cut_all(clip: Clip, way: Way, found: Found, frames: Iterable[View]) -> list[Row]:
    """Cut out the chosen faces of every frame, and say of every frame what became of it."""
    _clear(way.out / crop_folder(clip.id))
    rows: list[Row] = []
    got = set()
    for frame in frames:
        got.add(frame.number)
        seen: Row = {"item": clip.id, "frame": frame.number, "time": frame.time}
        faces = [track for track in found.chosen if frame.number in track.faces]
        rows += [seen | _cut_one(clip, way, found, frame, track) for track in faces]
        if not faces:
            rows.append(seen | {"status": _absence(found, frame.number)})
    rows += [
        {"item": clip.id, "frame": number, "status": "unreadable", "reason": "it does not decode"}
        for number in found.numbers
        if number not in got
    ]
    return rows


def _absence(found: Found, number: int) -> str:
    """Return the status of a frame without the chosen face."""
    if number in found.empty:
        return "empty_mask"
    return "other_face" if any(number in track.faces for track in found.tracks) else "no_face"


def _cut_one(clip: Clip, way: Way, found: Found, frame: View, track: Track) -> Row:
    """Cut out one face of one frame."""
    face = track.faces[frame.number]
    left, top, right, bottom = (round(edge, 2) for edge in face.box)
    row: Row = {
        "track": track.number,
        "left": left,
        "top": top,
        "right": right,
        "bottom": bottom,
        "landmarks": face.landmarks.round(2).ravel().tolist(),
        "confidence": round(face.confidence, 4),
    }
    if frame.number in found.empty:
        return row | {"status": "empty_mask"}
    crop = _pixels(way, found, frame, track)
    if crop is None:
        return row | {"status": "outside"}
    path = crop_folder(clip.id) / f"{frame.number:06d}_{track.number}.{way.suffix}"
    write_crop(crop, way.out / path)
    return row | {"status": "ok", "crop": path.as_posix()}


def _pixels(way: Way, found: Found, frame: View, track: Track) -> Image | None:
    face = track.faces[frame.number]
    if way.profile == "aligned":
        return cut_aligned(frame, face.landmarks, way.size)
    if way.profile == "clip":
        steady = steady_region(found.medians[track.number], frame.width, frame.height)
        return cut(frame, steady, way.size)
    region = square_region(face.box, frame.width, frame.height)
    return cut(frame, region, way.size) if region else None


def crop_folder(item: str) -> Path:
    """Return the folder of an item's crops, from the folder of the face table."""
    return Path("crops", item)


def _clear(folder: Path) -> None:
    """Delete the crops that an earlier, interrupted or different run has left."""
    if folder.is_dir():
        for file in folder.iterdir():
            if CROP_NAME.fullmatch(file.name):
                file.unlink()
