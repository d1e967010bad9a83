"""The folders of DFDM, and where the Celeb-DF lies whose real videos its fakes were made from."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from unmask.datasets.celebdf_names import CELEBRITIES, find_group
from unmask.datasets.dfdm_names import (
    CRFS,
    FAKE_FOLDERS,
    REAL_FOLDERS,
    SwapName,
    quality_of,
    read_name,
    read_real_name,
)
from unmask.datasets.layout import Listing, list_folder, list_tree, row_of, subfolder, subfolders

MASKS = "masks"
PERSONS = "persons.csv"  # of `unmask build dfdm`: who has which number


@dataclass(frozen=True)
class Rate:
    """The videos of one rate.

    Args:
        crf: the rate.
        listing: the files of its folder of fakes and all below it.
        reals: the files of its folder of real videos.
    """

    crf: int
    listing: Listing
    reals: Listing

    @property
    def name(self) -> str:
        """What a person calls it."""
        return FAKE_FOLDERS[self.crf]

    @property
    def coding(self) -> dict[str, object]:
        """What a row says of it."""
        return {"quality": quality_of(self.crf), "crf": self.crf}

    @cached_property
    def fakes(self) -> list[tuple[Path, SwapName, str]]:
        """Each video whose name is as published, with what it says and the model."""
        read = [(path, read_name(path.stem)) for path in self.listing.videos]
        return [(path, said, said.model) for path, said in read if said and said.model]

    @cached_property
    def real_videos(self) -> dict[str, Path]:
        """The real videos by name."""
        return {path.stem: path for path in self.reals.videos if read_real_name(path.stem)}


def find_rates(root: Path) -> list[Rate]:
    """Return the rates of which there is a folder of fakes or of real videos."""
    found = []
    for crf in CRFS:
        fakes, reals = (subfolder(root, names[crf]) for names in (FAKE_FOLDERS, REAL_FOLDERS))
        if fakes or reals:
            listing = list_tree(fakes) if fakes else Listing()
            found.append(Rate(crf, listing, list_folder(reals)))
    return found


def masks_of(root: Path) -> dict[str, Path]:
    """Return the mask videos that `unmask build dfdm` made, by the name of their fake."""
    return {path.stem: path for path in list_folder(subfolder(root, MASKS)).videos}


def list_folders(root: Path) -> list[Path]:
    """Return where the lists of training and test videos may lie: nobody has published it."""
    inside = (*FAKE_FOLDERS.values(), "lists", "splits")
    return [root, *(folder for name in inside if (folder := subfolder(root, name)))]


def celeb_df_near(root: Path) -> Path | None:
    """Return the folder that holds `Celeb-real`: the root, one within it, or one beside it."""
    parent = root.resolve().parent
    beside = [folder for folder in subfolders(parent) if "celeb" in folder.name.lower()]
    # Version 2, which the fakes were made from, sorts after version 1.
    places = (root, *subfolders(root), parent, *reversed(beside))
    return next((one for one in places if subfolder(one, CELEBRITIES)), None)


@dataclass(frozen=True)
class Celebrities:
    """The real videos of Celeb-DF.

    Args:
        folder: of Celeb-DF; None where there is none.
        root: of DFDM.
    """

    folder: Path | None
    root: Path

    @cached_property
    def videos(self) -> dict[str, Path]:
        """The real videos by name."""
        return find_group(self.folder, CELEBRITIES).named if self.folder else {}

    def row(self, name: str) -> dict[str, object]:
        """Return the id and the path of one that is there."""
        path = self.videos[name]
        if path.is_relative_to(self.root):
            return row_of(path, self.root)
        outside = Path(os.path.relpath(path.resolve(), self.root.resolve())).as_posix()
        return {"id": f"{CELEBRITIES}/{path.name}", "path": outside}
