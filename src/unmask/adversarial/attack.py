"""The verb that attacks the faces of a catalog's videos and images."""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from unmask.adversarial.attack_clip import Row, Task, attack_clip
from unmask.adversarial.found_again import Seen, find_again, matched, search
from unmask.adversarial.kept import check_kept
from unmask.adversarial.opening import OpenVictim, open_victim
from unmask.attacks.presets import create_attack
from unmask.catalog import Catalog, hash_file, make_catalog, read_catalog
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError, unknown_name
from unmask.execution.journal import run_journaled
from unmask.faces.attack_table import (
    TABLE,
    make_attack_table,
    read_attack_table,
    write_attack_table,
)
from unmask.schema import ADVERSARIAL, PRISTINE
from unmask.settings import setting
from unmask.training.setup import device_for
from unmask.video.sample import parse_sampling

logger = logging.getLogger(__name__)

CATALOG = "catalog.parquet"
LABELS = {"fake": (FAKE,), "real": (REAL,), "all": (REAL, FAKE)}


@dataclass(frozen=True)
class AttackSettings:
    """What `unmask attack` needs.

    Raises:
        NotFoundError: if there is no such choice.
        InvalidInputError: if a value makes no sense.
    """

    method: str = setting(help="How: fgsm, iterative_fgsm, robust, nes ...")
    catalog: Path = setting(help="The catalog whose videos and images are attacked.")
    victim: str = setting(
        help="The detector to fool: a checkpoint; A&B for an ensemble; A@jpeg:75 with purifiers.",
        named=True,
    )
    out: Path = setting(
        Path("attacked"), "The folder for the attacked files, their figures and the catalog."
    )
    name: str = setting("", "What the attack is called in the catalog; by default its method.")
    preset: str = setting("paper", "Whose settings the method takes.")
    options: tuple[str, ...] = setting((), "What is set otherwise: epsilon=8/255 iterations=50.")
    labels: str = setting("fake", "What is attacked: fake (to pass as real), real, or all.")
    quality: str | None = setting(None, "Which items: raw, c23 ... By default pristine ones.")
    split: str | None = setting(None, "Which items: train, val or test; by default all.")
    frames: str = setting("all", "Which frames: all, every:N, spread:N, first:N, consecutive:N.")
    faces: str = setting("all", "Which faces: all, or main, which a mask chooses.")
    batch: int = setting(32, "Faces of one video that are attacked at once.")
    seed: int = setting(0, "The seed of all randomness.")
    workers: int = setting(0, "Processes; 0 takes one for each core. Other devices get one.")
    device: str = setting("auto", "Where the victim runs: auto, cpu, cuda or mps.")
    retry_failed: bool = setting(False, "Try again what could not be attacked before.")

    def __post_init__(self) -> None:
        parse_sampling(self.frames)
        for name, value, known in (
            ("labels", self.labels, LABELS),
            ("faces", self.faces, ("all", "main")),
        ):
            if value not in known:
                raise unknown_name(f"the choice of {name}", value, known)
        if self.batch < 1:
            raise InvalidInputError(
                f"batch must be 1 or more, got {self.batch}; 32 faces keep most processors busy"
            )
        if not re.fullmatch(r"[\w+@=][\w+@=.-]*", self.called):
            raise InvalidInputError(
                f"name must be a folder's name of letters, digits and _ + @ = . -, got "
                f"{self.called!r}; call the attack something like nes-eps8"
            )

    @property
    def called(self) -> str:
        """What the attack is called in the catalog."""
        return self.name or self.method


