"""Pristine clips of people: one person a file, or `person/clip.mp4`."""

import csv
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from unmask.contracts import REAL, Finding, VideoDataset
from unmask.datasets.layout import Listing, list_tree, row_of, strays
from unmask.datasets.people import person_of
from unmask.errors import InvalidInputError, NotFoundError


class Footage(VideoDataset):
    """Real clips only, to make forgeries of.

    A clip shows the person whose folder it lies in, or, directly in the root, a person of its
    own. Where a table of people is given, it decides.

    Args:
        root: the folder with the clips.
        persons: a CSV file with the columns `file` (path from the root) and `person` (empty where
            nobody is seen); by default `persons.csv` in the root, or beside the root a CSV file
            of its name and with these columns, if there is one.

    Raises:
        NotFoundError: if the folder or the table does not exist.
        InvalidInputError: if the table lacks a column.
    """

    def __init__(self, root: Path, *, persons: Path | None = None) -> None:
        super().__init__(root)
        self.table = persons or _table_of(root)
        self.persons = _read_persons(self.table) if self.table else {}

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each clip."""
        for path in self._listing.videos:
            yield row_of(path, self.root) | {
                "label": REAL,
                "person": self._person(path),
                "quality": "raw",
            }

    def check(self) -> Iterator[Finding]:
        """Yield how many clips of how many people there are."""
        clips = self._listing.videos
        if not clips:
            yield Finding(
                "missing",
                f"no videos in {self.root}",
                "give a folder with one clip a person, or with a folder of clips for each person",
            )
        else:
            people = {person for path in clips if (person := self._person(path))}
            told = f", as {self.table} tells" if self.table else ""
            yield Finding("present", f"{len(clips)} videos of {len(people)} people{told}")
        named = {path.relative_to(self.root).as_posix() for path in clips}
        if strange := sorted(self.persons.keys() - named):
            yield Finding(
                "suspicious",
                f"table of people: {len(strange)} files that are not there: {strange[0]}",
                "correct the column file",
            )
        yield from strays(self._listing, "footage")

    @cached_property
    def _listing(self) -> Listing:
        return list_tree(self.root)

    def _person(self, path: Path) -> str | None:
        inside = path.relative_to(self.root).as_posix()
        return self.persons.get(inside, person_of(path, self.root)) or None


def _table_of(root: Path) -> Path | None:
    inside, beside = root / "persons.csv", root.resolve().with_suffix(".csv")
    if inside.is_file():
        return inside
    return beside if beside.is_file() and not _lacking(beside) else None


def _lacking(file: Path) -> set[str]:
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        return {"file", "person"} - set(csv.DictReader(lines).fieldnames or ())


def _read_persons(file: Path) -> dict[str, str]:
    if not file.is_file():
        raise NotFoundError(f"the table of people must exist, got {file}; check the path")
    if lacking := _lacking(file):
        raise InvalidInputError(
            "a table of people must have the columns file and person, got none named "
            f"{' or '.join(sorted(lacking))} in {file}; name them in the first line"
        )
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return {line["file"]: (line["person"] or "").strip() for line in csv.DictReader(lines)}
