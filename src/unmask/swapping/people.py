"""Whose clips a swap is made of: people of a catalog, or files and folders of clips."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unmask.catalog import Catalog
from unmask.contracts import REAL, Finding, VideoDataset
from unmask.datasets.index import IndexSettings, list_items
from unmask.datasets.layout import VIDEO_SUFFIXES, list_tree, row_of
from unmask.errors import InvalidInputError, NotFoundError, unknown_name
from unmask.generators.landmark_files import slug
from unmask.generators.pairs import real_videos

Row = dict[str, Any]

FOOTAGE = "footage"  # the data set of clips that are in no catalog
CLIPS = "clips"  # the folder where they get theirs


@dataclass(frozen=True)
class Person:
    """Somebody with clips.

    Args:
        name: within the data set.
        dataset: the data set's name.
        rows: of the catalog, one for each clip.
    """

    name: str
    dataset: str
    rows: tuple[Row, ...]


def people_of(catalog: Catalog, quality: str | None) -> list[Person]:
    """Return everybody whom the usable real videos of a quality name, by data set and name.

    Args:
        catalog: the items.
        quality: raw, c23 ...; None for pristine videos.

    Raises:
        InvalidInputError: if there is no such video, or none that names its person.
    """
    found: dict[tuple[str, str], list[Row]] = {}
    rows = real_videos(catalog, quality)
    for row in rows:
        if row["person"] is not None:
            found.setdefault((row["dataset"], row["person"]), []).append(row)
    if not found:
        raise InvalidInputError(
            f"the catalog must name the people of its videos, got none for {len(rows)}; fill in "
            "the column 'person'"
        )
    return [Person(name, dataset, tuple(found[dataset, name])) for dataset, name in sorted(found)]


def person_of(people: Sequence[Person], name: str) -> Person:
    """Return the person of that name.

    Args:
        people: who there is.
        name: the name, or `data set/name` where several data sets have it.

    Raises:
        NotFoundError: if there is nobody of that name; the message has the closest one.
        InvalidInputError: if several data sets have it.
    """
    whole = [one for one in people if f"{one.dataset}/{one.name}" == name]
    found = whole or [one for one in people if one.name == name]
    if not found:
        raise unknown_name("the catalog", name, {one.name for one in people})
    if len(found) > 1:
        told = " and ".join(f"{one.dataset}/{one.name}" for one in found)
        raise InvalidInputError(
            f"a person's name must mean one person, got {name!r}, which is {told}; give one of "
            "these"
        )
    return found[0]


def index_clips(
    target: Path, source: Path, out: Path, *, workers: int, retry_failed: bool
) -> tuple[Catalog, Person, Person]:
    """Return a catalog of two people's clips, told from `out`, and the two people.

    Args:
        target: a video, or a folder whose videos all show one person.
        source: the same of another person.
        out: the folder to work in.
        workers: processes; 0 takes one for each core.
        retry_failed: whether clips that could not be read are looked at again.

    Raises:
        NotFoundError: if there is no such file or folder.
        InvalidInputError: if one lies in the other, or holds no video that can be read.
    """
    dataset = _Clips(target, source)
    settings = IndexSettings(
        FOOTAGE, dataset.root, out / CLIPS, workers=workers, retry_failed=retry_failed
    )
    catalog = list_items(dataset, list(dataset.find()), settings).moved(out)
    found = []
    for name, place in zip(dataset.names, (target, source), strict=True):
        rows = catalog.filter(person=name, status="ok").rows()
        if not rows:
            reason = catalog.filter(person=name).table["reason"][0]
            raise InvalidInputError(
                f"{place} must hold a video that can be read, got none ({reason}); give another"
            )
        found.append(Person(name, FOOTAGE, tuple(rows)))
    return catalog, found[0], found[1]


class _Clips(VideoDataset):
    """The clips of two people, who are called as their files or folders are."""

    def __init__(self, target: Path, source: Path) -> None:
        self.places = [target.resolve(), source.resolve()]
        one, other = self.places
        if one.is_relative_to(other) or other.is_relative_to(one):
            raise same_person(str(target), str(source))
        super().__init__(Path(os.path.commonpath([place.parent for place in self.places])))
        short = [place.stem if place.is_file() else place.name for place in self.places]
        whole = [slug(place.relative_to(self.root).as_posix()) for place in self.places]
        self.names = short if short[0] != short[1] else whole

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each clip."""
        for name, place in zip(self.names, self.places, strict=True):
            for path in _clips_in(place):
                told = {"label": REAL, "person": name, "quality": "raw"}
                yield row_of(path, self.root) | told

    def check(self) -> Iterator[Finding]:
        """Yield nothing: each clip is looked at."""
        yield from ()


def same_person(target: str, source: str) -> InvalidInputError:
    """Return the error for a face that would be put where it already is."""
    return InvalidInputError(
        f"target and source must be two people, got {target} and {source}; choose somebody else "
        "as the source"
    )


def _clips_in(place: Path) -> list[Path]:
    if not place.exists():
        raise NotFoundError(
            f"a person must be a video or a folder of videos, got {place}; check the path, or "
            "give the catalog that names this person"
        )
    clips = [place] if place.is_file() else list_tree(place).videos
    if not clips:
        raise InvalidInputError(
            f"a person's folder must hold videos, got {place} without any; such as "
            f"{', '.join(VIDEO_SUFFIXES[:4])} are looked for"
        )
    return clips
