"""Test a checkpoint on faces that it has not seen: one result for each quality."""

import logging
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from unmask.benchmark.leakage import notes_on_seen
from unmask.benchmark.measure import SCORES, measure
from unmask.benchmark.published import published_for
from unmask.benchmark.results import Checkpoint, Part, Result, Thresholds
from unmask.catalog import Catalog, read_catalog
from unmask.errors import InvalidInputError, unknown_name
from unmask.files import write_whole
from unmask.provenance import now, this_commit, versions
from unmask.settings import setting, to_plain
from unmask.torch_contracts import BENIGN
from unmask.training.checkpoint import UNKNOWN, Card, load_checkpoint
from unmask.training.data import read_faces
from unmask.training.score import score_faces
from unmask.training.setup import device_for
from unmask.training.store import FaceStore
from unmask.training.target import TARGETS, Target

logger = logging.getLogger(__name__)

TOO_FEW = "too_few_faces"


@dataclass(frozen=True)
class EvaluateSettings:
    """What `unmask evaluate` needs."""

    checkpoint: Path = setting(help="The folder of a trained detector.")
    catalog: Path = setting(help="The catalog with the labels of the test videos.")
    faces: Path = setting(help="The face table of that catalog.")
    out: Path = setting(help="The folder for the results and the scores.")
    split: str = setting("test", "The split to test on; an empty name for all.")
    qualities: tuple[str, ...] = setting((), "Qualities to test on, each apart; all by default.")
    aggregate: str = setting("mean", "The rule that makes a video's score of its faces' scores.")
    resamples: int = setting(1000, "Resamples of the videos for the intervals.")
    seed: int = setting(0, "The seed of the resampling.")
    device: str = setting("auto", "Where the network runs: auto, cpu, cuda or mps.")


def evaluate(
    settings: EvaluateSettings, *, protocol: str = "evaluate", store: FaceStore | None = None
) -> list[Result]:
    """Score the test split and write one result, with its scores, for each quality.

    Thresholds are those that the checkpoint chose on the validation split of its own source. What
    it was trained to tell, fakes or attacked faces, is what it is tested on.

    Args:
        settings: what to test on what.
        protocol: the name that the results bear.
        store: decoded faces that are kept between calls.

    Returns:
        The results, which are also `results/*.json`, with the scores as `scores/*.parquet`.

    Raises:
        NotFoundError: if a file, the split or a quality does not exist.
        LeakageError: if the checkpoint has seen a video or a person of the test split.
        InvalidInputError: if the checkpoint has no score, or a class is missing among the scored
            videos.
    """
    detector, card = load_checkpoint(settings.checkpoint)
    thresholds = _thresholds(settings, card)
    catalog = read_catalog(settings.catalog)
    test = _test_items(catalog, settings)
    notes = notes_on_seen(card, test.usable(), lineage=catalog)
    target = TARGETS[card.trained_on.get("target", "label")]  # older cards name none
    faces = target.marked(read_faces(settings.faces), catalog)
    found = score_faces(
        detector, faces, test.usable(), device=device_for(settings.device), store=store
    )
    scores, statuses = _scores(found, test, target), faces.select("item", "status")
    results = []
    for quality in _qualities(test):
        part = test.filter(quality=quality)
        found = scores.filter(pl.col("item").is_in(part.table["id"].to_list()))
        if not found.height:
            logger.warning("nothing to score at quality %s: no item has a usable face", quality)
            continue
        dropped = _dropped(part, found, statuses)
        result = _result(settings, card, thresholds, protocol, part, found, dropped)
        result = replace(result, notes=notes)
        content = BytesIO()
        found.write_parquet(content)
        write_whole(settings.out / "scores" / f"{result.name}.parquet", content.getvalue())
        result.write(settings.out / "results")
        results.append(result)
    if not results:
        raise InvalidInputError(
            "the test split must have usable faces, got none at any quality; look at the statuses "
            "in the face table"
        )
    return results


def dropped_items(test: Catalog, scored: set[str], statuses: pl.DataFrame) -> pl.DataFrame:
    """Return `id`, `status` and `reason` of the test items without any scored face."""
    of_faces = statuses.group_by("item").agg(pl.col("status").mode().sort().first())
    table = test.table.filter(~pl.col("id").is_in(list(scored)))
    joined = table.join(of_faces, left_on="id", right_on="item", how="left", suffix="_of_faces")
    own = pl.when(pl.col("status") != "ok").then("status")
    return joined.select(
        "id",
        # Faces that are there were not scored where a network of clips needs more of them.
        own.otherwise(
            pl.col("status_of_faces").replace("ok", TOO_FEW).fill_null("not_prepared")
        ).alias("status"),
        "reason",
    )


