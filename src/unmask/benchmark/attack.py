"""The attack protocol: how far attacks carry through codecs, face search and other detectors."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from unmask.adversarial.opening import open_victim
from unmask.benchmark.attack_curve import success_curve
from unmask.benchmark.attack_items import chosen_items, cut_items
from unmask.benchmark.attack_measure import Measuring, costs, counts, judgement
from unmask.benchmark.attack_page import write_attack_page
from unmask.benchmark.attack_pictures import write_strips
from unmask.benchmark.attack_results import PROTOCOL, AttackResult
from unmask.benchmark.attack_run import Stage, Target, judged, scored, staged
from unmask.benchmark.attack_settings import AttackBenchmarkSettings, AttackSpec, parse_attack
from unmask.benchmark.attack_strips import strips
from unmask.benchmark.attack_tables import write_attack_tables
from unmask.benchmark.results import Checkpoint, Part
from unmask.benchmark.study import keep_only, same_study
from unmask.catalog import Catalog
from unmask.errors import InvalidInputError
from unmask.files import write_whole
from unmask.provenance import now, this_commit, versions
from unmask.settings import to_plain
from unmask.training.setup import device_for

OF_A_MACHINE = ("catalog", "out", "victims", "workers", "retry_failed")
GAPS = (
    "Only some frames of each clip are attacked. A codec that predicts from neighbours then sees "
    "clean ones, so what is said of H.264 holds for such sparse attacks only."
)


def attack_benchmark(settings: AttackBenchmarkSettings) -> Path:
    """Attack the fakes of a catalog and measure what is left behind codecs and on other detectors.

    Every attack is made on every victim. Attacked and clean videos go through the same codecs, the
    faces are found anew in all files, and every victim judges all of them. What is done is kept:
    killed at any point, the same call continues.

    Args:
        settings: what to attack, how, and what comes after.

    Returns:
        The page. Beside it lie `results/` (one JSON file for each attack and victim), `tables/`,
        `pictures/` (all three of this call alone), `judged.parquet` (every face by every judge on
        every channel) and all files on the way.

    Raises:
        NotFoundError: if a file, a victim, an attack, an option or a codec does not exist.
        InvalidInputError: if two victims have one name, if there is no fake to attack, or if the
            folder holds another study.
        LeakageError: if a victim has seen a video or a person that is to be attacked.
    """
    targets = [Target(text, open_victim(text)) for text in settings.victims]
    _check_names(targets)
    specs = [parse_attack(text) for text in settings.attacks]
    items, notes = chosen_items(settings, [one.victim for one in targets])
    same_study(settings.out, _identity(settings, targets, items))
    stage = staged(settings, cut_items(items, settings), targets, specs)
    scores = {target.name: scored(settings, stage, target) for target in targets}
    results, tables = [], []
    for target in targets:
        for spec in specs:
            found = list(judged(stage, target, spec, scores))
            results.append(_result(settings, stage, target, spec, found, scores, notes))
            tables += [_named(target, spec, *one) for one in found]
            results[-1].write(settings.out / "results")
    keep_only(settings.out / "results", f"{PROTOCOL}-*.json", [one.name for one in results])
    faces = pl.concat(tables)
    _write(faces, settings.out / "judged.parquet")
    write_attack_tables(results, settings.out / "tables")
    shown = strips(stage, faces, results)
    write_strips(shown, settings.out / "pictures")
    return write_attack_page(results, shown, settings.out / "report.html")


def _check_names(targets: list[Target]) -> None:
    names = [target.name for target in targets]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInputError(
            f"victims must have different names, got {repeated[0]!r} for two; rename one of the "
            "folders, which names it"
        )


def _identity(
    settings: AttackBenchmarkSettings, targets: list[Target], items: Catalog
) -> dict[str, Any]:
    """Return what the files of the protocol depend on, but for what they are named after."""
    asked = {
        "protocol": PROTOCOL,
        "preset": settings.preset,
        "clip_frames": settings.clip_frames,
        "frames": settings.frames,
        "seed": settings.seed,
        "batch": settings.batch,
        "device": device_for(settings.device),
    }
    weights = {f"victim {target.name}": target.victim.sha256 for target in targets}
    files = items.table.select(pl.format("file of {}", "id"), "sha256").iter_rows()
    return asked | weights | dict(files)


def _result(
    settings: AttackBenchmarkSettings,
    stage: Stage,
    target: Target,
    spec: AttackSpec,
    found: list[tuple[str, str, pl.DataFrame]],
    scores: Mapping[str, pl.DataFrame],
    notes: tuple[str, ...],
) -> AttackResult:
    way = Measuring(settings.threshold, settings.resamples, settings.seed)
    attacked = stage.of(target, spec)
    return AttackResult(
        attack=spec.name,
        method=spec.method,
        preset=settings.preset,
        options=spec.made(settings.preset)[1],
        victim=Checkpoint(target.name, target.victim.sha256),
        test=_part(settings, stage),
        frames=_frames(settings),
        counts=counts(attacked, stage.items.table, way),
        judgements=tuple(judgement(rows, judge, channel, way) for judge, channel, rows in found),
        costs=costs(attacked, way),
        curve=success_curve(settings, stage, target, spec, scores[target.name], way),
        curve_name=spec.at_any_radius.name,
        threshold=settings.threshold,
        seed=settings.seed,
        settings=_without_paths(to_plain(settings)),
        commit=this_commit(),
        catalog_sha256=stage.items.content_hash(),
        versions=versions(),
        created=now(),
        notes=notes if settings.frames == "all" else (*notes, GAPS),
    )


def _part(settings: AttackBenchmarkSettings, stage: Stage) -> Part:
    names = stage.items.table
    return Part(
        dataset="+".join(names["dataset"].unique().sort()),
        qualities=tuple(str(one or "unknown") for one in names["quality"].unique().sort()),
        split=settings.split or "all",
        methods=tuple(names["method"].drop_nulls().unique().sort()),
    )


def _frames(settings: AttackBenchmarkSettings) -> str:
    first = f" of the first {settings.clip_frames}" if settings.clip_frames else ""
    return settings.frames + first


def _named(
    target: Target, spec: AttackSpec, judge: str, channel: str, rows: pl.DataFrame
) -> pl.DataFrame:
    told = {"victim": target.name, "attack": spec.name, "judge": judge, "channel": channel}
    return rows.select(*(pl.lit(text).alias(name) for name, text in told.items()), pl.all())


def _write(table: pl.DataFrame, path: Path) -> None:
    content = BytesIO()
    table.write_parquet(content)
    write_whole(path, content.getvalue())


def _without_paths(settings: dict[str, Any]) -> dict[str, Any]:
    # A path tells of a machine, not of the measurement.
    return {name: value for name, value in settings.items() if name not in OF_A_MACHINE}
