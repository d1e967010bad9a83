"""The compression protocol: train at each quality and at all of them, test each at every one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import get_args

import polars as pl

from unmask.benchmark.evaluate import EvaluateSettings, dropped_items, evaluate
from unmask.benchmark.measure import hardest
from unmask.benchmark.page import Report, write_page
from unmask.benchmark.pictures import Picture
from unmask.benchmark.results import Level, Result, read_result
from unmask.benchmark.tables import cross_quality_table, same_quality_table, write_table
from unmask.benchmark.trainings import (
    Training,
    read_training,
    shared_store,
    training_settings,
    workers_for,
)
from unmask.catalog import Catalog, hash_file, read_catalog
from unmask.contracts import Image
from unmask.errors import UnmaskError, unknown_name
from unmask.execution.journal import key_of, run_journaled
from unmask.metrics.aggregation import RULES
from unmask.settings import setting, to_plain
from unmask.training.data import read_faces
from unmask.training.loop import train
from unmask.training.settings import TrainSettings
from unmask.training.setup import device_for, one_thread
from unmask.video.read import read_frame

PROTOCOL = "compression"


@dataclass(frozen=True)
class CompressionSettings:
    """What `unmask benchmark compression` needs."""

    catalog: Path = setting(help="The catalog with labels, splits and qualities.")
    faces: Path = setting(help="The face table of that catalog.")
    out: Path = setting(help="The folder for checkpoints, results, tables and the page.")
    detectors: tuple[str, ...] = setting(
        ("resnet50", "resnet101", "resnet152", "xception", "meso4"), "The networks to compare."
    )
    qualities: tuple[str, ...] = setting(("raw", "c23", "c40"), "The qualities to compare.")
    mixed: bool = setting(True, "Whether to train once more on all qualities together.")
    training: Path | None = setting(
        None, "A TOML file of training settings, with a table [NAME] for what one detector has."
    )
    aggregate: str = setting("mean", "The rule that makes a video's score of its faces' scores.")
    resamples: int = setting(1000, "Resamples of the videos for the intervals.")
    seed: int = setting(0, "The seed of the trainings and of the resampling.")
    device: str = setting("auto", "Where the networks run: auto, cpu, cuda or mps.")
    cache_gib: float = setting(2.0, "Memory of each process for decoded faces, in GiB.")
    workers: int = setting(
        0, "Networks that train at once on a CPU, on one thread each; 0 takes one for each core."
    )


@dataclass(frozen=True)
class _Task:
    training: TrainSettings
    evaluation: EvaluateSettings


@dataclass(frozen=True)
class Story:
    """What the page says besides the figures."""

    title: str = "Detectors and compression"
    summary: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    stand_in: bool = False
    command: str = ""


def compression(
    settings: CompressionSettings, *, training: Training | None = None, story: Story | None = None
) -> Path:
    """Train each detector at each quality and at all together, and test each at every quality.

    Args:
        settings: what to compare on what.
        training: training settings by the detector's name, over those of the TOML file.
        story: what the page says besides the figures.

    Returns:
        The page. The tables lie beside it as Markdown, CSV and LaTeX, the figures they are made
        of under `results/`, the scores under `scores/` and the networks under `checkpoints/`.

    Raises:
        NotFoundError: if a file, a detector, a quality or a setting does not exist.
        InvalidInputError: if a split or a class is missing.
        LeakageError: if the test split shares videos or persons with the training.
    """
    if settings.aggregate not in RULES:
        raise unknown_name("the aggregation rules", settings.aggregate, RULES)
    catalog = read_catalog(settings.catalog)
    known = catalog.table["quality"].drop_nulls().unique().to_list()
    for quality in settings.qualities:
        if quality not in known:
            raise unknown_name("the catalog's column quality", quality, known)
    hashes = [catalog.content_hash(), hash_file(settings.faces)]
    done = run_journaled(
        [
            _Task(one, _evaluation(settings, one.out))
            for one in _trainings(settings, training or {})
        ],
        _train_and_test,
        key=lambda task: key_of(
            hashes,
            to_plain(task.training),
            task.training.weights and hash_file(task.training.weights),
            to_plain(task.evaluation),
        ),
        journal=settings.out / "journal.jsonl",
        workers=workers_for(settings.device, settings.workers),
        description="training and testing",
        files=lambda task, rows: [settings.out / row[kind] for row in rows for kind in row],
    )
    results = [read_result(settings.out / row["result"]) for rows in done for row in rows]
    return write_report(results, settings.out, catalog, settings.faces, story or Story())


def _train_and_test(task: _Task) -> list[dict[str, str]]:
    """Train one network, test it at every quality, and say which files were written."""
    store = shared_store(task.training.cache_gib)
    with one_thread(device_for(task.training.device)):
        train(task.training, store=store)
        results = evaluate(task.evaluation, protocol=PROTOCOL, store=store)
    return [
        {"result": f"results/{one.name}.json", "scores": f"scores/{one.name}.parquet"}
        for one in results
    ]


def write_report(
    results: Sequence[Result], out: Path, catalog: Catalog, faces: Path, story: Story
) -> Path:
    """Write the tables and the page of results whose scores lie under `out/scores`."""
    makers = {"same_quality": same_quality_table, "cross_quality": cross_quality_table}
    for kind, metric, level in product(makers, ("auc", "accuracy"), get_args(Level)):
        table = makers[kind](results, metric=metric, level=level)
        write_table(table, out / "tables", f"{kind}_{metric}_{level}")
    scores = {one.name: pl.read_parquet(out / "scores" / f"{one.name}.parquet") for one in results}
    report = Report(
        title=story.title,
        summary=story.summary,
        results=results,
        scores=scores,
        hardest=_hardest(results, scores, faces),
        dropped=_dropped(catalog, results, scores, faces),
        caveats=story.caveats,
        stand_in=story.stand_in,
        command=story.command,
    )
    return write_page(report, out / "report.html")


def _trainings(settings: CompressionSettings, given: Training) -> Iterator[TrainSettings]:
    """Yield the settings of every training, detector by detector."""
    together = [settings.qualities] if settings.mixed and len(settings.qualities) > 1 else []
    for detector, own in read_training(settings.training, settings.detectors).items():
        for qualities in [(one,) for one in settings.qualities] + together:
            yield training_settings(
                detector,
                own | dict(given.get(detector, {})),
                name=f"{detector}-{'mixed' if len(qualities) > 1 else qualities[0]}",
                catalog=settings.catalog,
                faces=settings.faces,
                out=settings.out,
                qualities=qualities,
                seed=settings.seed,
                device=settings.device,
                cache_gib=settings.cache_gib,
            )


def _evaluation(settings: CompressionSettings, checkpoint: Path) -> EvaluateSettings:
    return EvaluateSettings(
        checkpoint,
        settings.catalog,
        settings.faces,
        settings.out,
        qualities=settings.qualities,
        aggregate=settings.aggregate,
        resamples=settings.resamples,
        seed=settings.seed,
        device=settings.device,
    )


def _hardest(
    results: Sequence[Result], scores: Mapping[str, pl.DataFrame], faces: Path
) -> list[Picture]:
    """Return the videos that all detectors together judge worst, trained and tested alike."""
    alike = [one for one in results if one.train.qualities == one.test.qualities]
    if not alike:
        return []
    pooled = (
        pl.concat([scores[one.name] for one in alike])
        .group_by("item", "frame", "track", maintain_order=True)
        .agg(pl.col("person", "label", "method", "quality").first(), pl.col("score").mean())
        .select(scores[alike[0].name].columns)
    )
    crops = read_faces(faces).select("item", "frame", "track", "crop")
    shown = hardest(pooled).join(crops, on=["item", "frame", "track"], how="left")
    return [
        Picture(
            image=Path(row["crop"]) if row["crop"] else None,
            caption=row["item"],
            detail=f"{row['method'] or 'real'}, {row['quality']}, frame {row['frame']}",
            score=row["score"],
            label=row["label"],
        )
        for row in shown.to_dicts()
    ]


def _dropped(
    catalog: Catalog, results: Sequence[Result], scores: Mapping[str, pl.DataFrame], faces: Path
) -> list[Picture]:
    """Return the items of the test split, and of no split, that nobody could score."""
    scored = set().union(*(table["item"] for table in scores.values()))
    tested = {quality for one in results for quality in one.test.qualities}
    wanted = catalog.table.filter(
        (pl.col("split") == "test") | pl.col("split").is_null(),
        pl.col("quality").is_in(list(tested)) | (pl.col("status") != "ok"),
    )
    statuses = read_faces(faces).select("item", "status")
    items = dropped_items(Catalog(wanted, catalog.root), scored, statuses)
    paths = dict(catalog.table.select("id", "path").iter_rows())
    return [
        Picture(
            image=first_frame(catalog.media(paths[row["id"]])),
            caption=row["id"],
            detail=row["status"] + (f": {row['reason']}" if row["reason"] else ""),
        )
        for row in items.to_dicts()
    ]


def first_frame(path: Path) -> Image | None:
    """Return the first frame of a video, or None where there is none to show."""
    try:
        return read_frame(path, 0).image
    except UnmaskError:
        return None
