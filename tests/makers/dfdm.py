"""A tiny DFDM with the real folders and file names, and one as `unmask build dfdm` makes it."""

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from makers.named_clip import write_named_clip
from unmask.contracts import Finding
from unmask.datasets.dfdm import DFDM

TAGS = ("1original", "2lightweight", "3iae", "4dfaker", "5dfl-h128")
CRFS = (0, 10, 23)
SWAPS = {
    "train": ("id28_id20_0008", "id20_id28_0008"),
    "test": ("id0_id1_0007", "id1_id0_0007"),
}
REALS = {"train": ("id28_0008", "id20_0008"), "test": ("id0_0007", "id1_0007")}


def make(root: Path) -> None:
    """Write two fakes of each model, rate and part of the split, and Celeb-DF's real videos."""
    _write_fakes(root)
    for name in (name for names in REALS.values() for name in names):
        write_named_clip(root / "Celeb-real" / f"{name}.mp4", root)


def make_built(root: Path) -> None:
    """Write the same fakes with masks, real videos at every rate, and who has which number."""
    _write_fakes(root)
    (root / "persons.csv").write_text("id,scene,dataset,person,clip\n")
    for name in (name for part in SWAPS for name in fakes_of(part)):
        write_named_clip(root / "masks" / f"{name}.mp4", root)
    for crf, (part, names) in product(CRFS, REALS.items()):
        for name in names:
            write_named_clip(root / f"real_crf{crf}" / f"{name}.mp4", root)
        paths = [f"DFDM_crf{crf}/{name}" for crf, name in product(CRFS, fakes_of(part))]
        paths += [f"real_crf{crf}/{name}" for crf, name in product(CRFS, names)]
        write_list(root, part, paths)


def fakes_of(part: str) -> list[str]:
    """Return the names of a part's fakes, without suffix."""
    return [f"{swap}_{tag}" for swap, tag in product(SWAPS[part], TAGS)]


def write_list(root: Path, part: str, names: Iterable[str]) -> None:
    """Write a list of videos."""
    (root / f"{part}_list.txt").write_text("".join(f"{name}.mp4\n" for name in names))


def rows(root: Path, **options: Any) -> dict[object, Mapping[str, object]]:
    """Return what the reader finds, by id."""
    return {row["id"]: row for row in DFDM(root, **options).find()}


def findings(root: Path, about: str, **options: Any) -> list[Finding]:
    """Return the reader's findings whose words hold some."""
    return [one for one in DFDM(root, **options).check() if about in one.what]


def _write_fakes(root: Path) -> None:
    for part in SWAPS:
        for crf, name in product(CRFS, fakes_of(part)):
            write_named_clip(root / f"DFDM_crf{crf}" / f"{name}.mp4", root)
        write_list(root, part, fakes_of(part))
