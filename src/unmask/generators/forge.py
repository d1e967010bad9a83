"""The verb that makes labelled forgeries of a catalog's real videos."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.catalog import Catalog, make_catalog, read_catalog
from unmask.contracts import FAKE
from unmask.errors import InvalidInputError
from unmask.execution.journal import run_journaled
from unmask.generators import GENERATORS
from unmask.generators.forge_clip import Task, forge_clip
from unmask.generators.landmark_files import Row, landmark_files
from unmask.generators.pairs import real_videos, with_sources, without_sources
from unmask.options import Value, parse_options
from unmask.settings import setting

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ForgeSettings:
    """What `unmask forge clips` needs."""

    catalog: Path = setting(help="The catalog whose real videos are forged.")
    out: Path = setting(help="The folder for the forgeries and the catalog of all.")
    method: str = setting(help="How: landmark_swap, self_blend ...")
    per_target: int = setting(1, "How many forgeries of each real video, of other people each.")
    quality: str | None = setting(None, "Which real videos: raw, c23 ... By default pristine ones.")
    options: tuple[str, ...] = setting((), "What the method takes: blending=poisson ...")
    landmarks: str = setting("auto", "What to find where the catalog names none: 68, 5 or auto.")
    crf: int | None = setting(None, "The H.264 rate of the forgeries; without it, no loss.")
    seed: int = setting(0, "The seed of the pairs and of the method.")
    workers: int = setting(0, "Processes; 0 takes one for each core.")
    retry_failed: bool = setting(False, "Try again what could not be forged before.")


def forge(settings: ForgeSettings) -> Catalog:
    """Make labelled forgeries of a catalog's real videos, with masks and the synthetic mark.

    A method that needs a source gets clips of another person of the same data set and split, who
    is drawn by the seed. Frames without a face are copied; a clip without any becomes a row with
    the status `no_face`. Sound, times and size stay. What is done is kept: killed at any point,
    the same call continues.

    Returns:
        A catalog of all items that there were and of the forgeries, those that could not be made
        with their status and reason. It is written to `catalog.parquet` in the output folder.

    Raises:
        NotFoundError: if there is no such method, option or finder of landmarks.
        InvalidInputError: if a setting is out of range, if no real video is left to forge, if a
            swap has only one person, or if a forgery would take the place of another item.
        MissingDependencyError: if 68 landmarks are asked for and cannot be found here.
    """
    part = GENERATORS[settings.method]
    options = parse_options(part, settings.options)
    part(**options)  # a value that the method refuses is refused before the work
    _check(settings)
    catalog = read_catalog(settings.catalog).moved(settings.out)
    tasks = _tasks(real_videos(catalog, settings.quality), part.needs_source, options, settings)
    _check_places(tasks, catalog)
    made = run_journaled(
        tasks,
        forge_clip,
        key=lambda task: task.key,
        journal=settings.out / "forge.jsonl",
        workers=settings.workers,
        description=settings.method,
        retry_failed=settings.retry_failed,
        files=lambda task, rows: [settings.out / task.id, settings.out / task.mask],
    )
    rows = [_row(task, part.family, *one) for task, one in zip(tasks, made, strict=True)]
    result = _with(rows, catalog)
    result.write(settings.out / "catalog.parquet")
    return result


def _tasks(
    rows: list[Row], needs_source: bool, options: Mapping[str, Value], settings: ForgeSettings
) -> list[Task]:
    """Return the forgeries to make, once it is known which videos show a face."""
    found = landmark_files(
        rows,
        settings.out,
        finder=settings.landmarks,
        workers=settings.workers,
        retry_failed=settings.retry_failed,
    )
    known = {row["id"]: one for row, one in zip(rows, found, strict=True)}
    if needs_source:
        sources = [row for row in rows if known[row["id"]].status == "ok"]
        pairs = with_sources(rows, sources, per_target=settings.per_target, seed=settings.seed)
    else:
        pairs = without_sources(rows, per_target=settings.per_target)
    return [
        Task(
            pair=pair,
            target=known[pair.target["id"]],
            source=known[pair.source["id"]] if pair.source else None,
            method=settings.method,
            options=dict(options),
            out=settings.out,
            crf=settings.crf,
            seed=settings.seed,
        )
        for pair in pairs
    ]


def _check(settings: ForgeSettings) -> None:
    if settings.per_target < 1:
        raise InvalidInputError(
            f"per_target must be 1 or more, got {settings.per_target}; 1 makes as many fakes as "
            "there are real videos"
        )
    if settings.crf is not None and not 0 <= settings.crf <= 51:
        raise InvalidInputError(
            f"crf must lie in [0, 51], got {settings.crf}; leave it out to lose nothing"
        )


def _check_places(tasks: Sequence[Task], catalog: Catalog) -> None:
    """Refuse forgeries that would take the place of an item, or of each other."""
    taken = catalog.filter(id=[task.id for task in tasks]).table
    owners = {item: list(parents or []) for item, parents in taken["id", "parents"].iter_rows()}
    for task in tasks:
        if owners.setdefault(task.id, task.parents) != task.parents:
            raise InvalidInputError(
                f"each forgery must have an id of its own, got {task.id!r} for those of "
                f"{task.parents} and of {owners[task.id]}; rename one of the originals"
            )
    _check_kept(catalog, tasks[0].method)


def _check_kept(catalog: Catalog, method: str) -> None:
    """Refuse to write a catalog over one that names forgeries which the new one would not."""
    path = catalog.root / "catalog.parquet"
    if not path.is_file():
        return
    there = read_catalog(path).table.filter(pl.col("label") == FAKE, pl.col("method") != method)
    lost = there.filter(~pl.col("id").is_in(catalog.table["id"].implode()))
    if lost.height:
        raise InvalidInputError(
            "out must not hold forgeries of other methods that the catalog does not name, got "
            f"{lost.height} by {lost['method'][0]} in {path}; give that file as the catalog to add "
            "to it, or choose another folder"
        )


def _row(task: Task, family: str, made: Row) -> Row:
    """Return the row of a forgery: what its target is, and what was made of it."""
    target, source = task.pair.target, task.pair.source
    licences = [row["licence"] for row in (target, source) if row and row["licence"]]
    said = {
        "id": task.id,
        "path": task.id,
        "label": FAKE,
        "original_label": None,
        "family": family,
        "method": task.method,
        "source_person": source["person"] if source else None,
        "parents": task.parents,
        "seed": task.seed,
        "settings": None,
        "licence": " + ".join(dict.fromkeys(licences)) or None,
        "sha256": None,
        "mask": None,
        "landmarks": task.target.path or None,
    }
    written = {} if task.crf is None else {"quality": f"c{task.crf}", "crf": task.crf}
    return target | said | written | made


def _with(rows: list[Row], catalog: Catalog) -> Catalog:
    forged = make_catalog(rows, catalog.root).table
    failed = int((forged["status"] != "ok").sum())
    if failed:
        logger.warning(
            "%d of %d forgeries could not be made; the column `reason` says why", failed, len(rows)
        )
    kept = catalog.table.filter(~pl.col("id").is_in(forged["id"].implode()))
    return Catalog(pl.concat([kept, forged]), catalog.root)
