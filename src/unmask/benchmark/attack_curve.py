"""Success against the radius: white-box attacks on clean faces, without any file."""

from dataclasses import dataclass
from math import isinf
from pathlib import Path
from typing import Any

import polars as pl
import torch

from unmask.adversarial.attack_clip import victim_of
from unmask.adversarial.pixels import as_face
from unmask.attacks.presets import create_attack
from unmask.benchmark.attack_measure import Measuring, step
from unmask.benchmark.attack_results import Step
from unmask.benchmark.attack_run import Stage, Target
from unmask.benchmark.attack_settings import AttackBenchmarkSettings, AttackSpec
from unmask.contracts import FAKE
from unmask.execution.journal import key_of, run_journaled
from unmask.seeding import seed_for
from unmask.training.setup import device_for
from unmask.video.picture import read_picture
from unmask.video.sample import evenly_spaced

Row = dict[str, Any]


@dataclass(frozen=True)
class _Point:
    faces: tuple[Row, ...]
    folder: Path
    text: str
    sha256: str
    method: str
    preset: str
    options: tuple[str, ...]
    batch: int
    device: str
    seed: int

    @property
    def key(self) -> str:
        asked = [self.method, self.preset, self.options, self.batch, self.device, self.seed]
        return key_of("curve", self.sha256, asked, list(self.faces))


def success_curve(
    settings: AttackBenchmarkSettings,
    stage: Stage,
    target: Target,
    spec: AttackSpec,
    found: pl.DataFrame,
    way: Measuring,
) -> tuple[Step, ...]:
    """Return the success of a white-box attack at each radius; nothing for other attacks.

    The faces are those that were found in the clean files and could be read, spread evenly; they
    are attacked at their own size and judged in 256 levels, but never written.

    Args:
        settings: of the protocol.
        stage: what was made.
        target: the victim.
        spec: the attack; its own radius has no part in it.
        found: the faces that the victim has scored, null where the crop could not be read.
        way: how to measure.
    """
    attack, _ = spec.made(settings.preset)
    if attack.black_box or attack.norm != "linf" or isinf(attack.epsilon):
        return ()
    faces = _faces(stage, found, settings.curve_faces)
    if not faces or not settings.radii:
        return ()
    asked = spec.at_any_radius
    points = [
        _Point(
            faces,
            stage.folder,
            target.text,
            target.victim.sha256,
            asked.method,
            settings.preset,
            (*asked.options, f"epsilon={radius!r}"),
            settings.batch,
            device_for(settings.device),
            settings.seed,
        )
        for radius in settings.radii
    ]
    made = run_journaled(
        points,
        _attack_faces,
        key=lambda point: point.key,
        journal=settings.out / "curve.jsonl",
        workers=settings.workers if device_for(settings.device) == "cpu" else 1,
        description=f"{asked.name} against {target.name} at {len(points)} radii",
        retry_failed=settings.retry_failed,
    )
    steps = [
        step(pl.DataFrame(rows), radius, way)
        for radius, rows in zip(settings.radii, made, strict=True)
    ]
    return tuple(one for one in steps if one)


def _faces(stage: Stage, found: pl.DataFrame, count: int) -> tuple[Row, ...]:
    """Return so many faces of the clean files, evenly spread over them."""
    there = pl.col("item").is_in(stage.items.table["id"].implode())
    usable = found.filter(there, pl.col("score").is_not_null()).sort("item", "frame", "track")
    if not usable.height or not count:
        return ()
    places = evenly_spaced(usable.height, min(count, usable.height))
    return tuple(usable[places].select("item", "frame", "crop", "sha256").to_dicts())


def _attack_faces(point: _Point) -> list[Row]:
    """Return item, score before and score after of each face."""
    detector = victim_of(point.text, point.sha256, point.device)
    attack, _ = create_attack(point.method, point.preset, point.options)
    rows: list[Row] = []
    for start in range(0, len(point.faces), point.batch):
        part = point.faces[start : start + point.batch]
        seed = seed_for(point.seed, part[0]["item"], part[0]["frame"])
        crops = [as_face(read_picture(point.folder / face["crop"])) for face in part]
        done = attack(detector, crops, torch.full((len(part),), FAKE), seed=seed)
        scores = zip(done.scores_before.tolist(), done.scores_after.tolist(), strict=True)
        rows += [
            {"item": face["item"], "score_before": before, "score_after": after}
            for face, (before, after) in zip(part, scores, strict=True)
        ]
    return rows
