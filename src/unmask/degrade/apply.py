"""The verb that writes degraded copies of a catalog's videos."""

import json
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import polars as pl

from unmask.catalog import Catalog, hash_file, make_catalog, read_catalog
from unmask.contracts import FAKE, Image
from unmask.degrade.spec import RAW, parse_degradation
from unmask.errors import InvalidInputError, NotFoundError, UnmaskError, UnreadableMediaError
from unmask.execution.journal import key_of, run_journaled
from unmask.files import stamp
from unmask.schema import PRISTINE
from unmask.seeding import generator_for
from unmask.settings import setting
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter, read_mark

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DegradeSettings:
    """What `unmask degrade` needs."""

    catalog: Path = setting(help="The catalog whose videos are degraded.")
    out: Path = setting(help="The folder for the degraded videos and the catalog of all.")
    qualities: tuple[str, ...] = setting(
        ("c23", "c40"), "What to do: c23, jpeg:50, resize:4+c40 ... (c0 and raw mean nothing)."
    )
    seed: int = setting(0, "The seed of all noise.")
    again: bool = setting(False, "Also degrade what was degraded before, once more.")
    workers: int = setting(0, "Processes; 0 takes one for each core.")
    retry_failed: bool = setting(False, "Try again what could not be degraded before.")


@dataclass(frozen=True)
class _Task:
    row: dict[str, Any]
    source: Path
    chain: str  # its name: degradations need not travel between processes
    out: Path
    seed: int

    @property
    def id(self) -> str:
        return f"{self.chain}/{self.row['id']}"

    @property
    def path(self) -> str:
        return self.id if self.id.endswith(".mp4") else f"{self.id}.mp4"

    @property
    def quality(self) -> str:
        before = self.row["quality"]
        return f"{before}+{self.chain}" if _is_degraded(before) else self.chain

    @property
    def key(self) -> str:
        content = self.row["sha256"] or stamp(self.source)
        return key_of("degrade", self.row["id"], content, self.chain, self.seed)


def degrade_videos(settings: DegradeSettings) -> Catalog:
    """Write a copy of every usable video at every quality, each made from the video itself.

    What was degraded before is left out unless `again` is set: published sets make c40 from raw
    videos, never from c23. Sound, times and size stay, so that masks and landmarks still hold.
    Every copy is an item of its own, `<quality>/<id>`, with the original as its parent.

    Returns:
        A catalog of all items that there were and of all copies, those that could not be made
        with their status and reason. It is written to `catalog.parquet` in the output folder.

    Raises:
        NotFoundError: if there is no such degradation.
        InvalidInputError: if a value of a degradation is wrong, if nothing is left to degrade, or
            if a copy would take the place of another item.
    """
    chains = dict.fromkeys(parse_degradation(text).name for text in settings.qualities)
    catalog = read_catalog(settings.catalog).moved(settings.out)
    rows = _to_degrade(catalog, again=settings.again)
    tasks = [
        _Task(row, catalog.media(row["path"]), chain, settings.out, settings.seed)
        for chain in chains
        if chain != RAW
        for row in rows
    ]
    _check_places(tasks, catalog)
    settings.out.mkdir(parents=True, exist_ok=True)  # paths lead through it
    made = run_journaled(
        tasks,
        _degrade_one,
        key=lambda task: task.key,
        journal=settings.out / "journal.jsonl",
        workers=settings.workers,
        description="degrading",
        retry_failed=settings.retry_failed,
        files=lambda task, rows: [settings.out / task.path],
    )
    copies = [_row(task, *rows) for task, rows in zip(tasks, made, strict=True)]
    result = _with(copies, catalog)
    result.write(settings.out / "catalog.parquet")
    return result


def _is_degraded(quality: str | None) -> bool:
    return quality not in PRISTINE


