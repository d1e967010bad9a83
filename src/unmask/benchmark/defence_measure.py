"""From judged faces to the measures of the defence protocol.

A face of a fake counts against a defence only where the defence itself called it fake before: one
that calls every fake real would else look perfectly attackable, or, shown what was made on
another detector, perfectly robust.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

import numpy as np
import polars as pl

from unmask.benchmark.defence_results import OfMethod, Telling
from unmask.benchmark.measure import SCORES, Measurement, measure
from unmask.benchmark.results import Measured, Thresholds
from unmask.contracts import FAKE, REAL
from unmask.metrics.bootstrap import Interval, interval
from unmask.metrics.closed_form import auc_score_interval
from unmask.metrics.clustered import mean_interval, quantile_interval, share_interval
from unmask.metrics.ranking import auc
from unmask.seeding import generator_for

CLEAN, OTHER = "clean", "other"
FACE = ("item", "frame", "track")

# One row for each face, as one detector saw it before and after one attack.
JUDGED: dict[str, pl.DataType] = {
    "item": pl.String(),
    "frame": pl.Int64(),
    "track": pl.Int64(),
    "label": pl.Int8(),
    "attack": pl.String(),  # its name; `clean` for none
    "made_on": pl.String(),  # the victim that the attack could ask; null for none
    "seen_by": pl.String(),  # the detector that judged
    "before": pl.Float64(),  # P(fake) of the clean face; a guard's P(attacked)
    "after": pl.Float64(),  # the same of the attacked face; of the clean one where none attacked
    "real_draws": pl.Float64(),  # share of draws judged real after; null where nothing is random
    "iterations": pl.Int64(),
    "queries": pl.Int64(),
    "linf": pl.Float64(),  # of values in [0, 1]
}


@dataclass(frozen=True)
class Measuring:
    """How measures are taken.

    Args:
        threshold: a face or a video is judged fake from this score on.
        resamples: how many resamples of the videos the intervals come from.
        seed: of the resampling.
    """

    threshold: float = 0.5
    resamples: int = 1000
    seed: int = 0


def clean_scores(rows: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return the table of `SCORES` of what one detector made of clean faces.

    Args:
        rows: of `JUDGED`.
        items: the catalog's rows of the videos.
    """
    told = items.select("person", "method", "quality", item="id")
    scores = rows.rename({"after": "score"}).join(told, on="item", how="left")
    return scores.select(pl.col(name).cast(kind) for name, kind in SCORES.items())


def clean_measures(scores: pl.DataFrame, way: Measuring) -> Measurement:
    """Return every measure of clean faces, by face and by video.

    Args:
        scores: of `SCORES`.
        way: how to measure.

    Raises:
        InvalidInputError: if a class is missing.
    """
    at = Thresholds(way.threshold, way.threshold, "fixed", "nothing")
    return measure(scores, thresholds=at, seed=way.seed, resamples=way.resamples)


def methods_measured(
    scores: pl.DataFrame, known: Collection[str] | None, new: Collection[str], way: Measuring
) -> tuple[OfMethod, ...]:
    """Return the AUC of each forgery method against all reals, and of the new ones as `other`.

    Args:
        scores: of `SCORES`.
        known: the methods of the training; None if nobody knows them, who then has no `other`.
        new: the methods that no training held of those to be compared.
        way: how to measure.
    """
    methods = scores["method"].drop_nulls().unique().sort().to_list()
    groups = [(name, None if known is None else name in known, [name]) for name in methods]
    pooled = [name for name in methods if name in new]
    if pooled and known is not None:
        groups.append((OTHER, False, pooled))
    found = []
    for name, is_known, wanted in groups:
        part = scores.filter((pl.col("label") == REAL) | pl.col("method").is_in(wanted))
        measured = clean_measures(part, way)
        by_level = (measured.frame.metrics["auc"], measured.video.metrics["auc"])
        found.append(OfMethod(name, is_known, *by_level))
    return tuple(found)


def trial_measures(rows: pl.DataFrame, way: Measuring) -> tuple[int, dict[str, Measured]]:
    """Return how many faces were judged fake before one attack, and its measures.

    Args:
        rows: of `JUDGED`: the attacked faces of fakes, as one detector saw them.
        way: how to measure.
    """
    rows = rows.filter(pl.col("label") == FAKE)
    if not rows.height:
        return 0, {}
    there = rows.filter(pl.col("before") >= way.threshold)
    found = (pl.col("before") >= way.threshold) & (pl.col("after") >= way.threshold)
    measures = {"found": _share(rows, found, way)}
    if not there.height:
        return 0, measures
    measures |= {
        "success": _share(there, pl.col("after") < way.threshold, way),
        "queries": _median(there, pl.col("queries"), way),
        "linf": _mean(there, pl.col("linf") * 255, way),
    }
    if not there["real_draws"].null_count():
        measures["over_draws"] = _share(there, pl.col("real_draws"), way)
    return there.height, measures