def _dropped(test: Catalog, scores: pl.DataFrame, statuses: pl.DataFrame) -> dict[str, int]:
    items = dropped_items(test, set(scores["item"]), statuses)
    return dict(items["status"].value_counts().sort("status").iter_rows())


def _test_items(catalog: Catalog, settings: EvaluateSettings) -> Catalog:
    test = catalog.filter(split=settings.split) if settings.split else catalog
    if settings.qualities:
        test = test.filter(quality=list(settings.qualities))
    if not len(test.usable()):
        splits = catalog.table["split"].drop_nulls().unique().sort().to_list()
        qualities = catalog.table["quality"].drop_nulls().unique().sort().to_list()
        raise InvalidInputError(
            f"the test split must hold usable videos, got none for split {settings.split!r} and "
            f"qualities {settings.qualities or 'all'}; the catalog has splits {splits} and "
            f"qualities {qualities}"
        )
    return test


def _qualities(test: Catalog) -> list[str | None]:
    return test.usable().table["quality"].unique(maintain_order=True).to_list()


def _scores(found: pl.DataFrame, test: Catalog, target: Target) -> pl.DataFrame:
    """Return the scores with what the catalog says of their videos."""
    columns = target.judged(test.table).select("id", "person", "label", "method", "quality")
    scores = found.join(columns, left_on="item", right_on="id", how="left")
    return scores.select(pl.col(name).cast(kind) for name, kind in SCORES.items())


def _thresholds(settings: EvaluateSettings, card: Card) -> Thresholds:
    if card.face_threshold is None or card.threshold_rule is None:
        raise InvalidInputError(
            f"a checkpoint to evaluate must have a class {' or '.join(BENIGN)}, got "
            f"{card.classes} in {settings.checkpoint}; measure who made a fake with `unmask "
            "benchmark attribution`, or name the maker of videos with `unmask attribute`"
        )
    if settings.aggregate not in card.video_thresholds:
        raise unknown_name("the aggregation rules", settings.aggregate, card.video_thresholds)
    video = card.video_thresholds[settings.aggregate]
    chosen_on = "no data" if card.selection["by"] == UNKNOWN else "validation"
    return Thresholds(card.face_threshold, video, card.threshold_rule, chosen_on)


def _result(
    settings: EvaluateSettings,
    card: Card,
    thresholds: Thresholds,
    protocol: str,
    test: Catalog,
    scores: pl.DataFrame,
    dropped: dict[str, int],
) -> Result:
    measured = measure(
        scores,
        thresholds=thresholds,
        aggregate=settings.aggregate,
        resamples=settings.resamples,
        seed=settings.seed,
        dropped=dropped,
    )
    train, tested = _trained_on(card), _part(test, settings.split or "all")
    return Result(
        protocol=protocol,
        detector=card.detector,
        checkpoint=Checkpoint(settings.checkpoint.name, card.weights_sha256),
        train=train,
        test=tested,
        counts=measured.counts,
        frame=measured.frame,
        video=measured.video,
        aggregate=settings.aggregate,
        thresholds=thresholds,
        seed=int(card.settings["seed"]),
        settings={"test": _without_paths(to_plain(settings)), "training": card.settings},
        commit=this_commit(),
        catalog_sha256=test.content_hash(),
        versions=versions(),
        created=now(),
        published=published_for(card.detector, train, tested),
    )


def _part(catalog: Catalog, split: str) -> Part:
    names = catalog.usable().table
    return Part(
        dataset="+".join(names["dataset"].unique().sort()),
        qualities=tuple(str(one or "unknown") for one in names["quality"].unique().sort()),
        split=split,
        methods=tuple(names["method"].drop_nulls().unique().sort()),
    )


def _trained_on(card: Card) -> Part:
    return Part(
        dataset=card.trained_on["dataset"],
        qualities=tuple(card.trained_on["qualities"]),
        split="train",
        methods=tuple(card.trained_on["methods"]),
    )


def _without_paths(settings: dict[str, Any]) -> dict[str, Any]:
    # A path tells of a machine, not of the measurement.
    return {
        name: value
        for name, value in settings.items()
        if name not in ("checkpoint", "catalog", "faces", "out")
    }
