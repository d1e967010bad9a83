"""Lists of training and test videos of DFDM: text files whose form nobody has published."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from unmask.contracts import Finding
from unmask.datasets.dfdm_names import read_name, read_real_name
from unmask.datasets.layout import natural
from unmask.errors import InvalidInputError
from unmask.schema import SPLITS

_PART = re.compile(
    rf"(?<![a-z])({'|'.join(SPLITS)})(?:ing|idation)?(?:list|set|split|s)?(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class VideoList:
    """What one text file lists.

    Args:
        file: where it is.
        names: of the videos, without folders and suffixes, each with the number in its line, if
            there is one.
        strange: the lines that name no video.
    """

    file: Path
    names: list[tuple[str, str | None]]
    strange: list[str]

    @property
    def told(self) -> str | None:
        """The split that the file's name tells; None if it tells none or several."""
        parts = {part.lower() for part in _PART.findall(self.file.stem)}
        return parts.pop() if len(parts) == 1 else None

    @property
    def part(self) -> str | None:
        """The split of its videos; None if its name tells none, or it is no list of DFDM.

        Celeb-DF's own `List_of_testing_videos.txt` names the same real videos, split otherwise.
        """
        return self.told if self.names_fakes else None

    @property
    def names_fakes(self) -> bool:
        """Whether a fake of DFDM is among the videos."""
        return any(read_name(name) for name, _ in self.names)


def read_lists(folders: Iterable[Path]) -> list[VideoList]:
    """Return the lists among the text files of some folders: those that name a video of DFDM."""
    files = [file for folder in folders for file in folder.glob("*.txt") if file.is_file()]
    lists = (_read_list(file) for file in sorted(set(files), key=natural))
    return [one for one in lists if one.names]


def parts_of(lists: Iterable[VideoList]) -> dict[str, str]:
    """Return the split of each video by its name without suffix; it is the same at every rate.

    Raises:
        InvalidInputError: if a video stands in the lists of two splits.
    """
    parts: dict[str, str] = {}
    for one in lists:
        for name, _ in one.names if one.part else ():
            assert one.part is not None
            if parts.setdefault(name, one.part) != one.part:
                raise InvalidInputError(
                    f"a video must stand in the lists of one split, got {name} in those of "
                    f"{parts[name]} and {one.part} ({one.file}); take the lists of the download"
                )
    return parts


def check_lists(lists: Iterable[VideoList], known: Iterable[str]) -> Iterator[Finding]:
    """Yield what is odd about the lists.

    Args:
        lists: those that were found.
        known: the names, without suffixes, of the videos that are there.
    """
    there = set(known)
    for one in lists:
        where = one.file.name
        if not one.names_fakes:
            yield Finding(
                "suspicious",
                f"{where}: names {len(one.names)} real videos and no fake of DFDM",
                "it is ignored: Celeb-DF has such a list, which splits its videos otherwise",
            )
            continue
        if one.told is None:
            yield Finding(
                "suspicious",
                f"{where}: names {len(one.names)} videos, but not whether to train or to test",
                "it is ignored; rename it to train_list.txt, val_list.txt or test_list.txt",
            )
        if absent := [name for name, _ in one.names if name not in there]:
            yield Finding(
                "suspicious",
                f"{where}: {len(absent)} of {len(one.names)} videos are not there: {absent[0]}",
                "finish the download, or take the list that belongs to it",
            )
        if one.strange:
            yield Finding(
                "suspicious",
                f"{where}: {len(one.strange)} lines name no video: {one.strange[0]!r}",
                "they are ignored; look whether they are a heading",
            )
        yield from _check_numbers(one)


def _read_list(file: Path) -> VideoList:
    names, strange = [], []
    for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        words = [word for word in re.split(r"[\s,;\"']+", line) if word]
        videos = [name for word in words if (name := _video(word))]
        numbers = [word for word in words if word.isdecimal()]
        names += [(name, numbers[0] if len(numbers) == 1 else None) for name in videos]
        if words and not videos:
            strange.append(line.strip())
    return VideoList(file, names, strange)


def _video(word: str) -> str | None:
    """Return the name of the video that a word is the path of."""
    name = re.sub(r"\.\w{2,4}$", "", PurePosixPath(word.replace("\\", "/")).name)
    return name if read_name(name) or read_real_name(name) else None


def _check_numbers(one: VideoList) -> Iterator[Finding]:
    """Yield what the numbers of the lines seem to mean; the files' names decide in any case."""
    meant: defaultdict[str, set[str]] = defaultdict(set)
    for name, number in one.names:
        if number is not None:
            swap = read_name(name)
            meant[number].add((swap.model or swap.tag) if swap else "real")
    if not meant:
        return
    told = ", ".join(
        f"{number} is {' or '.join(sorted(meant[number]))}" for number in sorted(meant)
    )
    kinds = [kind for found in meant.values() for kind in found]
    is_mixed = any("real" in found and len(found) > 1 for found in meant.values())
    if is_mixed or len(kinds) > len(set(kinds)):
        yield Finding(
            "suspicious",
            f"{one.file.name}: nobody can tell what its numbers mean: {told}",
            "they are ignored; the files' names say what a video is",
        )
    else:
        yield Finding("present", f"{one.file.name}: by the files' names, {told}")
