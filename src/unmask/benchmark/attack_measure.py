"""From tables of attacked and judged faces to the measures of the attack protocol.

A face counts as attackable only where the judge called it fake before: a detector that calls
every fake real would else look perfectly attackable. The clean faces go through the same codecs
as the attacked ones, since a codec by itself changes what a detector says.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl

from unmask.benchmark.attack_results import FILE, TENSOR, AttackCounts, Judgement, Step
from unmask.benchmark.results import Measured
from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import Interval
from unmask.metrics.clustered import mean_interval, quantile_interval, share_interval
from unmask.seeding import generator_for

# One row for each attacked face, by one judge on one channel.
JUDGED: dict[str, pl.DataType] = {
    "item": pl.String(),  # the video that was attacked
    "method": pl.String(),  # the forgery method of that video
    "frame": pl.Int64(),
    "track": pl.Int32(),
    "before": pl.Float64(),  # P(fake) of the clean face; null where it was not found
    "control": pl.Float64(),  # P(fake) of the clean face on this channel; null where not found
    "score": pl.Float64(),  # P(fake) of the attacked face on this channel; null where not found
    "control_fault": pl.String(),  # why the clean face could not be judged; null where it could
    "score_fault": pl.String(),  # why the attacked face could not be judged; null where it could
}


@dataclass(frozen=True)
class Measuring:
    """How shares and means are taken.

    Args:
        threshold: a face is judged fake from this score on.
        resamples: how many resamples of the videos the intervals come from.
        seed: of the resampling.
    """

    threshold: float = 0.5
    resamples: int = 1000
    seed: int = 0


def judgement(rows: pl.DataFrame, judge: str, channel: str, way: Measuring) -> Judgement:
    """Return what a judge makes of the attacked faces on one channel.

    By face, as published: judged real over found, summed over all videos. By video, as
    published: a video is judged real where less than half of its found faces are judged fake.

    Args:
        rows: with the columns of `JUDGED`, all of one judge and channel.
        judge: its name.
        channel: its name.
        way: how to measure.

    Raises:
        InvalidInputError: if a column is missing.
    """
    _check(rows)
    fake = {name: pl.col(name) >= way.threshold for name in ("before", "control", "score")}
    eligible = rows.filter(fake["before"])
    found = eligible.filter(pl.col("score").is_not_null())
    videos = _videos(rows, fake)
    parts = {
        "success": (found, ~fake["score"]),
        "control": (eligible.filter(pl.col("control").is_not_null()), ~fake["control"]),
        "judged_real": (rows.filter(pl.col("score").is_not_null()), ~fake["score"]),
        "found": (rows.filter(pl.col("score_fault").is_null()), pl.col("score").is_not_null()),
        "video_success": (videos.filter(pl.col("score").is_not_null()), pl.col("score") < 0.5),
        "video_control": (videos.filter(pl.col("control").is_not_null()), pl.col("control") < 0.5),
    }
    if channel in (TENSOR, FILE):
        # The clean file is itself what was judged before: both would be 0 by construction.
        del parts["control"], parts["video_control"]
    shares = {name: _share(table, hit, way, name) for name, (table, hit) in parts.items()}
    methods = {
        str(key): _share(table, ~fake["score"], way, str(key))
        for (key,), table in found.sort("method").group_by("method", maintain_order=True)
    }
    return Judgement(
        judge=judge,
        channel=channel,
        shares={name: one for name, one in shares.items() if one},
        methods={name: one for name, one in methods.items() if one},
        faces=found.height,
        videos=found["item"].n_unique(),
        dropped=_tally(rows["score_fault"])
        | {f"clean {name}": count for name, count in _tally(rows["control_fault"]).items()},
    )


def costs(attacked: pl.DataFrame, way: Measuring) -> dict[str, Measured]:
    """Return what an attack cost and changed, over the faces that were judged fake before.

    Args:
        attacked: the table of attacked faces (see `faces/attack_table.py`).
        way: how to measure.
    """
    rows = attacked.filter(pl.col("status") == "ok", pl.col("score_before") >= way.threshold)
    if not rows.height:
        return {}
    rows = rows.with_columns(pl.col("linf") * 255)
    # Without any change the ratio is infinite, and would make the mean so.
    rows = rows.with_columns(psnr=pl.when(pl.col("psnr").is_finite()).then(pl.col("psnr")))
    means = {name: _mean(rows, name, way) for name in ("linf", "l2", "psnr", "ssim")}
    quantiles = {
        "queries": _quantile(rows, "queries", 0.5, way),
        "queries_25": _quantile(rows, "queries", 0.25, way),
        "queries_75": _quantile(rows, "queries", 0.75, way),
        "iterations": _quantile(rows, "iterations", 0.5, way),
    }
    return {name: one for name, one in (means | quantiles).items() if one}


def step(rows: pl.DataFrame, epsilon: float, way: Measuring) -> Step | None:
    """Return the success at one radius; None where no face was judged fake before.

    Args:
        rows: `item`, `score_before` and `score_after` of faces that never were in a file.
        epsilon: the radius.
        way: how to measure.
    """
    eligible = rows.filter(pl.col("score_before") >= way.threshold)
    success = _share(eligible, pl.col("score_after") < way.threshold, way, f"epsilon {epsilon}")
    if success is None:
        return None
    return Step(epsilon, success, faces=eligible.height, videos=eligible["item"].n_unique())


def counts(attacked: pl.DataFrame, items: pl.DataFrame, way: Measuring) -> AttackCounts:
    """Return how much was attacked.

    Args:
        attacked: the table of attacked faces.
        items: `id`, `person` and `status` of all videos that were to be attacked.
        way: how to measure.
    """
    done = attacked.filter(pl.col("status") == "ok")
    lost = attacked.filter(pl.col("status") != "ok")
    uncut = items.filter(pl.col("status") != "ok")
    whole = pl.concat([uncut["status"], lost.filter(pl.col("frame").is_null())["status"]])
    seen = items.filter(pl.col("id").is_in(done["parent"].implode()))
    return AttackCounts(
        videos=done["parent"].n_unique(),
        persons=seen["person"].drop_nulls().n_unique(),
        frames=done.select(pl.struct("parent", "frame").n_unique()).item(),
        faces=done.height,
        judged_fake=done.filter(pl.col("score_before") >= way.threshold).height,
        dropped=_tally(lost.filter(pl.col("frame").is_not_null())["status"]),
        dropped_videos=_tally(whole),
    )


def _check(rows: pl.DataFrame) -> None:
    for name in JUDGED:
        if name not in rows.columns:
            raise InvalidInputError(
                f"judged faces must have the column {name!r}, got {', '.join(rows.columns)}; "
                "make the table by `judged_faces`"
            )


def _tally(names: pl.Series) -> dict[str, int]:
    """Return how often each name is there, by rising name; nulls are none."""
    return dict(sorted(names.drop_nulls().value_counts().iter_rows()))


def _videos(rows: pl.DataFrame, fake: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """Return the share of fake-judged faces of each video that was judged fake when clean."""
    shares = rows.group_by("item").agg(
        # The mean passes over nulls: faces that were not found have no part in it.
        fake[name].cast(pl.Float64).mean().alias(name)
        for name in ("before", "control", "score")
    )
    return shares.filter(pl.col("before") >= 0.5).sort("item")


def _share(rows: pl.DataFrame, hit: pl.Expr, way: Measuring, name: str) -> Measured | None:
    if not rows.height:
        return None
    hits, videos = rows.select(hit.alias("hit"))["hit"].to_numpy(), rows["item"].to_numpy()
    found = share_interval(hits, videos, random=_random(way, name), resamples=way.resamples)
    return _measured(float(hits.mean()), found)


def _mean(rows: pl.DataFrame, name: str, way: Measuring) -> Measured | None:
    known = rows.filter(pl.col(name).is_not_null())
    if not known.height:
        return None
    values, videos = known[name].to_numpy(), known["parent"].to_numpy()
    found = mean_interval(values, videos, random=_random(way, name), resamples=way.resamples)
    return _measured(float(values.mean()), found)


def _quantile(rows: pl.DataFrame, name: str, share: float, way: Measuring) -> Measured:
    values, videos = rows[name].to_numpy(), rows["parent"].to_numpy()
    interval = partial(quantile_interval, share=share, resamples=way.resamples)
    found = interval(values, videos, random=_random(way, f"{name} {share}"))
    return _measured(float(np.quantile(values, share)), found)


def _measured(value: float, found: Interval) -> Measured:
    return Measured(value, found.low, found.high, found.method)


def _random(way: Measuring, name: str) -> np.random.Generator:
    return generator_for(way.seed, "attack", name)
