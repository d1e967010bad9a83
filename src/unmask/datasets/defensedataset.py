"""The Adversarial Deepfakes Defense Dataset: faces of forged videos, clean and attacked."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from unmask.contracts import FAKE, Finding, VideoDataset
from unmask.datasets.defense_names import (
    METHODS,
    PARTS,
    Part,
    mark_of,
    says_attacked,
    without_mark,
)
from unmask.datasets.faceforensics import WHERE_SPLITS_ARE
from unmask.datasets.faceforensics_tree import SOURCES
from unmask.datasets.layout import (
    Listing,
    elsewhere,
    list_folder,
    list_tree,
    row_of,
    subfolders,
)
from unmask.datasets.splits import PairSplits, read_pair_splits
from unmask.errors import NotFoundError
from unmask.schema import ADVERSARIAL
from unmask.video.picture import PICTURE_SUFFIXES

FAMILIES = {source.name: source.family for source in SOURCES if source.label == FAKE}
PAIR = re.compile(r"(?<!\d)(?P<person>\d{3})_(?P<source_person>\d{3})(?!\d)")
FLAT = "no folder of a part"


@dataclass(frozen=True)
class Face:
    """One image.

    Args:
        path: of the file.
        folder: that the part's images start from.
        part: whose folder it lies in; None in a flat folder.
        mark: `w` or `b` as its name says; None where the name says that it is clean.
    """

    path: Path
    folder: Path
    part: Part | None
    mark: str | None

    @property
    def attack(self) -> str | None:
        """Return `w` or `b` as the part says or else the name; None for a clean face."""
        return self.part.mark if self.part else self.mark

    @property
    def origin(self) -> str:
        """Return what a clean face and the attacked ones made from it have in common."""
        inside = self.path.relative_to(self.folder)
        return inside.with_name(without_mark(self.path.stem)).as_posix()


class DefenseDataset(VideoDataset):
    """The five published folders of faces, or a flat folder of them all.

    A face is attacked if its folder says so, and in a flat folder if its name does: `w_` before a
    white-box one, `b_` before a black-box one. The publishers look for these letters anywhere in
    the name; here they must begin a word, as `new_001.png` is no attacked face. All faces are of
    forged videos: without the lists of FaceForensics++ nothing says which split they belong to.

    An attacked face has the family `adversarial` and the attack as its method; the method of the
    forgery is that of its parent, the clean face of the same name, and stands in the settings.
    The files' names are not published, so videos and people are known where the names hold two
    ids, as in `001_870`. How the videos were compressed and which attack is meant by "FGSM" is
    not published either.

    Args:
        root: the folder of the five parts.
        splits: the folder with `train.json`, `val.json` and `test.json` of FaceForensics++; by
            default `splits` in the data set's folder.
        quality: of the videos that the faces are from.
        white: the attack of the white-box parts.
        black: the attack of the black-box parts.

    Raises:
        NotFoundError: if a folder does not exist.

    Reference:
        The README of https://github.com/yuelianggongzi/adversarial-deepfakes-defense-dataset; its
        attacks are those of Hussain et al., "Adversarial Deepfakes", WACV 2021.
        https://arxiv.org/abs/2002.12749
    """

    def __init__(
        self,
        root: Path,
        *,
        splits: Path | None = None,
        quality: str = "raw",
        white: str = "iterative_fgsm",
        black: str = "nes",
    ) -> None:
        super().__init__(root)
        if splits is not None and not splits.is_dir():
            raise NotFoundError(
                f"splits must be a folder, got {splits}; give the one that holds train.json"
            )
        own = root / "splits"
        self.split_folder = splits or (own if (own / "train.json").is_file() else None)
        self.quality = quality
        self.attacks = {"w": white, "b": black}

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each image."""
        parts = read_pair_splits(self.split_folder) if self.split_folder else PairSplits({}, {})
        clean = {face.origin: face for face in self._faces if face.attack is None}
        for face in self._faces:
            people = _people(face)
            yield row_of(face.path, self.root) | {
                "kind": "image",
                "label": FAKE,
                "original_label": face.part.name if face.part else face.path.parent.name,
                **self._how(face, clean),
                **people,
                "split": parts.of(*people.values()) if people else None,
                "quality": self.quality,
            }

    def check(self) -> Iterator[Finding]:
        """Yield what is there of each part, and where names and folders disagree."""
        if not self._faces:
            yield elsewhere(self.root, [part.name for part in PARTS])
            return
        yield from self._check_parts()
        yield from self._check_marks()
        yield from self._check_methods()
        nameless = sum(not _people(face) for face in self._faces)
        if nameless:
            yield Finding(
                "suspicious",
                f"{nameless} of {len(self._faces)} images without two ids of FaceForensics++ in "
                "their names",
                "they are read without a person: do not split them by person",
            )
        if self.split_folder is None:
            yield Finding("missing", "official split: no lists", WHERE_SPLITS_ARE)

    @cached_property
    def _faces(self) -> list[Face]:
        if not self._folders:
            listed = list_folder(self.root, PICTURE_SUFFIXES).videos
            is_part = any(part.is_called(self.root.resolve().name) for part in PARTS)
            flat = [] if is_part else listed
            return [Face(path, self.root, None, mark_of(path.name)) for path in flat]
        return [
            Face(path, folder, part, mark_of(path.name))
            for part, folder, listing in self._folders
            for path in listing.videos
        ]

    @cached_property
    def _folders(self) -> list[tuple[Part, Path, Listing]]:
        return [
            (part, folder, list_tree(folder, PICTURE_SUFFIXES))
            for part in PARTS
            for folder in subfolders(self.root)
            if part.is_called(folder.name)
        ]

    def _how(self, face: Face, clean: Mapping[str, Face]) -> dict[str, object]:
        """Return family, method, settings and parents."""
        forgery = _method(face)
        if face.attack is None:
            return {"family": FAMILIES.get(forgery or ""), "method": forgery}
        parent = clean.get(face.origin)
        said = {"victim": face.part.victim if face.part else None, "forgery": forgery}
        return {
            "family": ADVERSARIAL,
            "method": self.attacks[face.attack],
            "settings": json.dumps(said, sort_keys=True),
            "parents": [str(row_of(parent.path, self.root)["id"])] if parent else [],
        }

    def _check_parts(self) -> Iterator[Finding]:
        counts = Counter(face.part.name if face.part else FLAT for face in self._faces)
        if FLAT in counts:
            attacked = sum(face.attack is not None for face in self._faces)
            told = f"{counts[FLAT]} images, {attacked} of them attacked by their names"
            yield Finding("present", f"{FLAT}: {told}; nothing says which victim")
            return
        for part in PARTS:
            if not counts[part.name]:
                advice = "download and unpack it if you need it"
                yield Finding("missing", f"{part.name}: no images", advice)
            else:
                yield Finding("present", f"{part.name}: {counts[part.name]} images")
        if len(set(counts.values())) > 1:
            yield Finding(
                "suspicious",
                "the parts hold unequal numbers of images: "
                + ", ".join(f"{count} {name}" for name, count in counts.items()),
                "finish the unpacking; faces that were not found again also make a difference",
            )

    def _check_marks(self) -> Iterator[Finding]:
        for part, _, listing in self._folders:
            marks = Counter(mark_of(path.name) for path in listing.videos)
            wrong = [path for path in listing.videos if mark_of(path.name) != part.mark]
            if part.mark and listing.videos and marks[None] == len(listing.videos):
                yield Finding("present", f"{part.name}: no name says that it is attacked")
            elif wrong:
                yield Finding(
                    "suspicious",
                    f"{part.name}: {len(wrong)} images whose name contradicts the folder: "
                    f"{wrong[0].name}",
                    "the folder is believed; look whether they were mixed up",
                )
        odd = [face for face in self._faces if says_attacked(face.path.name) and not face.attack]
        if odd:
            yield Finding(
                "suspicious",
                f"{len(odd)} clean images that the published rule takes for attacked ones: "
                f"{odd[0].path.name} contains w_ or b_",
                "rename them before that rule is used",
            )

    def _check_methods(self) -> Iterator[Finding]:
        methods = Counter(_method(face) for face in self._faces)
        unknown = methods.pop(None, 0)
        told = ", ".join(f"{count} {name}" for name, count in sorted(methods.items()))
        if set(methods) == set(METHODS) and not unknown:
            yield Finding("present", f"forgery methods: {told}")
        else:
            known = f"{told}; " if told else ""
            yield Finding(
                "suspicious",
                f"forgery methods: {known}{unknown} images of no method that can be recognised",
                f"published are {', '.join(METHODS)}; name the folders so",
            )


def _method(face: Face) -> str | None:
    """Return the method of the forgery: one of FaceForensics++, or else the part's subfolder."""
    inside = PurePosixPath(face.path.relative_to(face.folder).as_posix())
    said = [*inside.parts[:-1], inside.stem]
    published = (name for one in said for name in FAMILIES if name.lower() in one.lower())
    if (name := next(published, None)) is not None:
        return name
    return next((one for one in inside.parts[:-1] if not re.match(r"\d|images?$", one)), None)


def _people(face: Face) -> dict[str, str]:
    """Return `person` and `source_person` as the file's name or a folder's says, or nothing."""
    inside = face.path.relative_to(face.folder).with_suffix("")
    found = (PAIR.search(one) for one in reversed(inside.parts))
    match = next((one for one in found if one), None)
    return match.groupdict() if match else {}
