"""What probabilities of videos say of a network that tells makers apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unmask.benchmark.attribution_results import CLASS_MEASURES, OfClass
from unmask.benchmark.results import Measured
from unmask.metrics.bootstrap import Interval
from unmask.metrics.class_intervals import class_intervals
from unmask.metrics.clustered import mean_interval, share_interval
from unmask.metrics.multiclass import (
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    log_losses,
    macro_f1,
    per_class,
    top_k_hits,
    top_label_ece,
)
from unmask.metrics.open_set import fpr_at_tpr, open_set_intervals, oscr, unknown_auroc
from unmask.metrics.tally import FloatArray, IntArray
from unmask.seeding import generator_for

Items = NDArray[np.generic]
Hits = NDArray[np.bool_]

CHANCE_IS_CERTAIN = 2  # classes: the first two are all
NO_ECE = "no interval: resampling itself raises the calibration error"


@dataclass(frozen=True)
class Measuring:
    """How measures are taken.

    Args:
        resamples: of the videos, for the intervals.
        seed: of the resampling.
    """

    resamples: int
    seed: int


@dataclass(frozen=True)
class Known:
    """What was measured on videos of known classes.

    Args:
        metrics: those of `MEASURES`.
        per_class: in the order of the classes.
        confusion: by class, how many videos were given each class.
    """

    metrics: dict[str, Measured]
    per_class: tuple[OfClass, ...]
    confusion: tuple[tuple[int, ...], ...]


def measure_known(videos: pl.DataFrame, classes: Sequence[str], way: Measuring) -> Known:
    """Return every measure of `MEASURES`, of each class alone, and the confusion matrix.

    Args:
        videos: `item`, `maker` (the true class) and one column `p_<class>` for each class.
        classes: in order.
        way: how.

    Raises:
        InvalidInputError: if there is no video, or no probabilities.
    """
    truth, chances = truth_of(videos, classes), probabilities_of(videos, classes)
    judged, items = chances.argmax(1), videos["item"].to_numpy()
    matrix = confusion_matrix(truth, judged, len(classes))
    found = class_intervals(
        truth,
        judged,
        items,
        classes=len(classes),
        random=generator_for(way.seed, "known"),
        resamples=way.resamples,
    )
    values = {
        "accuracy": accuracy(matrix),
        "balanced_accuracy": balanced_accuracy(matrix),
        "macro_f1": macro_f1(matrix),
    }
    metrics = {name: measured(value, found.measures[name]) for name, value in values.items()}
    if len(classes) > CHANCE_IS_CERTAIN:
        metrics["top_2_accuracy"] = share(top_k_hits(truth, chances, k=2), items, way, "top")
    metrics |= {
        "log_loss": _mean(log_losses(truth, chances), items, way, "log loss"),
        "ece": Measured(top_label_ece(truth, chances), None, None, NO_ECE),
    }
    own = per_class(matrix)
    each = tuple(
        OfClass(
            name,
            int(own.support[place]),
            {
                one: measured(float(getattr(own, one)[place]), getattr(found, one)[place])
                for one in CLASS_MEASURES
                if not isnan(getattr(own, one)[place])
            },
        )
        for place, name in enumerate(classes)
    )
    return Known(metrics, each, tuple(tuple(map(int, row)) for row in matrix))


@dataclass(frozen=True)
class Confidences:
    """How sure a network was of videos, and whether it named their makers.

    Args:
        items: (n,) the ids of the videos.
        values: (n,) the confidences.
        right: (n,) whether the maker was named; never of an unknown one.
    """

    items: Items
    values: FloatArray
    right: Hits

    def __len__(self) -> int:
        return len(self.items)


def measure_accepted(known: Confidences, threshold: float, way: Measuring) -> dict[str, Measured]:
    """Return those of `KNOWN_MEASURES` that can be measured on videos of known makers."""
    accepted = known.values >= threshold
    found = {
        "accepted": share(accepted, known.items, way, "accepted"),
        "accuracy": share(known.right, known.items, way, "accuracy"),
    }
    if accepted.any():
        right, items = known.right[accepted], known.items[accepted]
        found["accuracy_of_accepted"] = share(right, items, way, "accuracy of accepted")
    return found


def measure_unknown(
    known: Confidences, unknown: Confidences, threshold: float, way: Measuring
) -> dict[str, Measured]:
    """Return every measure of `UNKNOWN_MEASURES`; both must hold a video."""
    both = known, unknown
    is_known = np.repeat([True, False], [len(one) for one in both])
    items, values, right = (
        np.concatenate([getattr(one, name) for one in both])
        for name in ("items", "values", "right")
    )
    found = open_set_intervals(
        values,
        is_known,
        right,
        items,
        random=generator_for(way.seed, "unknown"),
        resamples=way.resamples,
    )
    taken = {
        "auroc": unknown_auroc(values, is_known),
        "fpr_at_tpr": fpr_at_tpr(values, is_known),
        "oscr": oscr(values, is_known, right),
    }
    refused = share(unknown.values < threshold, unknown.items, way, "refused")
    return {name: measured(one, found[name]) for name, one in taken.items()} | {"refused": refused}


def truth_of(videos: pl.DataFrame, classes: Sequence[str]) -> IntArray:
    """Return the place of each video's class (n,)."""
    place = {name: number for number, name in enumerate(classes)}
    return videos["maker"].replace_strict(place, return_dtype=pl.Int64).to_numpy()


def probabilities_of(videos: pl.DataFrame, classes: Sequence[str]) -> FloatArray:
    """Return the probability of each class (n, classes)."""
    return videos.select(f"p_{name}" for name in classes).to_numpy()


def measured(value: float, interval: Interval) -> Measured:
    """Return a value with its interval."""
    return Measured(value, interval.low, interval.high, interval.method)


def share(hits: FloatArray | Hits, items: Items, way: Measuring, name: str) -> Measured:
    """Return the share of hits (n,) among videos, with its interval."""
    random = generator_for(way.seed, name)
    found = share_interval(hits, items, random=random, resamples=way.resamples)
    return measured(float(hits.mean()), found)


def _mean(values: FloatArray, items: Items, way: Measuring, name: str) -> Measured:
    """Return the mean of values (n,) of videos, with its interval."""
    random = generator_for(way.seed, name)
    found = mean_interval(values, items, random=random, resamples=way.resamples)
    return measured(float(values.mean()), found)
