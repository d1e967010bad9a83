"""Cut clips short, and small if wanted, without further loss."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl

from unmask.catalog import Catalog, hash_file, make_catalog, read_catalog
from unmask.contracts import Image
from unmask.errors import InvalidInputError, UnmaskError
from unmask.execution.journal import key_of, run_journaled
from unmask.files import stamp
from unmask.settings import setting
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter, read_mark


@dataclass(frozen=True)
class CutSettings:
    """What `unmask cut` needs."""

    catalog: Path = setting(help="The catalog whose videos are cut.")
    out: Path = setting(help="The folder for the cut videos and their catalog.")
    frames: int = setting(32, "How many frames to keep of each video, from its start.")
    longest_side: int | None = setting(None, "Make larger pictures smaller: pixels of a side.")
    workers: int = setting(0, "Processes; 0 takes one for each core.")
    retry_failed: bool = setting(False, "Try again what could not be cut before.")


@dataclass(frozen=True)
class _Task:
    row: dict[str, Any]
    source: Path
    settings: CutSettings


def cut(settings: CutSettings) -> Catalog:
    """Write the first frames of every usable video as a lossless video of their own.

    Masks and landmarks stay with their videos, but for those that are made smaller.

    Returns:
        A catalog of the cut videos, under their old ids, and of the items that were not usable,
        as they were. It is written to `catalog.parquet` in the output folder.

    Raises:
        InvalidInputError: if a setting is out of range.
    """
    if settings.frames < 1:
        raise InvalidInputError(f"frames must be 1 or more, got {settings.frames}; keep at least 1")
    if settings.longest_side is not None and settings.longest_side < 16:
        raise InvalidInputError(
            f"longest_side must be 16 pixels or more, got {settings.longest_side}; leave it out to "
            "keep the size"
        )
    catalog = read_catalog(settings.catalog).moved(settings.out)
    tasks = [_Task(row, catalog.media(row["path"]), settings) for row in catalog.usable().rows()]
    made = run_journaled(
        tasks,
        _cut_one,
        key=lambda task: key_of(
            task.row["id"],
            task.row["sha256"] or stamp(task.source),
            settings.frames,
            settings.longest_side,
        ),
        journal=settings.out / "journal.jsonl",
        workers=settings.workers,
        description="cutting",
        retry_failed=settings.retry_failed,
        files=lambda task, rows: [settings.out / row["path"] for row in rows],
    )
    kept = catalog.table.filter(pl.col("status") != "ok").to_dicts()
    rows = [task.row | row for task, (row,) in zip(tasks, made, strict=True)] + kept
    result = make_catalog(rows, settings.out)
    result.write(settings.out / "catalog.parquet")
    return result


def _cut_one(task: _Task) -> list[dict[str, Any]]:
    """Return what the cut video came to be, or what kept it from being cut."""
    item = task.row["id"]
    name = f"clips/{item}" if item.endswith(".mp4") else f"clips/{item}.mp4"
    try:
        return [_write(task, task.settings.out / name) | {"path": name, "status": "ok"}]
    except (UnmaskError, OSError) as error:
        where = task.source.resolve().as_posix()
        return [{"path": where, "status": "unreadable", "reason": str(error)}]


def _write(task: _Task, path: Path) -> dict[str, Any]:
    info = probe(task.source)
    info_size = (info.width, info.height)
    width, height = _size(info.width, info.height, task.settings.longest_side)
    count = min(task.settings.frames, info.frames)
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(
        path,
        info.frames_per_second,
        lossless=True,
        synthetic=read_mark(task.source),
    ) as writer:
        for frame in read_frames(task.source, range(count)):
            writer.write(_resized(frame.image, width, height), frame.time)
    # Masks and landmarks are of the old size, and would be wrong on smaller pictures.
    outgrown = {"mask": None, "landmarks": None} if (width, height) != info_size else {}
    return outgrown | {
        "sha256": hash_file(path),
        "frames": count,
        "frames_per_second": info.frames_per_second,
        "width": width,
        "height": height,
        "quality": task.row["quality"] or "raw",
    }


def _size(width: int, height: int, longest: int | None) -> tuple[int, int]:
    """Return the size to write: even numbers of pixels, in the proportions of the original."""
    if longest is None or max(width, height) <= longest:
        return width, height
    factor = longest / max(width, height)
    return 2 * round(width * factor / 2), 2 * round(height * factor / 2)


def _resized(image: Image, width: int, height: int) -> Image:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
