"""What is there, what is missing and what looks wrong, before hours are lost."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import av

from unmask.contracts import Finding, VideoDataset
from unmask.datasets.opening import open_dataset
from unmask.errors import InvalidInputError, NotFoundError, UnmaskError
from unmask.video.picture import PICTURE_SUFFIXES, read_picture, read_png_mark
from unmask.video.probe import probe
from unmask.video.read import read_frame
from unmask.video.sample import evenly_spaced
from unmask.video.write import read_mark

SAMPLE = 24
SECONDS = 5.0


def examine(name: str | None, path: Path, options: Sequence[str] = ()) -> list[Finding]:
    """Return what can be said in seconds about a data set's folder, or about one file.

    Names are compared with those published, no file may be empty, and some videos, spread over
    all, are opened for as long as a few seconds.

    Args:
        name: of the data set; not needed for a file.
        path: its folder, or a media file.
        options: `key=value` for the data set's reader.

    Raises:
        NotFoundError: if there is no such data set, folder or file.
        InvalidInputError: if a folder is given without the name of a data set.
    """
    if path.is_file():
        return list(_examine_file(path))
    if not path.exists():
        raise NotFoundError(f"path must exist, got {path}; check how it is spelt")
    if name is None:
        raise InvalidInputError(
            f"name must say which data set lies in a folder, got none for {path}; "
            "write for example: unmask doctor folder PATH"
        )
    dataset = open_dataset(name, path, options)
    told = list(dataset.check())
    return [*told, *_examine_files(dataset, told)]


def _examine_files(dataset: VideoDataset, told: Sequence[Finding]) -> Iterator[Finding]:
    try:
        paths = [dataset.root / str(row["path"]) for row in dataset.find()]
    except InvalidInputError as error:
        if not any(str(error) in one.what for one in told):
            yield Finding("suspicious", f"no file was opened: {error}")
        return
    if not paths:
        return
    sizes = {path: _size(path) for path in paths}
    if empty := [path for path, size in sizes.items() if not size]:
        yield Finding(
            "suspicious",
            f"{len(empty)} of {len(paths)} files are empty or broken links: {empty[0]}",
            "copy them again",
        )
    full = [path for path, size in sizes.items() if size]
    if full:
        yield _tried(full)


def _tried(paths: Sequence[Path]) -> Finding:
    """Return what opening some of the videos showed."""
    begun, reasons, marks = time.monotonic(), [], 0
    for number in evenly_spaced(len(paths), min(SAMPLE, len(paths))):
        if time.monotonic() - begun > SECONDS:
            break
        reasons.append(_why_unreadable(paths[number]))
        marks += reasons[-1] is None and _read_mark(paths[number]) is not None
    broken = [reason for reason in reasons if reason]
    told = f"opened {len(reasons)} of {len(paths)} files, spread over all"
    if broken:
        what = f"{told}: {len(broken)} cannot be read, such as: {broken[0]}"
        return Finding("suspicious", what, "copy those again, then index all to find the rest")
    marked = f", {marks} with a synthetic mark" if marks else ""
    return Finding("present", f"{told}: all can be read{marked}")


def _examine_file(path: Path) -> Iterator[Finding]:
    try:
        told, mark = _picture(path) if _is_picture(path) else _video(path), _read_mark(path)
    except (UnmaskError, av.FFmpegError) as error:
        yield Finding("suspicious", f"the file cannot be read: {error}", "copy it again")
        return
    yield Finding("present", told)
    if mark is None:
        yield Finding("present", "no synthetic mark", "that alone does not make it real")
    else:
        yield Finding("suspicious", f"synthetic mark: {mark}", "its maker says that it is not real")


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def _picture(path: Path) -> str:
    """Return what a picture is."""
    height, width = read_picture(path).shape[:2]
    return f"a picture of {width}x{height}"


def _video(path: Path) -> str:
    """Return what a video holds."""
    info = probe(path)
    size = f"{info.width}x{info.height}, {info.codec}"
    told = f"{info.frames} frames of {size} at {info.frames_per_second:g} a second"
    return f"{told}, {'with' if info.has_audio else 'without'} sound"


def _read_mark(path: Path) -> str | None:
    return read_png_mark(path) if _is_picture(path) else read_mark(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _why_unreadable(path: Path) -> str | None:
    try:
        if _is_picture(path):
            read_picture(path)
        else:
            read_frame(path, 0)
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return str(error)
    return None
