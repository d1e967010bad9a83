"""How far a measure may lie from the truth: resampling whole videos, or whole persons.

Frames of one video resemble each other, so a bootstrap over frames takes 3,000 frames of 30
videos for 3,000 findings and gives intervals that are far too short.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtrit

from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError
from unmask.metrics.ranking import auc_of
from unmask.metrics.tally import FloatArray, IntArray, Sample, Tally

Statistic = Callable[[Tally], float]


@dataclass(frozen=True)
class Interval:
    """Where the true value of a measure may lie.

    Args:
        low: its lower end; None where no interval can be given.
        high: its upper end; None where no interval can be given.
        method: how it was made, or why there is none.
    """

    low: float | None
    high: float | None
    method: str


@dataclass(frozen=True)
class Difference:
    """The first detector's measure less the second's, with its interval."""

    value: float
    interval: Interval


class Clusters:
    """The rows that belong together, to be drawn together.

    Drawing is stratified: clusters that hold only reals, only fakes, and both are each drawn as
    often as there are of them, so no resample lacks a class.

    Args:
        labels: (n,) 0 real, 1 fake.
        names: (n,) the video, or the person, that each row belongs to.

    Raises:
        InvalidInputError: if there is not one name for each row.
    """

    def __init__(self, labels: IntArray, names: ArrayLike) -> None:
        wanted = np.asarray(names)
        if wanted.shape != labels.shape:
            raise InvalidInputError(
                f"clusters must name one video for each score, got shape {wanted.shape} for "
                f"{labels.shape}; pass the item column of the same rows"
            )
        distinct, self.place = np.unique(wanted, return_inverse=True)
        self.count = len(distinct)
        has_real = np.bincount(self.place, labels == REAL, self.count) > 0
        has_fake = np.bincount(self.place, labels == FAKE, self.count) > 0
        self.with_real, self.with_fake = int(has_real.sum()), int(has_fake.sum())
        self.fewest = min(self.with_real, self.with_fake)
        kind = has_real + 2 * has_fake
        self._strata = [found for one in (1, 2, 3) if len(found := np.flatnonzero(kind == one))]

    def draws(self, resamples: int, random: np.random.Generator) -> Iterator[FloatArray]:
        """Yield how often each row (n,) counts in each resample."""
        for _ in range(resamples):
            chosen = [one[random.integers(0, len(one), len(one))] for one in self._strata]
            counts = np.bincount(np.concatenate(chosen), minlength=self.count)
            yield counts[self.place].astype(np.float64)


def interval(
    scores: ArrayLike,
    labels: ArrayLike,
    clusters: ArrayLike,
    *,
    random: np.random.Generator,
    statistic: Statistic = auc_of,
    resamples: int = 1000,
    confidence: float = 0.95,
    unit: str = "video",
) -> Interval:
    """Return the bootstrap interval of one measure; the arguments are those of `intervals`."""
    return intervals(
        scores,
        labels,
        clusters,
        {"one": statistic},
        random=random,
        resamples=resamples,
        confidence=confidence,
        unit=unit,
    )["one"]


def intervals(
    scores: ArrayLike,
    labels: ArrayLike,
    clusters: ArrayLike,
    statistics: Mapping[str, Statistic],
    *,
    random: np.random.Generator,
    resamples: int = 1000,
    confidence: float = 0.95,
    unit: str = "video",
) -> dict[str, Interval]:
    """Return the bootstrap interval of each measure, all from the same resamples.

    Percentiles, expanded for few clusters: in simulations of AUC 0.77 they held the truth in 93
    to 97 % of the cases from 10 videos of each class on. Near perfection they stay too short
    (AUC 0.98: 86 % with 10 videos of ten frames, 93 % with 50); `closed_form` has what serves
    there. Of measures that resampling itself shifts, such as the ECE, the interval means nothing.

    Args:
        scores: (n,) in [0, 1].
        labels: (n,) 0 real, 1 fake.
        clusters: (n,) the name of the video, or person, that each score belongs to.
        statistics: what to measure, by name.
        random: the source of randomness.
        resamples: how many resamples to draw.
        confidence: the share of such intervals that are to hold the true value.
        unit: what a cluster is, for the text.

    Returns:
        An interval for each name; its ends are None where a class has fewer than two clusters
        or where all resamples agree, and `method` then says so.

    Raises:
        InvalidInputError: if an argument is not valid.

    Reference:
        Hesterberg, "What Teachers Should Know about the Bootstrap", 2014, the expanded percentile
        interval. https://arxiv.org/abs/1411.5279
    """
    sample = Sample(scores, labels)
    groups = Clusters(sample.labels, clusters)
    if (lack := _lack(groups, unit)) is not None:
        return dict.fromkeys(statistics, lack)
    check_resampling(resamples, confidence)
    values = np.empty((len(statistics), resamples))
    for column, weights in enumerate(groups.draws(resamples, random)):
        counts = sample.tally(weights)
        values[:, column] = [statistic(counts) for statistic in statistics.values()]
    return {
        name: between(row, fewest=groups.fewest, confidence=confidence, unit=unit)
        for name, row in zip(statistics, values, strict=True)
    }


def paired_difference(
    first: ArrayLike,
    second: ArrayLike,
    labels: ArrayLike,
    clusters: ArrayLike,
    *,
    random: np.random.Generator,
    statistic: Statistic = auc_of,
    resamples: int = 1000,
    confidence: float = 0.95,
    unit: str = "video",
) -> Difference:
    """Return how much better the first detector is than the second on the very same rows.

    Both are measured on each resample, so what makes a video hard for both cancels out.

    Args:
        first: (n,) scores of the one detector.
        second: (n,) scores of the other, of the same rows in the same order.
        labels: (n,) 0 real, 1 fake.
        clusters: (n,) the name of the video, or person, that each row belongs to.
        random: the source of randomness.
        statistic: what to measure.
        resamples: how many resamples to draw.
        confidence: the share of such intervals that are to hold the true difference.
        unit: what a cluster is, for the text.

    Raises:
        InvalidInputError: if an argument is not valid.
    """
    one, other = Sample(first, labels), Sample(second, labels)
    groups = Clusters(one.labels, clusters)
    value = statistic(one.tally()) - statistic(other.tally())
    if (lack := _lack(groups, unit)) is not None:
        return Difference(value, lack)
    check_resampling(resamples, confidence)
    found = np.array(
        [
            statistic(one.tally(weights)) - statistic(other.tally(weights))
            for weights in groups.draws(resamples, random)
        ]
    )
    ends = between(found, fewest=groups.fewest, confidence=confidence, unit=f"{unit}, paired")
    return Difference(value, ends)


def _lack(groups: Clusters, unit: str) -> Interval | None:
    if groups.fewest >= 2:
        return None
    scarce = "real" if groups.with_real == groups.fewest else "fake"
    return Interval(None, None, f"no interval: only {groups.fewest} {scarce} {unit}")


def check_resampling(resamples: int, confidence: float) -> None:
    """Refuse numbers that no interval can be made with.

    Raises:
        InvalidInputError: if there are fewer than 100 resamples, or the confidence is no share.
    """
    if resamples < 100:
        raise InvalidInputError(
            f"resamples must be 100 or more, got {resamples}; 1000 are usual for 95 %"
        )
    if not 0 < confidence < 1:
        raise InvalidInputError(f"confidence must lie in (0, 1), got {confidence}; 0.95 is usual")


def between(
    values: FloatArray, *, fewest: int, confidence: float = 0.95, unit: str = "video"
) -> Interval:
    """Return the interval between two percentiles of what the resamples gave.

    Args:
        values: (resamples,) of one measure.
        fewest: how many clusters there are, of the class that has fewer; 2 or more.
        confidence: the share of such intervals that are to hold the true value.
        unit: what a cluster is, for the text.
    """
    if values.min() == values.max():
        return Interval(None, None, "no interval: every resample gave the same value")
    tail = _expanded_tail(fewest, confidence)
    low, high = np.quantile(values, [tail, 1 - tail])
    method = f"{100 * confidence:g} % bootstrap by {unit}, {len(values)} resamples"
    return Interval(float(low), float(high), method)


def _expanded_tail(count: int, confidence: float) -> float:
    """Return the share of resamples beyond each end, less than (1 - confidence) / 2.

    Plain percentiles of few clusters lie too close together, as a standard deviation divided by
    n does, and as the normal distribution does beside Student's.
    """
    quantile = stdtrit(count - 1, (1 + confidence) / 2)
    return float(ndtr(-sqrt(count / (count - 1)) * quantile))
