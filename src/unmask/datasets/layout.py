"""Looking at folders: what is a video, what lies beside, and where a data set may really be."""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unmask.contracts import Finding

VIDEO_SUFFIXES = (
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".ogv", ".ts", ".webm", ".wmv",
)  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """What lies in a folder.

    Args:
        videos: the paths of the videos, in the order that a person would put them in; where
            pictures were asked for, of those.
        others: how many other files there are, by suffix; hidden ones count as `hidden`.
    """

    videos: list[Path] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def list_folder(folder: Path | None, suffixes: Collection[str] = VIDEO_SUFFIXES) -> Listing:
    """Return the files of one folder, not those below it; no folder holds nothing."""
    listing = Listing()
    if folder is not None:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir():
                    _add(listing, Path(entry.path), suffixes)
    listing.videos.sort(key=natural)
    return listing


def list_tree(folder: Path, suffixes: Collection[str] = VIDEO_SUFFIXES) -> Listing:
    """Return the files of a folder and all below it; links are followed, in circles only once."""
    listing = Listing()
    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in files:
            _add(listing, Path(place) / name, suffixes)
    listing.videos.sort(key=natural)
    return listing


def _add(listing: Listing, path: Path, suffixes: Collection[str]) -> None:
    if path.name.startswith("."):
        listing.others["hidden"] += 1
    elif not _is_text(path.name):
        listing.others["named in no Unicode"] += 1
    elif path.suffix.lower() in suffixes:
        listing.videos.append(path)
    else:
        listing.others[path.suffix.lower() or "without suffix"] += 1


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8 fit into no table
        return False
    return True


def natural(path: Path) -> tuple[list[tuple[str, int]], str]:
    """Return a key that sorts numbers within names by their value.

    Example:
        >>> sorted(map(Path, ["a10.mp4", "a9.mp4"]), key=natural)[0].name
        'a9.mp4'
    """
    text = path.as_posix()
    return [(word, int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", text)], text


def subfolders(folder: Path | None) -> list[Path]:
    """Return the folders in a folder that are not hidden, sorted; no folder has none."""
    if folder is None:
        return []
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if entry.is_dir()]
    except PermissionError:
        return []
    return sorted((one for one in found if not one.name.startswith(".")), key=natural)


def subfolder(folder: Path | None, name: str) -> Path | None:
    """Return the folder of that name, in whichever case it is written."""
    found = [one for one in subfolders(folder) if one.name.lower() == name.lower()]
    return min(found, key=lambda one: one.name != name, default=None)


def row_of(path: Path, root: Path) -> dict[str, object]:
    """Return what every row starts from: the item's id and path, both from the data set's root."""
    inside = path.relative_to(root).as_posix()
    return {"id": inside.replace("\\", "%5C"), "path": inside}


def strays(listing: Listing, where: str) -> Iterator[Finding]:
    """Yield a finding for files that are no videos, if there are any."""
    if listing.others:
        told = ", ".join(f"{count} {kind}" for kind, count in listing.others.most_common(5))
        yield Finding(
            "suspicious", f"{where}: files that are no videos: {told}", "they are ignored"
        )


def elsewhere(root: Path, tops: Sequence[str]) -> Finding:
    """Return the finding for a folder without any of a data set's top folders, with a guess.

    Args:
        root: the folder that was given.
        tops: the names of the top folders.
    """
    wanted = " and ".join(f"{top}/" for top in tops)
    near = [*root.resolve().parents[:3], *subfolders(root)]
    right = next((one for one in near if any(subfolder(one, top) for top in tops)), None)
    inside = ", ".join(f"{one.name}/" for one in subfolders(root)[:5]) or "no folder"
    advice = f"give {right} instead" if right else f"give the folder that holds {wanted}"
    return Finding("missing", f"{wanted} in {root}, which holds {inside}", advice)
