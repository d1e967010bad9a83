"""The folders and file names of FaceForensics++, as its download script lays them out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from unmask.contracts import FAKE, REAL
from unmask.datasets.layout import Listing, list_folder, subfolder

REAL_TOP, FAKE_TOP = "original_sequences", "manipulated_sequences"
TOPS = (REAL_TOP, FAKE_TOP)
FOLDERS = {"raw": "raw", "c0": "raw", "c23": "c23", "c40": "c40"}

NAMES = {
    "youtube": r"(?P<person>\d{3})",
    "actors": r"(?P<person>\d{2})__(?P<action>.+)",
    "DeepFakeDetection": r"(?P<person>\d{2})_(?P<source_person>\d{2})__(?P<action>.+)__\w{8}",
}
NAME_OF_FAKES = r"(?P<person>\d{3})_(?P<source_person>\d{3})"


@dataclass(frozen=True)
class Source:
    """A folder under a top folder: the videos of one origin or method.

    Args:
        top: the top folder.
        name: the folder's name.
        published: how many videos it has at each quality.
        family: the family of the forgery; None for real videos.
    """

    top: str
    name: str
    published: int
    family: str | None = None

    @property
    def label(self) -> int:
        """Whether its videos are real or fake."""
        return REAL if self.top == REAL_TOP else FAKE

    @property
    def originals(self) -> str:
        """The name of the folder with the real videos of its people."""
        return "actors" if self.name in ("actors", "DeepFakeDetection") else "youtube"

    def folder(self, root: Path) -> Path | None:
        """Return where it lies under the data set's folder."""
        return subfolder(subfolder(root, self.top), self.name)

    def masks(self, root: Path) -> dict[str, Path]:
        """Return the mask videos by name; they serve for all qualities."""
        return {path.stem: path for path in _videos(self.folder(root), "masks").listing.videos}


SOURCES = (
    Source(REAL_TOP, "youtube", 1000),
    Source(REAL_TOP, "actors", 363),
    Source(FAKE_TOP, "Deepfakes", 1000, "swap"),
    Source(FAKE_TOP, "Face2Face", 1000, "expression"),
    Source(FAKE_TOP, "FaceSwap", 1000, "swap"),
    Source(FAKE_TOP, "NeuralTextures", 1000, "expression"),
    Source(FAKE_TOP, "FaceShifter", 1000, "swap"),
    Source(FAKE_TOP, "DeepFakeDetection", 3068, "swap"),
)


@dataclass(frozen=True)
class Place:
    """A folder of videos: `<name>/videos`, or `<name>` itself; None where there is neither."""

    folder: Path | None
    listing: Listing


@dataclass(frozen=True)
class Group:
    """The videos of one source at one quality.

    Args:
        source: where they come from.
        quality: `raw`, `c23` or `c40`.
        folder: where they lie.
        listing: the files of that folder.
    """

    source: Source
    quality: str
    folder: Path
    listing: Listing

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.source.name} {self.quality}"

    def named(self) -> Iterator[tuple[Path, dict[str, str]]]:
        """Yield each video whose name is as published, with what the name says."""
        pattern = re.compile(NAMES.get(self.source.name, NAME_OF_FAKES))
        for path in self.listing.videos:
            if match := pattern.fullmatch(path.stem):
                yield path, match.groupdict()


def find_groups(root: Path) -> dict[tuple[str, str], Group]:
    """Return the groups that are there, by source and quality; `c0` counts as `raw`."""
    groups: dict[tuple[str, str], Group] = {}
    for source in SOURCES:
        for name, quality in FOLDERS.items():
            place, key = _videos(source.folder(root), name), (source.name, quality)
            is_new = key not in groups or not groups[key].listing.videos
            if place.folder is not None and is_new:
                groups[key] = Group(source, quality, place.folder, place.listing)
    return groups


def _videos(parent: Path | None, name: str) -> Place:
    folder = subfolder(parent, name)
    folder = subfolder(folder, "videos") or folder
    return Place(folder, list_folder(folder))
