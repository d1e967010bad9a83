"""How far measures of several classes may lie from the truth: resampling videos, or persons."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import Interval, between, check_resampling
from unmask.metrics.closed_form import wilson
from unmask.metrics.multiclass import MEASURES, checked_classes, f1s, precisions, recalls
from unmask.metrics.tally import FloatArray, IntArray

LEAST_KNOWN = 0.9  # of the resamples: of a class that one lacks, it has no precision or recall


@dataclass(frozen=True)
class ClassIntervals:
    """The intervals of what `multiclass` measures.

    Args:
        measures: those of `MEASURES`, by name.
        precision: one for each class.
        recall: one for each class.
        f1: one for each class.
    """

    measures: Mapping[str, Interval]
    precision: tuple[Interval, ...]
    recall: tuple[Interval, ...]
    f1: tuple[Interval, ...]


class ClassClusters:
    """The rows that belong together, to be drawn together.

    Where each cluster holds rows of one class, as a video does, clusters are drawn within their
    class, as often as it has some: no resample lacks a class. Where a cluster holds several, as a
    person does whose face went through several makers, all clusters are drawn alike.

    Args:
        truth: (n,) the place of each row's class.
        names: (n,) the video, or the person, that each row belongs to.
        classes: how many classes there are.

    Raises:
        InvalidInputError: if there is not one name for each row.
    """

    def __init__(self, truth: IntArray, names: ArrayLike, classes: int) -> None:
        wanted = np.asarray(names)
        if wanted.shape != truth.shape:
            raise InvalidInputError(
                f"clusters must name one video for each row, got shape {wanted.shape} for "
                f"{truth.shape}; pass the item column of the same rows"
            )
        distinct, self.place = np.unique(wanted, return_inverse=True)
        self.count = len(distinct)
        holds = np.zeros((self.count, classes), dtype=bool)
        holds[self.place, truth] = True
        self.of_class: IntArray = holds.sum(0)
        self.fewest = int(self.of_class[self.of_class > 0].min())
        stratum = holds.argmax(1) if (holds.sum(1) == 1).all() else np.zeros(self.count, np.int64)
        self._strata = [np.flatnonzero(stratum == one) for one in np.unique(stratum)]

    def draws(self, resamples: int, random: np.random.Generator) -> FloatArray:
        """Return how often each cluster counts in each resample, (resamples, clusters)."""
        drawn = np.empty((resamples, self.count))
        for stratum in self._strata:
            size = len(stratum)
            drawn[:, stratum] = random.multinomial(size, np.full(size, 1 / size), resamples)
        return drawn


def class_intervals(
    truth: ArrayLike,
    predicted: ArrayLike,
    clusters: ArrayLike,
    *,
    classes: int,
    random: np.random.Generator,
    resamples: int = 1000,
    confidence: float = 0.95,
    unit: str = "video",
) -> ClassIntervals:
    """Return the bootstrap interval of each measure, all from the same resamples.

    Percentiles, expanded for few clusters as in `bootstrap.intervals`. Where all resamples agree,
    as when every item is judged right, accuracy and recall get Wilson's interval, which takes
    each cluster for one trial. For shares of rows that need no matrix, such as those of
    `top_k_hits`, or the difference of two detectors' hits, there is `clustered.mean_interval`.

    Args:
        truth: (n,) the place of each item's class, from 0.
        predicted: (n,) the place of the class that it was judged to be of.
        clusters: (n,) the name of the video, or person, that each row belongs to.
        classes: how many there are.
        random: the source of randomness.
        resamples: how many resamples to draw.
        confidence: the share of such intervals that are to hold the true value.
        unit: what a cluster is, for the text.

    Returns:
        Intervals whose ends are None where a class has one cluster only, where what is measured
        is often not there, or where all resamples agree; `method` then says so.

    Raises:
        InvalidInputError: if an argument is not valid.

    Example:
        >>> found = class_intervals(
        ...     [0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 0], list("abcdef"),
        ...     classes=2, random=np.random.default_rng(0),
        ... )
        >>> found.measures["accuracy"].method
        '95 % bootstrap by video, 1000 resamples'
    """
    rows, columns = checked_classes(truth, predicted, classes)
    check_resampling(resamples, confidence)
    groups = ClassClusters(rows, clusters, classes)
    matrices = _resampled(groups, rows * classes + columns, classes, resamples, random)

    def over_all(values: FloatArray) -> Interval:
        return _between(values, groups.fewest, confidence, unit)

    found = {name: over_all(measure(matrices)) for name, measure in MEASURES.items()}
    right = float((rows == columns).mean())
    found["accuracy"] = _or_wilson(found["accuracy"], right, groups.count, confidence, unit)
    own = recalls(matrices)
    recall = [
        _or_wilson(
            _between(own[:, one], int(count), confidence, unit),
            float((columns[rows == one] == one).mean()) if count else 0.0,
            int(count),
            confidence,
            unit,
        )
        for one, count in enumerate(groups.of_class)
    ]
    return ClassIntervals(
        found,
        tuple(over_all(one) for one in precisions(matrices).T),
        tuple(recall),
        tuple(over_all(one) for one in f1s(matrices).T),
    )


def _resampled(
    groups: ClassClusters,
    cells: IntArray,
    classes: int,
    resamples: int,
    random: np.random.Generator,
) -> FloatArray:
    """Return the confusion matrix of each resample, (resamples, classes, classes)."""
    size = classes**2
    counts = np.bincount(groups.place * size + cells, minlength=groups.count * size)
    own = counts.reshape(groups.count, size).astype(np.float64)
    return (groups.draws(resamples, random) @ own).reshape(resamples, classes, classes)


def _between(values: FloatArray, fewest: int, confidence: float, unit: str) -> Interval:
    if fewest < 2:
        return Interval(None, None, f"no interval: only {fewest} {unit} of a class")
    known = values[~np.isnan(values)]
    if len(known) < LEAST_KNOWN * len(values):
        return Interval(None, None, "no interval: too few resamples have something to measure")
    return between(known, fewest=fewest, confidence=confidence, unit=unit)


def _or_wilson(found: Interval, share: float, count: int, confidence: float, unit: str) -> Interval:
    if found.low is not None or count < 2 or share not in (0, 1):
        return found
    ends = wilson(share, count, confidence=confidence)
    return Interval(*ends, f"{100 * confidence:g} % Wilson score interval, a {unit} a trial")
