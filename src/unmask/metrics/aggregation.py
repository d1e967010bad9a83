"""From the scores of a video's frames and faces to one score for the video."""

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.errors import InvalidInputError, unknown_name
from unmask.metrics.tally import FloatArray, checked_scores

Rule = Callable[[FloatArray], float]


def _mean(scores: FloatArray) -> float:
    return float(scores.mean())


def _median(scores: FloatArray) -> float:
    return float(np.median(scores))


def _largest(scores: FloatArray) -> float:
    return float(scores.max())


def _top_tenth(scores: FloatArray) -> float:
    """Return the mean of the highest tenth, of one score at least."""
    return float(np.sort(scores)[-ceil(len(scores) / 10) :].mean())


def _trimmed_mean(scores: FloatArray) -> float:
    """Return the mean without the lowest and the highest tenth."""
    cut = len(scores) // 10
    return float(np.sort(scores)[cut : len(scores) - cut].mean())


def _fraction(scores: FloatArray) -> float:
    """Return the share of scores that by themselves say fake, as MesoNet's pipeline does."""
    return float((scores >= 0.5).mean())


RULES: dict[str, Rule] = {
    "mean": _mean,
    "median": _median,
    "max": _largest,
    "top_tenth": _top_tenth,
    "trimmed_mean": _trimmed_mean,
    "fraction": _fraction,
}


def aggregate(
    scores: ArrayLike, videos: ArrayLike, *, rule: str = "mean"
) -> tuple[NDArray[np.generic], FloatArray]:
    """Return the videos and one score for each.

    Args:
        scores: (n,) in [0, 1], one for each face of each frame.
        videos: (n,) the id of the video that each belongs to.
        rule: `mean` over frames and faces, `median`, `max`, `top_tenth` (the mean of the highest
            tenth), `trimmed_mean` (without a tenth at each end) or `fraction` (the share of
            scores of at least one half).

    Returns:
        The distinct ids, sorted, and their scores.

    Raises:
        NotFoundError: if there is no such rule.
        InvalidInputError: if a score is not valid or the lengths differ.

    Example:
        >>> videos, scores = aggregate([0.2, 0.4, 0.9], ["a", "a", "b"])
        >>> [round(float(score), 3) for score in scores]
        [0.3, 0.9]
    """
    if rule not in RULES:
        raise unknown_name("the aggregation rules", rule, RULES)
    values, names = checked_scores(scores), np.asarray(videos)
    if values.ndim != 1 or values.shape != names.shape or not len(values):
        raise InvalidInputError(
            f"scores and videos must be two lists of one length, got shapes {values.shape} and "
            f"{names.shape}; give one video id for each score"
        )
    distinct, place = np.unique(names, return_inverse=True)
    if rule == "mean":  # the default is worth a pass without a loop
        return distinct, np.bincount(place, values) / np.bincount(place)
    order = np.argsort(place, kind="stable")
    parts = np.split(values[order], np.cumsum(np.bincount(place))[:-1])
    return distinct, np.array([RULES[rule](part) for part in parts])
