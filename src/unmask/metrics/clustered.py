"""Shares, means and quantiles of values that come in clusters, such as the faces of videos."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import Interval, between, check_resampling
from unmask.metrics.closed_form import wilson
from unmask.metrics.tally import FloatArray

Weights = NDArray[np.int64]


def share_interval(
    hits: ArrayLike,
    clusters: ArrayLike,
    *,
    random: np.random.Generator,
    resamples: int = 1000,
    unit: str = "video",
) -> Interval:
    """Return the 95 % interval of the share of hits among all rows, resampling clusters.

    Where all resamples agree, as when every row is a hit, it is the Wilson interval that takes
    each cluster for one trial: rows of one video tell little more than the first of them.

    Args:
        hits: (n,) truths.
        clusters: (n,) the name of the video that each row belongs to.
        random: the source of randomness.
        resamples: how many resamples to draw.
        unit: what a cluster is, for the text.

    Raises:
        InvalidInputError: if there is no row, or not one name for each.

    Example:
        >>> videos = ["a", "a", "b", "b", "c", "c"]
        >>> found = share_interval([True] * 6, videos, random=np.random.default_rng(0))
        >>> round(found.low, 2), round(found.high, 2)
        (0.44, 1.0)
    """
    values = np.asarray(hits, dtype=np.float64)
    found = mean_interval(values, clusters, random=random, resamples=resamples, unit=unit)
    count = len(np.unique(np.asarray(clusters)))
    if found.low is not None or count < 2:
        return found
    ends = wilson(float(values.mean()), count)
    return Interval(*ends, f"95 % Wilson score interval, a {unit} a trial")


def mean_interval(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    random: np.random.Generator,
    resamples: int = 1000,
    unit: str = "video",
) -> Interval:
    """Return the 95 % bootstrap interval of the mean of all rows; arguments as `share_interval`."""
    listed, place, count = _placed(values, clusters)
    sums = np.bincount(place, listed, count)
    rows = np.bincount(place, minlength=count)

    def mean(weights: Weights) -> float:
        return float(weights @ sums / (weights @ rows))

    return _resampled(mean, count, random, resamples, unit)


def quantile_interval(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    share: float = 0.5,
    random: np.random.Generator,
    resamples: int = 1000,
    unit: str = "video",
) -> Interval:
    """Return the 95 % bootstrap interval of a quantile of all rows, the median by default.

    Args:
        values: (n,) numbers.
        clusters: (n,) the name of the video that each row belongs to.
        share: which quantile, in [0, 1].
        random: the source of randomness.
        resamples: how many resamples to draw.
        unit: what a cluster is, for the text.

    Raises:
        InvalidInputError: if there is no row, or not one name for each.
    """
    listed, place, count = _placed(values, clusters)
    order = listed.argsort()
    listed, place = listed[order], place[order]

    def quantile(weights: Weights) -> float:
        return float(np.quantile(np.repeat(listed, weights[place]), share))

    return _resampled(quantile, count, random, resamples, unit)


def _placed(values: ArrayLike, clusters: ArrayLike) -> tuple[FloatArray, NDArray[np.int64], int]:
    listed, names = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if listed.ndim != 1 or not listed.size or names.shape != listed.shape:
        raise InvalidInputError(
            "values must be one row or more with one cluster each, got shapes "
            f"{listed.shape} and {names.shape}; pass two columns of the same rows"
        )
    distinct, place = np.unique(names, return_inverse=True)
    return listed, place, len(distinct)


def _resampled(
    statistic: Callable[[Weights], float],
    count: int,
    random: np.random.Generator,
    resamples: int,
    unit: str,
) -> Interval:
    check_resampling(resamples, 0.95)
    if count < 2:
        return Interval(None, None, f"no interval: only {count} {unit}")
    drawn = random.multinomial(count, np.full(count, 1 / count), resamples)
    return between(np.array([statistic(one) for one in drawn]), fewest=count, unit=unit)
