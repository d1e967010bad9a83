"""Celeb-DF, versions 1 and 2."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from unmask.contracts import FAKE, Finding, VideoDataset
from unmask.datasets.celebdf_names import (
    CELEBRITIES,
    LIST,
    LISTED,
    PUBLISHED,
    SYNTHESIS,
    TOPS,
    Group,
    find_group,
    people_in,
    read_test_list,
    real_of,
)
from unmask.datasets.layout import elsewhere, row_of, strays, subfolders
from unmask.datasets.overlap import check_people
from unmask.errors import InvalidInputError, NotFoundError

SPLITTINGS = ("official", "disjoint")
WHERE_THE_LIST_IS = f"take {LIST} from the download into the data set's folder"
ONE_FRAME = "id27_0005"
TRAINED_BY_CUSTOM = json.dumps({"split": f"train, as it is not in {LIST}"})


class CelebDF(VideoDataset):
    """Celeb-DF as published: `Celeb-real`, `YouTube-real` and `Celeb-synthesis`.

    The owners publish a list of test videos only, and by custom all others are for training: the
    same people then are in both. Labels come from the folders, as the list says 1 for real.

    A fake's person is its target, the first id of its name, and its parent the target's real video
    of the same scene; which video of the source was used is not published. The people of
    `YouTube-real` are not named: each video counts as one of an unknown person.

    Args:
        root: the folder with the three.
        test_list: the list of test videos; by default `List_of_testing_videos.txt` in the root.
            Where there is none, the split stays open.
        split: `official` for test as listed and all others in train; `disjoint` for the same
            without the training videos of people whom the test shows, which then have no split.

    Raises:
        NotFoundError: if the folder or the list does not exist.
        InvalidInputError: if there is no such way of splitting.

    Reference:
        Li et al., "Celeb-DF: A Large-scale Challenging Dataset for DeepFake Forensics", CVPR 2020.
        https://arxiv.org/abs/1909.12962
    """

    def __init__(
        self, root: Path, *, test_list: Path | None = None, split: str = "official"
    ) -> None:
        super().__init__(root)
        if test_list is not None and not test_list.is_file():
            raise NotFoundError(f"test_list must be a file, got {test_list}; give {LIST}")
        if split not in SPLITTINGS:
            raise InvalidInputError(
                f"split must be {' or '.join(SPLITTINGS)}, got {split!r}; choose one, or split "
                "the catalog with unmask catalog split"
            )
        own = root / LIST
        self.test_list = test_list or (own if own.is_file() else None)
        self.split = split

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each video whose name is as published.

        Raises:
            InvalidInputError: if the test list contradicts the folders.
        """
        tested = self._tested()
        people = {person for _, name in tested or () for person in people_in(name)}
        for group in self._groups:
            for name, path, said in group.told():
                split = _part((group.top, name), tested, people if self._is_disjoint else set())
                yield row_of(path, self.root) | {
                    "label": group.label,
                    "original_label": group.top,
                    "family": "swap" if group.label == FAKE else None,
                    "method": group.top if group.label == FAKE else None,
                    "person": said.get("person"),
                    "source_person": said.get("source_person"),
                    "parents": self._parents(group, said),
                    "split": split,
                    "quality": "raw",
                    "settings": TRAINED_BY_CUSTOM if split == "train" else None,
                }

    def check(self) -> Iterator[Finding]:
        """Yield what is there of each folder, and what the test list and its split are worth."""
        if not any(group.folder for group in self._groups):
            yield elsewhere(self.root, TOPS)
            return
        counts = {group.top: len(group.named) for group in self._groups}
        # All six counts differ, so that one that fits tells the version; most copies are of v2.
        is_v1 = any(counts[top] == count for top, count in PUBLISHED["v1"].items())
        version = "v1" if is_v1 else "v2"
        for group in self._groups:
            yield from _check_group(group, version)
        yield from self._check_originals()
        yield from self._check_list(version)

    @property
    def _is_disjoint(self) -> bool:
        return self.split == "disjoint"

    @cached_property
    def _groups(self) -> tuple[Group, ...]:
        return tuple(find_group(self.root, top) for top in TOPS)

    @property
    def _reals(self) -> dict[str, Path]:
        return next(group.named for group in self._groups if group.top == CELEBRITIES)

    def _tested(self) -> set[tuple[str, str]] | None:
        return read_test_list(self.test_list) if self.test_list else None

    def _parents(self, group: Group, said: Mapping[str, str]) -> list[str]:
        if group.label != FAKE:
            return []
        real = self._reals.get(real_of(said))
        return [str(row_of(real, self.root)["id"])] if real else []

    def _check_originals(self) -> Iterator[Finding]:
        said = [
            said for group in self._groups for _, _, said in group.told() if group.label == FAKE
        ]
        lacking = sum(real_of(one) not in self._reals for one in said)
        if lacking:
            yield Finding(
                "suspicious",
                f"{SYNTHESIS}: {lacking} fakes without the real video of their target",
                f"unpack {CELEBRITIES} as a whole",
            )

    def _check_list(self, version: str) -> Iterator[Finding]:
        if self.test_list is None:
            yield Finding("missing", "test list: none, so the split stays open", WHERE_THE_LIST_IS)
            return
        try:
            tested = read_test_list(self.test_list)
        except InvalidInputError as error:
            yield Finding("suspicious", f"test list: {error}", WHERE_THE_LIST_IS)
            return
        counts = Counter(top for top, _ in tested)
        told = ", ".join(f"{counts[top]} {top}" for top in TOPS)
        told = f"test list: {told}; its 1 is real, other than in a catalog"
        if version == "v2" and counts != LISTED:
            told += f"; version 2 has {', '.join(f'{n} {top}' for top, n in LISTED.items())}"
            yield Finding("suspicious", told, WHERE_THE_LIST_IS)
        else:
            yield Finding("present", told)
        there = {(group.top, name) for group in self._groups for name in group.named}
        if absent := sorted(tested - there):
            yield Finding(
                "suspicious",
                f"test list: {len(absent)} videos that are not there: {'/'.join(absent[0])}",
                "finish the download: a figure on the others is that of another test set",
            )
        yield from self._check_split()

    def _check_split(self) -> Iterator[Finding]:
        overlap = check_people(
            self._rows,
            advice="test detectors of other data sets here; to train here set split=disjoint, or "
            "split the catalog with unmask catalog split --crossing leave_out",
        )
        if overlap:
            yield overlap
        if self._is_disjoint:
            left = Counter(row["label"] for row in self._rows if row["split"] == "train")
            out = sum(row["split"] is None for row in self._rows)
            yield Finding(
                "present" if left[FAKE] else "suspicious",
                f"split disjoint: {out} videos of people of the test are left out, which leaves "
                f"{left[FAKE]} fake and {left.total() - left[FAKE]} real ones to train on",
                "" if left[FAKE] else "use unmask catalog split --crossing leave_out instead",
            )

    @cached_property
    def _rows(self) -> list[Mapping[str, object]]:
        return list(self.find())


