"""The work of the attack protocol: attack, compress, find the faces anew, let all victims judge."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from unmask.adversarial.attack import CATALOG, AttackSettings, attack
from unmask.adversarial.attack_clip import scores_of, victim_of
from unmask.adversarial.found_again import search
from unmask.adversarial.opening import OpenVictim
from unmask.benchmark.attack_match import judged_faces, tensor_faces
from unmask.benchmark.attack_results import FILE, TENSOR
from unmask.benchmark.attack_settings import AttackBenchmarkSettings, AttackSpec
from unmask.catalog import Catalog, read_catalog
from unmask.contracts import Image
from unmask.degrade.apply import DegradeSettings, degrade_videos
from unmask.degrade.spec import parse_degradation
from unmask.errors import UnmaskError
from unmask.execution.journal import key_of, run_journaled
from unmask.faces.attack_table import TABLE, read_attack_table
from unmask.schema import ADVERSARIAL
from unmask.training.setup import device_for
from unmask.video.picture import read_picture

FACES = "faces"
CHUNK = 32  # faces that are scored at once
Row = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """A victim and the text that opens it in another process."""

    text: str
    victim: OpenVictim

    @property
    def name(self) -> str:
        """The short name of the victim."""
        return self.victim.name


@dataclass(frozen=True)
class Stage:
    """All videos, clean and attacked, with their copies and their faces.

    Args:
        catalog: the items.
        items: the clean videos that were attacked.
        attacked: the table of attacked faces of all attacks.
        faces: the faces that were found anew in every file, with the item's `sha256`.
        folder: where the crops lie.
        copies: for each channel but the tensor, what stands before an id to name its copy.
    """

    catalog: Catalog
    items: Catalog
    attacked: pl.DataFrame
    faces: pl.DataFrame
    folder: Path
    copies: Mapping[str, str]

    def of(self, target: Target, spec: AttackSpec) -> pl.DataFrame:
        """Return the attacked faces of one attack on one victim."""
        own = pl.lit(f"{target.name}/{spec.name}/") + pl.col("parent")
        there = pl.col("parent").is_in(self.items.table["id"].implode())
        return self.attacked.filter(there, pl.col("item") == own)

    def faults(self) -> dict[tuple[str, int | None], str]:
        """Return what kept files, with None, and frames from being searched, by item and frame."""
        files = self.catalog.table.filter(pl.col("status") != "ok").select("id", "status")
        found: dict[tuple[str, int | None], str] = {
            (item, None): f"file {status}" for item, status in files.iter_rows()
        }
        unread = self.faces.filter(pl.col("status").str.starts_with("unreadable"))
        for item, frame in unread.select("item", "frame").iter_rows():
            found[item, frame] = "file unreadable" if frame is None else "frame unreadable"
        return found


@dataclass(frozen=True)
class _Scoring:
    faces: tuple[Row, ...]
    folder: Path
    text: str
    sha256: str
    device: str

    @property
    def key(self) -> str:
        return key_of("judge", self.sha256, self.device, list(self.faces))


def staged(
    settings: AttackBenchmarkSettings,
    items: Catalog,
    targets: list[Target],
    specs: list[AttackSpec],
) -> Stage:
    """Attack the items, send clean and attacked videos through the codecs, find all faces.

    Args:
        settings: of the protocol.
        items: the clean videos.
        targets: the victims.
        specs: the attacks.
    """
    attacked = _attacked(settings, items, targets, specs)
    copies = {FILE: ""} | {one: f"{parse_degradation(one).name}/" for one in settings.codecs}
    whole = _copied(settings, attacked)
    folder = settings.out / FACES
    faces = search(
        whole.usable(),
        folder,
        sampling=settings.frames,
        faces="all",
        workers=settings.workers,
        retry_failed=settings.retry_failed,
    )
    table = read_attack_table(settings.out / "attacked" / TABLE)
    return Stage(whole, items, table, faces, folder, copies)


def scored(settings: AttackBenchmarkSettings, stage: Stage, target: Target) -> pl.DataFrame:
    """Return the found faces with a victim's score, each crop judged at its own size.

    The score is null where a crop cannot be read.
    """
    usable = stage.faces.filter(pl.col("status") == "ok")
    names = ("item", "frame", "track", "left", "top", "right", "bottom", "crop", "sha256")
    device = device_for(settings.device)
    tasks = [
        _Scoring(
            tuple(rows.to_dicts()),
            stage.folder,
            target.text,
            target.victim.sha256,
            device,
        )
        for rows in usable.select(names).partition_by("item", maintain_order=True)
    ]
    made = run_journaled(
        tasks,
        _score,
        key=lambda task: task.key,
        journal=settings.out / "judged.jsonl",
        workers=settings.workers if device == "cpu" else 1,
        description=f"{target.name} judges",
        retry_failed=settings.retry_failed,
    )
    scores = [one for (done,) in made for one in done["scores"]]
    return usable.select(names).with_columns(score=pl.Series(scores, dtype=pl.Float64))


def judged(
    stage: Stage,
    target: Target,
    spec: AttackSpec,
    scores: Mapping[str, pl.DataFrame],
) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Yield judge, channel and the table of judged faces of one attack on one victim.

    Args:
        stage: what was made.
        target: the victim.
        spec: the attack.
        scores: of all found faces, by the name of the judge.
    """
    attacked = stage.of(target, spec)
    methods = stage.items.table.select("method", item="id")
    faults = stage.faults()
    yield target.name, TENSOR, tensor_faces(attacked, methods)
    for judge, found in scores.items():
        before = _from(found, "")
        for channel, prefix in stage.copies.items():
            there = _from(found, prefix)
            lost = {
                (item[len(prefix) :], frame): fault
                for (item, frame), fault in faults.items()
                if item.startswith(prefix)
            }
            faces = judged_faces(
                attacked,
                before=before,
                control=there,
                score=there,
                methods=methods,
                faults=lost,
                clean_faults=lost,
            )
            yield judge, channel, faces


