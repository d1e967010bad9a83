"""FaceForensics++, with DeepFakeDetection and FaceShifter where they lie in the same tree."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from unmask.contracts import FAKE, REAL, Finding, VideoDataset
from unmask.datasets.faceforensics_tree import SOURCES, TOPS, Group, find_groups
from unmask.datasets.layout import elsewhere, row_of, subfolder
from unmask.datasets.splits import PairSplits, read_pair_splits
from unmask.errors import InvalidInputError, NotFoundError

RATES = {"c23": 23, "c40": 40}
SPLITS_AT = ("splits", "dataset/splits", "../splits", "../dataset/splits")
SPLIT_PAIRS = {"train": 360, "val": 70, "test": 70}
WHERE_SPLITS_ARE = (
    "take train.json, val.json and test.json from dataset/splits of the repository "
    "ondyari/FaceForensics into a folder splits/ in the data set's folder"
)


class FaceForensics(VideoDataset):
    """FaceForensics++ as its download script lays it out.

    `raw` and `c0` are the same, lossless, and both are read as `raw`. The split is the official
    one, from the lists of the data set's repository; where they are not found it stays open, and
    DeepFakeDetection has none at all. A fake's person is its target (the first number), its
    source person the one whose face or expression was put in (the second).

    Args:
        root: the folder with `original_sequences` and `manipulated_sequences`.
        splits: the folder with `train.json`, `val.json` and `test.json`; by default `splits` or
            `dataset/splits`, in the data set's folder or beside it.

    Raises:
        NotFoundError: if a folder does not exist.

    Reference:
        Roessler et al., "FaceForensics++: Learning to Detect Manipulated Facial Images",
        ICCV 2019. https://arxiv.org/abs/1901.08971
    """

    licence = "FaceForensics Terms of Use"

    def __init__(self, root: Path, *, splits: Path | None = None) -> None:
        super().__init__(root)
        if splits is not None and not splits.is_dir():
            raise NotFoundError(
                f"splits must be a folder, got {splits}; give the one that holds train.json"
            )
        known = [root / one for one in SPLITS_AT if (root / one / "train.json").is_file()]
        self.split_folder = splits or next(iter(known), None)

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each video whose name is as published."""
        splits = self._splits()
        for group in self._groups.values():
            masks = group.source.masks(self.root)
            for path, said in group.named():
                mask = masks.get(path.stem)
                people = [said["person"], said.get("source_person", said["person"])]
                yield {
                    **row_of(path, self.root),
                    **said,
                    "label": group.source.label,
                    "original_label": group.source.top,
                    "family": group.source.family,
                    "method": group.source.name if group.source.label == FAKE else None,
                    "parents": self._parents(group, said),
                    "split": splits.of(*people),
                    "quality": group.quality,
                    "crf": RATES.get(group.quality),
                    "mask": mask.relative_to(self.root).as_posix() if mask else None,
                }

    def check(self) -> Iterator[Finding]:
        """Yield what is there of each source and quality, and what is not."""
        if not self._groups:
            yield elsewhere(self.root, TOPS)
            return
        for group in self._groups.values():
            yield from _check_names(group)
            yield from self._check_originals(group)
        absent = {source.name for source in SOURCES} - {source for source, _ in self._groups}
        if absent:
            names = ", ".join(source.name for source in SOURCES if source.name in absent)
            yield Finding("missing", f"{names}: no videos", "download them if you need them")
        yield from self._check_masks()
        yield from self._check_splits()

    @cached_property
    def _groups(self) -> dict[tuple[str, str], Group]:
        return find_groups(self.root)

    def _originals(self, group: Group) -> Group | None:
        return self._groups.get((group.source.originals, group.quality))

    def _parents(self, group: Group, said: dict[str, str]) -> list[str]:
        """Return the ids of the real videos, at the same quality, that a fake was made from."""
        originals = self._originals(group)
        if group.source.label == REAL or originals is None:
            return []
        # Of the actors' sources no name says which scene was taken.
        names = (
            [f"{said['person']}__{said['action']}"]
            if "action" in said
            else [said["person"], said["source_person"]]
        )
        return [str(row_of(originals.folder / f"{name}.mp4", self.root)["id"]) for name in names]

    def _splits(self) -> PairSplits:
        return read_pair_splits(self.split_folder) if self.split_folder else PairSplits({}, {})

    def _check_originals(self, group: Group) -> Iterator[Finding]:
        originals = self._originals(group)
        real = {said["person"] for _, said in originals.named()} if originals else set()
        lacking = sum(said["person"] not in real for _, said in group.named())
        if lacking:
            yield Finding(
                "suspicious",
                f"{group.name}: {lacking} fakes without a real video of their target",
                f"download {group.source.originals} {group.quality}",
            )

    def _check_masks(self) -> Iterator[Finding]:
        for source in SOURCES:
            groups = [group for group in self._groups.values() if group.source is source]
            fakes = {path.stem for group in groups for path, _ in group.named()}
            if source.label == REAL or not fakes:
                continue
            found = len(fakes & source.masks(self.root).keys())
            told = f"{source.name} masks of {found} of {len(fakes)} fakes"
            if found == len(fakes):
                yield Finding("present", told)
            else:
                yield Finding("missing", told, "download them; else the largest face is taken")

    def _check_splits(self) -> Iterator[Finding]:
        if self.split_folder is None:
            yield Finding("missing", "official split: no lists", WHERE_SPLITS_ARE)
            return
        try:
            pairs = self._splits().pairs
        except InvalidInputError as error:
            yield Finding("suspicious", f"official split: {error}", WHERE_SPLITS_ARE)
            return
        told = ", ".join(f"{pairs.get(part, 0)} of {n} {part}" for part, n in SPLIT_PAIRS.items())
        if pairs == SPLIT_PAIRS:
            yield Finding("present", f"official split: {told} pairs")
        else:
            yield Finding("suspicious", f"official split: {told} pairs", WHERE_SPLITS_ARE)


def _check_names(group: Group) -> Iterator[Finding]:
    named = [path for path, _ in group.named()]
    found, published = len(named), group.source.published
    told = f"{group.name}: {found} of {published} videos"
    if found == published:
        yield Finding("present", told)
    elif found:
        yield Finding("suspicious", told, "finish the download, or work with this part of it")
    elif subfolder(group.folder.parent, "images") or subfolder(group.folder, "images"):
        yield Finding("missing", f"{told}, only images/ made of them", "download the videos")
    else:
        yield Finding("missing", told, "download them if you need them")
    if strange := sorted({path.name for path in set(group.listing.videos) - set(named)}):
        yield Finding(
            "suspicious",
            f"{group.name}: {len(strange)} videos with other names than published: {strange[0]}",
            "they are left out; move them elsewhere",
        )
