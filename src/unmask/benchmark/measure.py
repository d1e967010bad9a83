"""From a table of scores to measures with intervals, on frames and on videos."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import polars as pl

from unmask.benchmark.results import METRICS, Counts, Decisions, Measured, Measures, Thresholds
from unmask.errors import InvalidInputError
from unmask.metrics.aggregation import aggregate as aggregate_scores
from unmask.metrics.bootstrap import Interval, Statistic, intervals
from unmask.metrics.calibration import brier_of, ece_of
from unmask.metrics.closed_form import auc_score_interval, wilson
from unmask.metrics.decisions import (
    ThresholdRule,
    accuracy_of,
    balanced_accuracy_of,
    choose_threshold,
    confusion_of,
)
from unmask.metrics.ranking import auc_of, average_precision_of, eer_of, tpr_at_fpr_of
from unmask.metrics.tally import Tally, tally
from unmask.seeding import generator_for

Cluster = Literal["item", "person"]

# One row for each scored face.
SCORES: dict[str, pl.DataType] = {
    "item": pl.String(),  # the catalog's id of the video
    "person": pl.String(),
    "label": pl.Int8(),  # 0 real, 1 fake
    "method": pl.String(),  # null for reals
    "quality": pl.String(),
    "frame": pl.Int64(),
    "track": pl.Int64(),
    "score": pl.Float64(),  # probability of being fake
}
GIVEN = ("item", "label", "frame", "track", "score")


@dataclass(frozen=True)
class Measurement:
    """What was measured on one table of scores."""

    frame: Measures
    video: Measures
    counts: Counts


def measure(
    scores: pl.DataFrame,
    *,
    thresholds: Thresholds,
    seed: int,
    aggregate: str = "mean",
    resamples: int = 1000,
    cluster: Cluster = "item",
    dropped: Mapping[str, int] | None = None,
) -> Measurement:
    """Return every measure of `METRICS` with its interval, on faces and on videos.

    Faces of all frames are pooled over the whole set; a video's score is made of those of its
    faces. Intervals come from resampling videos (or persons) on both levels. The calibration
    error has none: resampling repeats rows, which by itself makes scores look less calibrated.

    Args:
        scores: one row for each scored face, with the columns of `SCORES`.
        thresholds: where to decide, chosen on validation by `choose_thresholds`.
        seed: of the resampling.
        aggregate: the rule that makes a video's score.
        resamples: how many resamples the intervals come from.
        cluster: what is drawn together: `item` (a video) or `person`.
        dropped: how many items were not scored, by status, to be counted along.

    Raises:
        InvalidInputError: if the table is not valid or lacks a class.
    """
    check_scores(scores)
    if cluster == "person" and scores["person"].null_count():
        raise InvalidInputError(
            "person must be known of every row to resample persons, got "
            f"{scores['person'].null_count()} rows without; resample items"
        )
    videos = video_scores(scores, rule=aggregate)
    by_level = {
        level: _measures(table, threshold, cluster, resamples, generator_for(seed, level, cluster))
        for level, table, threshold in (
            ("frame", scores, thresholds.frame),
            ("video", videos, thresholds.video),
        )
    }
    return Measurement(by_level["frame"], by_level["video"], _counts(scores, videos, dropped or {}))


def choose_thresholds(
    validation: pl.DataFrame,
    *,
    rule: ThresholdRule = "balanced_accuracy",
    aggregate: str = "mean",
    fixed: float = 0.5,
) -> Thresholds:
    """Return the thresholds for faces and for videos, chosen on validation scores.

    Raises:
        InvalidInputError: if the table is not valid or lacks a class.
    """
    check_scores(validation)
    videos = video_scores(validation, rule=aggregate)
    frame, video = (
        choose_threshold(
            table["score"].to_numpy(), table["label"].to_numpy(), rule=rule, fixed=fixed
        )
        for table in (validation, videos)
    )
    return Thresholds(frame, video, rule, "nothing" if rule == "fixed" else "validation")


def video_scores(scores: pl.DataFrame, *, rule: str = "mean") -> pl.DataFrame:
    """Return one row for each video: `SCORES` with its most wrong frame, and `faces`.

    Raises:
        NotFoundError: if there is no such rule.
        InvalidInputError: if the table is not valid.
    """
    check_scores(scores)
    place = scores["item"].rank("dense").to_numpy()  # numbers sort faster than text
    _, values = aggregate_scores(scores["score"].to_numpy(), place, rule=rule)
    worst = scores.sort((pl.col("label") - pl.col("score")).abs(), descending=True)
    rows = worst.group_by("item", maintain_order=True).agg(
        pl.col("person", "label", "method", "quality", "frame", "track").first(),
        pl.len().alias("faces"),
    )
    made = pl.DataFrame({"item": scores["item"].unique().sort(), "score": values})
    return made.join(rows, on="item", how="left", maintain_order="left").select(*SCORES, "faces")


def hardest(scores: pl.DataFrame, *, count: int = 12, rule: str = "mean") -> pl.DataFrame:
    """Return the videos whose scores lie farthest from their labels, the farthest first.

    Each row has the frame and the track that are most wrong, to be shown.

    Raises:
        InvalidInputError: if the table is not valid.
    """
    distance = (pl.col("label") - pl.col("score")).abs()
    videos = video_scores(scores, rule=rule)
    return videos.sort(distance, "item", descending=[True, False]).head(count)


def check_scores(scores: pl.DataFrame) -> None:
    """Refuse a table that is no table of scores.

    Raises:
        InvalidInputError: the message names the row and the column.
    """
    for name, kind in SCORES.items():
        if name not in scores.columns or scores.schema[name] != kind:
            raise InvalidInputError(
                f"scores must have the column {name!r} of type {kind}, got "
                f"{scores.schema.get(name, 'none')}; add or cast it (see SCORES)"
            )
    if not scores.height:
        raise InvalidInputError(
            "scores must hold at least one face, got none; look at the statuses of the faces"
        )
    rules = [(name, "be given", pl.col(name).is_null()) for name in GIVEN]
    rules += [
        ("label", "be 0 (real) or 1 (fake)", ~pl.col("label").is_in([0, 1])),
        ("label", "be the same for a whole video", pl.col("label").n_unique().over("item") > 1),
        ("score", "lie in [0, 1]", ~pl.col("score").is_between(0, 1)),
        ("frame", "be scored once for each track", _repeated("item", "frame", "track")),
    ]
    for name, rule, wrong in rules:
        found = scores.with_row_index("row").filter(wrong).head(1)
        if found.height:
            raise InvalidInputError(
                f"row {found['row'][0]}: column {name!r} must {rule}, got {found[name][0]!r} in "
                f"{found['item'][0]!r}; correct the row or leave it out"
            )


def _repeated(*names: str) -> pl.Expr:
    return pl.struct(*names).is_duplicated()


def _statistics(threshold: float) -> dict[str, Statistic]:
    found: dict[str, Callable[[Tally], float]] = {
        "auc": auc_of,
        "average_precision": average_precision_of,
        "eer": lambda counts: eer_of(counts).rate,
        "accuracy": partial(accuracy_of, threshold=threshold),
        "balanced_accuracy": partial(balanced_accuracy_of, threshold=threshold),
        "tpr_at_fpr_0.01": partial(tpr_at_fpr_of, false_positive_rate=0.01),
        "tpr_at_fpr_0.1": partial(tpr_at_fpr_of, false_positive_rate=0.1),
        "ece": ece_of,
        "brier": brier_of,
    }
    return {name: found[name] for name in METRICS}


def _measures(
    rows: pl.DataFrame,
    threshold: float,
    cluster: Cluster,
    resamples: int,
    random: np.random.Generator,
) -> Measures:
    scores, labels = rows["score"].to_numpy(), rows["label"].to_numpy()
    counts = tally(scores, labels)
    statistics = _statistics(threshold)
    values = {name: statistic(counts) for name, statistic in statistics.items()}
    resampled = {name: one for name, one in statistics.items() if name != "ece"}
    found = intervals(
        scores,
        labels,
        rows[cluster].rank("dense").to_numpy(),
        resampled,
        random=random,
        resamples=resamples,
        unit="video" if cluster == "item" else cluster,
    )
    independent = rows.group_by("label").agg(pl.col(cluster).n_unique())
    reals, fakes = independent.sort("label")[cluster]
    found = {
        name: _where_all_agree(name, values[name], one, reals, fakes) for name, one in found.items()
    } | {"ece": Interval(None, None, "no interval: resampling itself raises the calibration error")}
    decided = confusion_of(counts, threshold)
    return Measures(
        {
            name: Measured(value, found[name].low, found[name].high, found[name].method)
            for name, value in values.items()
        },
        Decisions(*(int(one) for one in decided)),
    )


def _where_all_agree(name: str, value: float, found: Interval, reals: int, fakes: int) -> Interval:
    """Return the interval in closed form where the bootstrap has none and there is one."""
    if found.low is not None or min(reals, fakes) < 2:
        return found
    if name == "auc":
        return Interval(*auc_score_interval(value, reals, fakes), "95 % Newcombe score interval")
    if name == "accuracy":
        return Interval(*wilson(value, reals + fakes), "95 % Wilson score interval")
    return found


def _counts(scores: pl.DataFrame, videos: pl.DataFrame, dropped: Mapping[str, int]) -> Counts:
    fakes = int(videos["label"].sum())
    return Counts(
        videos=videos.height,
        real_videos=videos.height - fakes,
        fake_videos=fakes,
        persons=scores["person"].drop_nulls().n_unique(),
        frames=scores.select(pl.struct("item", "frame").n_unique()).item(),
        faces=scores.height,
        dropped=dict(dropped),
    )