def attack(settings: AttackSettings) -> Catalog:
    """Attack every face of a catalog's videos and images, and write them anew without loss.

    Faces are found, cut out at their own size, changed inside the ball in 256 levels, and put
    back; the rest of the picture, frames without a face, sound, times and size stay. Then the
    faces are found again in the written files, and scored as whoever receives them would. What is
    done is kept: killed at any point, the same call continues.

    Returns:
        A catalog of all items that there were and of the attacked ones, those that could not be
        made with their status and reason. It is written to `catalog.parquet` in the output folder,
        and beside it `attacks.parquet`, the figures of each face.

    Raises:
        NotFoundError: if there is no such attack, preset, option, victim or device.
        InvalidInputError: if a setting is out of range, if nothing is left to attack, if an
            attacked item would take the place of another one or of one that was made otherwise, or
            if the output folder's catalog names items that the new one would not.
        MissingDependencyError: if the attack needs a package that is not installed.
    """
    _, resolved = create_attack(settings.method, settings.preset, settings.options)
    device, victim = device_for(settings.device), open_victim(settings.victim)
    catalog = read_catalog(settings.catalog).moved(settings.out)
    chosen = _chosen(catalog, settings)
    faces = search(
        chosen,
        settings.out / "faces" / f"{settings.frames.replace(':', '-')}-{settings.faces}",
        sampling=settings.frames,
        faces=settings.faces,
        workers=settings.workers,
        retry_failed=settings.retry_failed,
    )
    tasks = _tasks(chosen, faces, victim, resolved, settings, device)
    _check_places(tasks, settings, catalog)
    made = _made(tasks, settings)
    rows = [_row(task, settings, one) for task, one in zip(tasks, made, strict=True)]
    attacked = make_catalog(rows, catalog.root)
    seen = find_again(
        attacked.usable(),
        settings.out / "found" / victim.name / settings.called,
        sampling=settings.frames,
        faces=settings.faces,
        victim=settings.victim,
        victim_sha256=victim.sha256,
        device=device,
        workers=_workers(settings, device),
        retry_failed=settings.retry_failed,
    )
    figures = [
        row for task, one in zip(tasks, made, strict=True) for row in _face_rows(task, one, seen)
    ]
    return _written(catalog, attacked, make_attack_table(figures), settings.out)


def _made(tasks: list[Task], settings: AttackSettings) -> list[Row]:
    """Attack what is not done yet, and return what became of each task."""
    made = run_journaled(
        tasks,
        attack_clip,
        key=lambda task: task.key,
        journal=settings.out / "attack.jsonl",
        workers=_workers(settings, tasks[0].device),
        description=f"{settings.called} against {tasks[0].victim_name}",
        retry_failed=settings.retry_failed,
        files=_files,
        unit="queries",
        amount=_queries,
    )
    return [row for (row,) in made]


def _workers(settings: AttackSettings, device: str) -> int:
    # Several processes on one graphics processor only get into each other's way.
    return settings.workers if device == "cpu" else 1


def _chosen(catalog: Catalog, settings: AttackSettings) -> Catalog:
    """Return the items to attack: none that is an attack's work already."""
    labelled = catalog.filter(status="ok", label=list(LABELS[settings.labels]))
    table = labelled.table.filter(pl.col("family").ne_missing(ADVERSARIAL))
    wanted = PRISTINE if settings.quality is None else (settings.quality,)
    chosen = Catalog(table, catalog.root).filter(quality=list(wanted))
    if settings.split is not None:
        chosen = chosen.filter(split=settings.split)
    if not len(chosen):
        there = table.select(pl.format("{} {}", *(pl.col(c).fill_null("?") for c in _ASKED)))
        told = ", ".join(sorted(set(there.to_series())))
        raise InvalidInputError(
            f"the catalog must hold usable items of label {settings.labels}, quality "
            f"{settings.quality or 'raw'} and split {settings.split or 'any'} that are no attack's "
            f"work, got {told or 'none of that label'}; set quality and split to some that are "
            "there"
        )
    return chosen


_ASKED = ("quality", "split")


def _tasks(
    chosen: Catalog,
    faces: pl.DataFrame,
    victim: OpenVictim,
    resolved: dict[str, Any],
    settings: AttackSettings,
    device: str,
) -> list[Task]:
    # Polars gives back whole groups in order; a dictionary by item would cost a pass over each.
    by_item = {rows["item"][0]: rows for rows in faces.partition_by("item", maintain_order=True)}
    return [
        Task(
            id=f"{victim.name}/{settings.called}/{row['id']}",
            row=row,
            faces=tuple(by_item[row["id"]].drop("landmarks", "crop", "sha256").to_dicts()),
            method=settings.method,
            preset=settings.preset,
            options=settings.options,
            resolved=resolved,
            victim=settings.victim,
            victim_name=victim.name,
            victim_sha256=victim.sha256,
            out=settings.out,
            batch=settings.batch,
            seed=settings.seed,
            device=device,
        )
        for row in chosen.rows()
    ]


def _check_places(tasks: Sequence[Task], settings: AttackSettings, catalog: Catalog) -> None:
    """Refuse items that would take the place of another, or whose loss nobody would notice."""
    written = settings.out / CATALOG
    by_id = {task.id: task for task in tasks}
    for there in (catalog, *([read_catalog(written)] if written.is_file() else [])):
        for row in there.filter(id=list(by_id)).rows():
            _check_same(by_id[row["id"]], row, settings)
    check_kept(
        written,
        [*by_id, *catalog.table["id"]],
        advice="give that file as the catalog to add to it",
    )
    places: dict[str, str] = {}
    for task in tasks:
        if places.setdefault(task.path, task.id) != task.id:
            raise InvalidInputError(
                f"each attacked item must have a file of its own, got {task.path} for "
                f"{places[task.path]!r} and {task.id!r}; rename one of the originals"
            )