def changed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows, of `JUDGED`, of faces that the attack has changed.

    One that its victim took for real from the start is left alone by most attacks.
    """
    return rows.filter(pl.col("linf") > 0)


def found_clean(rows: pl.DataFrame, way: Measuring) -> Measured:
    """Return the share of faces of fakes, of `JUDGED`, that were judged fake before the attack."""
    fakes = rows.filter(pl.col("label") == FAKE)
    return _share(fakes, pl.col("before") >= way.threshold, way)


def found_always(trials: Sequence[pl.DataFrame], way: Measuring) -> Measured:
    """Return the share of faces of fakes that were judged fake before and after every attack.

    Args:
        trials: of `JUDGED`: the same faces after each attack, as one detector saw them.
        way: how to measure.
    """
    each = [
        one.filter(pl.col("label") == FAKE).select(
            *FACE,
            ((pl.col("before") >= way.threshold) & (pl.col("after") >= way.threshold)).alias(
                f"found_{place}"
            ),
        )
        for place, one in enumerate(trials)
    ]
    whole = reduce(lambda some, more: some.join(more, on=FACE, how="inner"), each)
    always = reduce(and_, (pl.col(f"found_{place}") for place in range(len(each))))
    return _share(whole, always, way)


def fooled_by(trials: Mapping[str, pl.DataFrame], way: Measuring) -> pl.DataFrame:
    """Return which attacks fooled each face: `FACE`, and one column of truths for each attack.

    Args:
        trials: of `JUDGED`, by the attack's name: the same faces, as one detector saw them.
        way: how to measure; faces below the threshold before are left out.
    """
    each = [
        rows.filter(pl.col("label") == FAKE, pl.col("before") >= way.threshold).select(
            *FACE, (pl.col("after") < way.threshold).alias(name)
        )
        for name, rows in trials.items()
    ]
    return reduce(lambda some, more: some.join(more, on=FACE, how="inner"), each)


def telling(rows: pl.DataFrame, way: Measuring) -> Telling | None:
    """Return how well a guard tells attacked faces from the same faces before the attack.

    Faces that the attack left as they were do not count; None if there are no others.

    Args:
        rows: of `JUDGED`: one attack's faces of fakes, as one guard saw them.
        way: how to measure.
    """
    every = rows.filter(pl.col("label") == FAKE)
    rows = changed(every)
    if not rows.height:
        return None
    scores = np.concatenate([rows["before"].to_numpy(), rows["after"].to_numpy()])
    labels = np.repeat([REAL, FAKE], rows.height)
    videos = np.tile(rows["item"].to_numpy(), 2)
    value = auc(scores, labels)
    random = generator_for(way.seed, "defence", "telling")
    found = interval(scores, labels, videos, random=random, resamples=way.resamples)
    clusters = rows["item"].n_unique()
    if found.low is None and clusters >= 2:
        ends = auc_score_interval(value, clusters, clusters)
        found = Interval(*ends, "95 % Newcombe score interval")
    return Telling(
        made_on=rows["made_on"][0],
        attack=rows["attack"][0],
        faces=rows.height,
        attacked=every.height,
        auc=_measured(value, found),
        caught=_share(rows, pl.col("after") >= way.threshold, way),
    )


def flagged(rows: pl.DataFrame, way: Measuring) -> Measured:
    """Return the share of clean faces, of `JUDGED`, at or above the threshold."""
    return _share(rows, pl.col("after") >= way.threshold, way)


def _share(rows: pl.DataFrame, hit: pl.Expr, way: Measuring) -> Measured:
    """Return the mean of truths, or of shares, with an interval also where all of them agree."""
    hits, videos = rows.select(hit.alias("hit"))["hit"].to_numpy(), rows["item"].to_numpy()
    return _measured(float(hits.mean()), share_interval(hits, videos, **_drawn(way)))


def _mean(rows: pl.DataFrame, of: pl.Expr, way: Measuring) -> Measured:
    values, videos = rows.select(of.alias("value"))["value"].to_numpy(), rows["item"].to_numpy()
    return _measured(float(values.mean()), mean_interval(values, videos, **_drawn(way)))


def _median(rows: pl.DataFrame, of: pl.Expr, way: Measuring) -> Measured:
    values, videos = rows.select(of.alias("value"))["value"].to_numpy(), rows["item"].to_numpy()
    return _measured(float(np.median(values)), quantile_interval(values, videos, **_drawn(way)))


def _drawn(way: Measuring) -> dict[str, Any]:
    return {"random": generator_for(way.seed, "defence"), "resamples": way.resamples}


def _measured(value: float, found: Interval) -> Measured:
    return Measured(value, found.low, found.high, found.method)