def _part(
    video: tuple[str, str], tested: set[tuple[str, str]] | None, unwanted: set[str]
) -> str | None:
    """Return the split of a video, given those in the test and whom training shall not show."""
    if tested is None:
        return None
    if video in tested:
        return "test"
    return None if people_in(video[1]) & unwanted else "train"


def _check_group(group: Group, version: str) -> Iterator[Finding]:
    found, published = len(group.named), PUBLISHED[version][group.top]
    told = f"{group.top}: {found} of the {published} videos of {version}"
    if found == published:
        yield Finding("present", told)
    else:
        advice = "finish the download, or work with this part of it"
        yield Finding("suspicious" if found else "missing", told, advice)
    if strange := [path.name for path in group.listing.videos if path.stem not in group.named]:
        yield Finding(
            "suspicious",
            f"{group.top}: {len(strange)} videos with other names than published: {strange[0]}",
            "they are left out; move them elsewhere",
        )
    if group.top == SYNTHESIS and (folders := subfolders(group.folder)):
        yield Finding(
            "suspicious",
            f"{group.top}: {len(folders)} folders, such as {folders[0].name}/",
            "they are left out; Celeb-DF++ has such, of which versions 1 and 2 are no part",
        )
    if ONE_FRAME in group.named:
        yield Finding(
            "suspicious",
            f"{group.top}: {ONE_FRAME} is published with a single frame",
            "its row says so in the column frames; a detector of clips cannot use it",
        )
    yield from strays(group.listing, group.top)