def _check_same(task: Task, row: Row, settings: AttackSettings) -> None:
    """Refuse to make an item anew from another one, or in another way."""
    if list(row["parents"] or []) != [task.row["id"]]:
        raise InvalidInputError(
            f"the id of an attacked item must be free, got {task.id!r}, which is another item; "
            "give the attack a name of its own"
        )
    before = _flat(json.loads(row["settings"] or "{}") | {"seed": row["seed"]})
    for name, value in _flat(_recorded(task, settings) | {"seed": task.seed}).items():
        if before.get(name) != value:
            raise InvalidInputError(
                f"an attacked item must be made as before, got {name} {value} for {task.id!r}, "
                f"which was made with {before.get(name)}; give this attack a --name of its own, or "
                "choose another folder"
            )


def _flat(recorded: dict[str, Any]) -> dict[str, Any]:
    """Return how an item was made, as it is read from JSON, with each option by itself."""
    plain: dict[str, Any] = json.loads(json.dumps(recorded))
    options: dict[str, Any] = plain.pop("options", {})
    return plain | options


def _files(task: Task, rows: list[Row]) -> list[Path]:
    """Return the attacked file, or, where another attack has taken its place, one that is not."""
    path = task.out / task.path
    is_another = path.is_file() and hash_file(path) != rows[0]["sha256"]
    return [path / "replaced" if is_another else path]


def _queries(rows: list[Row]) -> float:
    return float(sum(face["queries"] for row in rows for face in row.get("faces", ())))


def _row(task: Task, settings: AttackSettings, made: Row) -> Row:
    """Return the row of an attacked item: what its parent is, and what was made of it."""
    faceless = sum(face["status"] == "no_face" for face in task.faces)
    recorded = _recorded(task, settings) | {"faceless_frames": faceless}
    said = {
        "id": task.id,
        "path": task.path,
        "original_label": None,
        "family": ADVERSARIAL,
        "method": settings.called,
        "parents": [task.row["id"]],
        "seed": task.seed,
        "settings": json.dumps(recorded, sort_keys=True),
        "sha256": None,
    }
    return task.row | said | {name: made[name] for name in made if name != "faces"}


def _recorded(task: Task, settings: AttackSettings) -> dict[str, Any]:
    """Return what the catalog says of how an item is made; the seed has a column of its own."""
    return {
        "attack": task.method,
        "victim": task.victim_name,
        "victim_sha256": task.victim_sha256,
        "preset": task.preset,
        "options": task.resolved,
        "frames": settings.frames,
        "faces": settings.faces,
    }


def _face_rows(task: Task, made: Row, seen: dict[tuple[str, int], list[Seen]]) -> list[Row]:
    """Return one row of the attack table for each frame and face."""
    common = {"item": task.id, "parent": task.row["id"]}
    if made["status"] not in ("ok", "no_face"):
        return [common | {"status": made["status"], "reason": made["reason"]}]
    figures = {(one["frame"], one["track"]): one for one in made.get("faces", ())}
    rows = []
    for number, faces in groupby(task.faces, key=lambda face: face["frame"]):
        group = [face | common for face in faces]
        attacked = [row | figures[number, row["track"]] for row in group if row["status"] == "ok"]
        boxes = [(row["left"], row["top"], row["right"], row["bottom"]) for row in attacked]
        again = matched(boxes, seen.get((task.id, number), ()))
        rows += [row for row in group if row["status"] != "ok"]
        rows += [
            row | {"found": one is not None, "score_found": one and one.score}
            for row, one in zip(attacked, again, strict=True)
        ]
    return rows


def _written(catalog: Catalog, attacked: Catalog, figures: pl.DataFrame, out: Path) -> Catalog:
    """Write both tables with what they held before, and return the catalog."""
    failed = int((attacked.table["status"] != "ok").sum())
    if failed:
        logger.warning(
            "%d of %d items could not be attacked; the column `reason` says why",
            failed,
            len(attacked),
        )
    made = attacked.table["id"].implode()
    kept = catalog.table.filter(~pl.col("id").is_in(made))
    result = Catalog(pl.concat([kept, attacked.table]), catalog.root)
    if (out / TABLE).is_file():
        before = read_attack_table(out / TABLE)
        others = pl.col("item").is_in(kept["id"].implode())
        figures = pl.concat([before.filter(others), figures])
    write_attack_table(figures, out / TABLE)
    result.write(out / CATALOG)
    return result
