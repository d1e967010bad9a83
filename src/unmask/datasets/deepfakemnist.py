"""DeepFakeMnist+: animated faces in ten actions."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from unmask.contracts import FAKE, REAL, Finding, VideoDataset
from unmask.datasets.layout import Listing, elsewhere, list_folder, row_of, strays, subfolder
from unmask.errors import InvalidInputError
from unmask.schema import SPLITS

TOPS = ("fake_dataset", "real_dataset")
# Folder names by action: the published folder `surpise` is misspelt, and copies correct it.
ACTIONS = {
    "blink": ("blink",),
    "embarrass": ("embarrass",),
    "left_slope": ("left_slope",),
    "mouth": ("mouth",),
    "nod": ("nod",),
    "right_slope": ("right_slope",),
    "smile": ("smile",),
    "surprise": ("surpise", "surprise"),
    "up": ("up",),
    "yaw": ("yaw",),
}
FAKES_OF_AN_ACTION, REALS = 1000, 10_000
REAL_NAME = re.compile(r"(?P<person>[^#]+)#[^#]+#\d{6}#\d{6}")


class DeepFakeMnist(VideoDataset):
    """DeepFakeMnist+: 10,000 videos of VoxCeleb1 and as many animated from one frame of each.

    The split of the real videos is that of their folders. For the fakes the authors give 750, 150
    and 150 of each action's 1000, in order, which does not add up; read as 700, 150, 150 of the
    numbers in rising order it does. Which real video a fake was made from is not published, so
    nobody can say whether a person stands in two parts of the split.

    Args:
        root: the folder with `fake_dataset` and `real_dataset`.
        fake_split: how the fakes of each action are split in the order of their numbers, as
            weights of train, val and test.

    Raises:
        NotFoundError: if the folder does not exist.
        InvalidInputError: if `fake_split` is not of that form.

    Reference:
        Huang et al., "DeepFake MNIST+: A DeepFake Facial Animation Dataset", ICCV workshops 2021.
        https://arxiv.org/abs/2108.07949
    """

    def __init__(self, root: Path, *, fake_split: str = "700/150/150") -> None:
        super().__init__(root)
        if not re.fullmatch(r"\d+/\d+/\d+", fake_split) or not re.search("[1-9]", fake_split):
            raise InvalidInputError(
                "fake_split must be three numbers, of train, val and test, got "
                f"{fake_split!r}; write 700/150/150"
            )
        self.fake_split = fake_split

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each fake video with a number for a name and for each real video."""
        rule = json.dumps({"split": f"{self.fake_split} in the order of the numbers"})
        for action in ACTIONS:
            numbered = _numbered(self._fakes(action))
            parts = in_order(len(numbered), self.fake_split)
            for path, part in zip(numbered, parts, strict=True):
                yield row_of(path, self.root) | {
                    "label": FAKE,
                    "original_label": "fake_dataset",
                    "family": "expression",
                    "method": "first_order_motion",
                    "action": action,
                    "split": part,
                    "quality": "raw",
                    "settings": rule,
                }
        for part in SPLITS:
            for path in self._reals(part).videos:
                name = REAL_NAME.fullmatch(path.stem)
                yield row_of(path, self.root) | {
                    "label": REAL,
                    "original_label": "real_dataset",
                    "person": name["person"] if name else None,
                    "split": part,
                    "quality": "raw",
                }

    def check(self) -> Iterator[Finding]:
        """Yield what is there of each action and of the real videos."""
        if not any(subfolder(self.root, top) for top in TOPS):
            yield elsewhere(self.root, TOPS)
            return
        for action in ACTIONS:
            yield from self._check_action(action)
        listings = {part: self._reals(part) for part in SPLITS}
        for part, listing in listings.items():
            yield from _check_reals(part, listing)
        found = sum(len(listing.videos) for listing in listings.values())
        yield _counted("real videos", found, REALS)
        yield Finding(
            "suspicious",
            f"split of the fakes: {self.fake_split} in the order of the numbers, as the authors' "
            "own figures do not add up",
            "set fake_split to compare with work that split them otherwise",
        )

    def _fakes(self, action: str) -> Listing:
        top = subfolder(self.root, "fake_dataset")
        folders = [folder for name in ACTIONS[action] if (folder := subfolder(top, name))]
        return list_folder(next(iter(folders), None))

    def _reals(self, part: str) -> Listing:
        return list_folder(subfolder(subfolder(self.root, "real_dataset"), f"selected_{part}"))

    def _check_action(self, action: str) -> Iterator[Finding]:
        listing = self._fakes(action)
        numbered = _numbered(listing)
        yield _counted(f"fakes, {action}", len(numbered), FAKES_OF_AN_ACTION)
        if strange := len(listing.videos) - len(numbered):
            yield Finding(
                "suspicious",
                f"fakes, {action}: {strange} videos whose names are no numbers",
                "they are left out; move them elsewhere",
            )
        yield from strays(listing, f"fakes, {action}")


def in_order(total: int, weights: str) -> list[str]:
    """Return the part of each of `total` items in their order, by weights as `700/150/150`.

    Example:
        >>> in_order(4, "2/1/1")
        ['train', 'train', 'val', 'test']
    """
    shares = [int(weight) for weight in weights.split("/")]
    ends = [round(total * sum(shares[: i + 1]) / sum(shares)) for i in range(len(shares))]
    return [
        next(part for part, end in zip(SPLITS, ends, strict=True) if i < end) for i in range(total)
    ]


def _numbered(listing: Listing) -> list[Path]:
    return sorted(
        (path for path in listing.videos if path.stem.isdecimal()), key=lambda path: int(path.stem)
    )


def _counted(what: str, found: int, published: int) -> Finding:
    told = f"{what}: {found} of {published}"
    if found == published:
        return Finding("present", told)
    advice = "finish the download, or work with this part of it"
    return Finding("suspicious" if found else "missing", told, advice)


def _check_reals(part: str, listing: Listing) -> Iterator[Finding]:
    where = f"real videos, selected_{part}"
    if not listing.videos:
        yield Finding("missing", f"{where}: none", "download the real half, published later")
        return
    yield Finding("present", f"{where}: {len(listing.videos)}")
    strange = [path.name for path in listing.videos if not REAL_NAME.fullmatch(path.stem)]
    if strange:
        yield Finding(
            "suspicious",
            f"{where}: {len(strange)} videos not named as crops of VoxCeleb: {strange[0]}",
            "they are read without a person",
        )
    yield from strays(listing, where)