def _to_degrade(catalog: Catalog, *, again: bool) -> list[dict[str, Any]]:
    videos = catalog.filter(status="ok", kind="video").rows()
    rows = [row for row in videos if again or not _is_degraded(row["quality"])]
    if not rows:
        found = sorted({str(row["quality"]) for row in videos})
        raise InvalidInputError(
            f"the catalog must hold usable videos of the quality raw, got {len(videos)} videos of "
            f"{', '.join(found) or 'no quality'}; index the raw ones, or set again to degrade "
            "these once more"
        )
    if len(rows) < len(videos):
        logger.info("left out: %d videos that were degraded before", len(videos) - len(rows))
    return rows


def _check_places(tasks: Sequence[_Task], catalog: Catalog) -> None:
    """Refuse copies that would take the place of an item, or of each other."""
    others = catalog.filter(id=[task.id for task in tasks]).table
    parents = dict(others.select("id", "parents").iter_rows())
    places: dict[str, str] = {}
    for task in tasks:
        if parents.get(task.id, [task.row["id"]]) != [task.row["id"]]:
            raise InvalidInputError(
                f"the id of a copy must be free, got {task.id!r}, which is another item; "
                "degrade the data sets one by one"
            )
        if places.setdefault(task.path, task.id) != task.id:
            raise InvalidInputError(
                f"each copy must have a file of its own, got {task.path} for "
                f"{places[task.path]!r} and {task.id!r}; rename one of the originals"
            )


def _row(task: _Task, made: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a copy: what its original is, and what was made of it."""
    chain = parse_degradation(task.chain)
    said = {
        "id": task.id,
        "path": task.path,
        "parents": [task.row["id"]],
        "quality": task.quality,
        "crf": chain.crf,
        "seed": task.seed,
        "settings": json.dumps({"degradation": task.chain}),
    }
    return task.row | said | made


def _with(copies: list[dict[str, Any]], catalog: Catalog) -> Catalog:
    result = make_catalog(copies, catalog.root)
    failed = int((result.table["status"] != "ok").sum())
    if failed:
        logger.warning("%d of %d copies failed; the column `reason` says why", failed, len(copies))
    kept = catalog.table.filter(~pl.col("id").is_in(result.table["id"].implode()))
    return Catalog(pl.concat([kept, result.table]), catalog.root)


def _degrade_one(task: _Task) -> list[dict[str, Any]]:
    """Return what one copy came to be, or why it did not."""
    try:
        return [_write(task) | {"status": "ok", "reason": None}]
    except (UnmaskError, OSError, av.FFmpegError) as error:
        is_unreadable = isinstance(error, UnreadableMediaError | NotFoundError)
        status = "unreadable" if is_unreadable else "failed"
        return [{"status": status, "reason": str(error), "sha256": None}]


def _write(task: _Task) -> dict[str, Any]:
    chain = parse_degradation(task.chain)
    info = probe(task.source)
    path = task.out / task.path
    times: deque[float] = deque()

    def images() -> Iterator[Image]:
        for frame in read_frames(task.source):
            times.append(frame.time)
            yield frame.image

    count = 0
    with VideoWriter(
        path,
        info.frames_per_second,
        crf=chain.crf,
        lossless=chain.crf is None,
        audio_from=task.source if info.has_audio else None,
        synthetic=read_mark(task.source) or _mark(task.row),
    ) as writer:
        random = generator_for(task.seed, task.chain, task.row["id"])
        for image in chain.before_writing(images(), random):
            time = times.popleft()
            writer.write(image, time if info.variable_rate else None)
            count += 1
    return {
        "sha256": hash_file(path),
        "frames": count,
        "frames_per_second": info.frames_per_second,
        "width": info.width,
        "height": info.height,
    }


def _mark(row: dict[str, Any]) -> str | None:
    """Return the synthetic mark of a forgery whose file carries none, as published sets do not."""
    if row["label"] != FAKE:
        return None
    return f"{row['method'] or 'a forgery'} from the data set {row['dataset']}"
