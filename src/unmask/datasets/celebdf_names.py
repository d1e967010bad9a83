"""The folders, file names and test list of Celeb-DF, versions 1 and 2."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from unmask.contracts import FAKE, REAL
from unmask.datasets.layout import Listing, list_folder, subfolder
from unmask.errors import InvalidInputError

CELEBRITIES, STRANGERS, SYNTHESIS = "Celeb-real", "YouTube-real", "Celeb-synthesis"
TOPS = (CELEBRITIES, STRANGERS, SYNTHESIS)
PUBLISHED = {
    "v1": {CELEBRITIES: 158, STRANGERS: 250, SYNTHESIS: 795},
    "v2": {CELEBRITIES: 590, STRANGERS: 300, SYNTHESIS: 5639},
}
LISTED = {CELEBRITIES: 108, STRANGERS: 70, SYNTHESIS: 340}  # in the test list of version 2
LIST = "List_of_testing_videos.txt"
REAL_IN_LIST = 1  # the opposite of the catalog's labels

NAMES = {
    CELEBRITIES: re.compile(r"(?P<person>id\d+)_(?P<scene>\d+)"),
    STRANGERS: re.compile(r"\d+"),
    SYNTHESIS: re.compile(r"(?P<person>id\d+)_(?P<source_person>id\d+)_(?P<scene>\d+)"),
}
_LINE = re.compile(r"([01])\s+(\S.*)")


@dataclass(frozen=True)
class Group:
    """The videos of one of the three folders.

    Args:
        top: its published name.
        folder: where the videos lie; None where there is no such folder.
    """

    top: str
    folder: Path | None

    @property
    def label(self) -> int:
        """Whether its videos are real or fake."""
        return FAKE if self.top == SYNTHESIS else REAL

    @cached_property
    def listing(self) -> Listing:
        """The files that lie there."""
        return list_folder(self.folder)

    @cached_property
    def named(self) -> dict[str, Path]:
        """The videos whose names are as published, by name without suffix."""
        pattern = NAMES[self.top]
        return {path.stem: path for path in self.listing.videos if pattern.fullmatch(path.stem)}

    def told(self) -> Iterator[tuple[str, Path, dict[str, str]]]:
        """Yield the name, the path and what the name says of each of them."""
        for name, path in self.named.items():
            if match := NAMES[self.top].fullmatch(name):
                yield name, path, match.groupdict()


def find_group(root: Path, top: str) -> Group:
    """Return the videos of one folder, in any case and with or without `videos/` below it."""
    folder = subfolder(root, top)
    return Group(top, subfolder(folder, "videos") or folder)


def real_of(said: Mapping[str, str]) -> str:
    """Return the name of the real video that a fake was made from.

    Example:
        >>> real_of({"person": "id1", "source_person": "id0", "scene": "0007"})
        'id1_0007'
    """
    return f"{said['person']}_{said['scene']}"


def people_in(name: str) -> set[str]:
    """Return the people whom the name of a video tells.

    Example:
        >>> sorted(people_in("id1_id0_0007")), sorted(people_in("00170"))
        (['id0', 'id1'], [])
    """
    return set(re.findall(r"id\d+", name))


def read_test_list(file: Path) -> set[tuple[str, str]]:
    """Return the (folder, name without suffix) of every line, the first among them.

    The list says 1 for real and 0 for fake, which is the opposite of nearly every other data set.
    What a video is follows from its folder; the number only has to agree with it.

    Raises:
        InvalidInputError: if a line is of another form, or a number contradicts its folder, as it
            does in copies that somebody turned round.
    """
    folders = {top.lower(): top for top in TOPS}
    listed: set[tuple[str, str]] = set()
    wrong: list[str] = []
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        path = PurePosixPath(match[2].replace("\\", "/")) if match else PurePosixPath()
        top = folders.get(path.parts[0].lower()) if len(path.parts) > 1 else None
        if match is None or top is None:
            raise InvalidInputError(
                "a line of the test list must be like '1 YouTube-real/00170.mp4', got "
                f"{line.strip()!r} in line {number} of {file}; take the list of the download"
            )
        if (int(match[1]) == REAL_IN_LIST) != (top != SYNTHESIS):
            wrong.append(line.strip())
        listed.add((top, path.stem))
    if wrong:
        raise InvalidInputError(
            f"the test list must say {REAL_IN_LIST} for real videos, as published, got the "
            f"opposite in {len(wrong)} of {len(listed)} lines of {file}, such as {wrong[0]!r}; "
            "take the list of the download, or turn its numbers round"
        )
    return listed