def _from(found: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """Return the faces of the copies with a prefix, by the id of what was copied."""
    if not prefix:
        return found
    copies = found.filter(pl.col("item").str.starts_with(prefix))
    return copies.with_columns(pl.col("item").str.slice(len(prefix)))


def _attacked(
    settings: AttackBenchmarkSettings,
    items: Catalog,
    targets: list[Target],
    specs: list[AttackSpec],
) -> Catalog:
    """Return the items and all that the attacks made of them."""
    out = settings.out / "attacked"
    out.mkdir(parents=True, exist_ok=True)
    path = out / CATALOG
    made = items.moved(out)
    if path.is_file():
        # Attacked items stay, also those that are not asked for now; clean ones would be attacked.
        before = read_catalog(path).filter(family=ADVERSARIAL)
        made = Catalog(pl.concat([made.table, before.table]), out)
    made.write(path)
    for target in targets:
        for spec in specs:
            made = attack(_verb(settings, path, target, spec))
    wanted = [
        f"{target.name}/{spec.name}/{item}"
        for target in targets
        for spec in specs
        for item in items.table["id"]
    ]
    return made.filter(id=[*items.table["id"], *wanted])


def _verb(
    settings: AttackBenchmarkSettings, catalog: Path, target: Target, spec: AttackSpec
) -> AttackSettings:
    return AttackSettings(
        method=spec.method,
        catalog=catalog,
        victim=target.text,
        out=catalog.parent,
        name=spec.name,
        preset=settings.preset,
        options=spec.options,
        quality=settings.quality,
        frames=settings.frames,
        batch=settings.batch,
        seed=settings.seed,
        workers=settings.workers,
        device=settings.device,
        retry_failed=settings.retry_failed,
    )


def _copied(settings: AttackBenchmarkSettings, attacked: Catalog) -> Catalog:
    """Return the videos with their copies through every codec."""
    out = settings.out / "copies"
    out.mkdir(parents=True, exist_ok=True)
    start = attacked.moved(out)
    if not settings.codecs:
        return start
    start.write(out / "start.parquet")
    return degrade_videos(
        DegradeSettings(
            out / "start.parquet",
            out,
            qualities=settings.codecs,
            seed=settings.seed,
            again=True,
            workers=settings.workers,
            retry_failed=settings.retry_failed,
        )
    )


def _score(task: _Scoring) -> list[Row]:
    detector = victim_of(task.text, task.sha256, task.device)
    scores: list[float | None] = []
    reasons: list[str] = []
    for start in range(0, len(task.faces), CHUNK):
        crops: list[Image | None] = []
        for row in task.faces[start : start + CHUNK]:
            try:
                crops.append(read_picture(task.folder / row["crop"]))
            except UnmaskError as error:
                crops.append(None)
                reasons.append(str(error))
        told = iter(scores_of(detector, [crop for crop in crops if crop is not None]))
        scores += [None if crop is None else next(told) for crop in crops]
    if reasons:
        return [{"status": "unreadable", "reason": reasons[0], "scores": scores}]
    return [{"status": "ok", "scores": scores}]
