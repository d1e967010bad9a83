"""The verb that lists a data set on disk as a catalog."""

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import polars as pl

from unmask.catalog import Catalog, hash_file, make_catalog
from unmask.contracts import VideoDataset
from unmask.datasets.opening import open_dataset
from unmask.errors import InvalidInputError, UnmaskError
from unmask.execution.journal import key_of, run_journaled
from unmask.settings import setting
from unmask.video.picture import PICTURE_SUFFIXES, read_picture
from unmask.video.probe import probe

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class IndexSettings:
    """What `unmask index` needs."""

    name: str = setting(help="The data set: faceforensics, deepfakemnist, folder, footage ...")
    path: Path = setting(help="Its folder.")
    out: Path = setting(help="The folder for the catalog.")
    options: tuple[str, ...] = setting((), "What the data set's reader takes: key=value.")
    qualities: tuple[str, ...] = setting((), "List only these qualities: raw, c23 ...")
    workers: int = setting(0, "Processes; 0 takes one for each core.")
    retry_failed: bool = setting(False, "Look again at files that could not be read before.")


def index(settings: IndexSettings) -> Catalog:
    """List every video or image of a data set, with its hash, size, rate and number of frames.

    Returns:
        A catalog with a row for each, those that cannot be read with their status. It is
        written to `catalog.parquet` in the output folder. Paths are relative to that folder
        where both lie under one folder other than the root or a home.

    Raises:
        NotFoundError: if there is no such data set or folder.
        InvalidInputError: if the folder holds no video of the data set; the message says where it
            may be instead.
    """
    dataset = open_dataset(settings.name, settings.path, settings.options)
    return list_items(dataset, _found(dataset, settings), settings)


def list_items(
    dataset: VideoDataset, found: Sequence[Mapping[str, object]], settings: IndexSettings
) -> Catalog:
    """Return and write the catalog of some of the items that a data set's reader finds.

    Args:
        dataset: the reader.
        found: the rows that it gave.
        settings: as for `index`; `options` and `qualities` have done their work.
    """
    root = settings.path.resolve()
    looked = run_journaled(
        [root / str(row["path"]) for row in found],
        _look,
        key=_key,
        journal=settings.out / "journal.jsonl",
        workers=settings.workers,
        description="reading",
        retry_failed=settings.retry_failed,
    )
    common = {"dataset": settings.name, "licence": dataset.licence}
    rows = [common | dict(row) | seen for row, (seen,) in zip(found, looked, strict=True)]
    told = [_told(row, root, settings.out.resolve()) for row in rows]
    catalog = make_catalog(told, settings.out)
    _warn(catalog)
    catalog.write(settings.out / "catalog.parquet")
    return catalog


def _found(dataset: VideoDataset, settings: IndexSettings) -> list[Mapping[str, object]]:
    found = list(dataset.find())
    if not found:
        finding = next((one for one in dataset.check() if one.level == "missing"), None)
        what = f"{finding.what}; {finding.advice}" if finding else "; check the path"
        raise InvalidInputError(
            f"the folder of {settings.name} must hold its videos, got none: missing {what}"
        )
    chosen = [row for row in found if row["quality"] in settings.qualities]
    if settings.qualities and not chosen:
        there = ", ".join(sorted({str(row["quality"]) for row in found}))
        raise InvalidInputError(
            f"qualities must be among those of {settings.path}, which are {there}, got "
            f"{', '.join(settings.qualities)}; leave them out for all"
        )
    for finding in dataset.check():
        if finding.level == "suspicious":
            logger.warning("%s; %s", finding.what, finding.advice)
    return chosen or found


def _key(path: Path) -> str:
    """Return what changes when the file does; its content is not read for that."""
    try:
        status = path.stat()
    except OSError:
        return key_of("index", path)
    return key_of("index", path, status.st_size, status.st_mtime_ns)


def _look(path: Path) -> list[dict[str, Any]]:
    """Return what one file holds, or why it cannot be read."""
    try:
        seen: dict[str, Any] = {"sha256": hash_file(path)}
    except OSError as error:
        return [{"status": "unreadable", "reason": f"{path}: {error.strerror}"}]
    try:
        is_picture = path.suffix.lower() in PICTURE_SUFFIXES
        measured = _picture(path) if is_picture else _video(path)
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return [seen | {"status": "unreadable", "reason": str(error)}]
    return [seen | measured | {"status": "ok", "reason": None}]


def _picture(path: Path) -> dict[str, Any]:
    height, width = read_picture(path).shape[:2]
    return {"width": width, "height": height, "frames": 1, "frames_per_second": None}


def _video(path: Path) -> dict[str, Any]:
    info = probe(path)
    size = {"width": info.width, "height": info.height}
    return size | {"frames": info.frames, "frames_per_second": info.frames_per_second}


def _told(row: dict[str, Any], root: Path, out: Path) -> dict[str, Any]:
    """Return the row with its paths told from the output folder."""
    shared = Path(os.path.commonpath([root, out]))
    is_near = shared not in (Path(shared.anchor), Path.home())

    def told(path: str | None) -> str | None:
        if path is None:
            return None
        return Path(os.path.relpath(root / path, out) if is_near else root / path).as_posix()

    return row | {"path": told(row["path"]), "mask": told(row.get("mask"))}


def _warn(catalog: Catalog) -> None:
    """Say what looks wrong once the files have been read."""
    usable = catalog.usable().table
    unreadable = len(catalog) - usable.height
    if unreadable:
        logger.warning("%d items cannot be read; the column `reason` says why", unreadable)
    single = usable.filter(pl.col("frames") == 1, pl.col("kind") == "video").height
    if single:
        logger.warning("%d videos have a single frame", single)
    copies = usable.filter(pl.col("sha256").is_duplicated()).group_by("sha256")
    torn = copies.agg(pl.struct("label", "split").n_unique().alias("kinds"), pl.col("id"))
    for ids in torn.filter(pl.col("kinds") > 1)["id"].sort().head(3):
        named = ", ".join(ids.head(4))
        logger.warning("%d times the same file, in several labels or splits: %s", len(ids), named)
