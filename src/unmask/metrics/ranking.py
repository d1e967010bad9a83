"""How well scores rank fakes above reals, whatever the threshold.

Each measure comes twice: `auc(scores, labels)` for arrays and `auc_of(tally)` for counts.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import InvalidInputError
from unmask.metrics.tally import FloatArray, Tally, tally


class Roc(NamedTuple):
    """The operating points, from judging nothing fake to judging everything fake.

    Attributes:
        false_positive_rate: (K + 1,) rising from 0 to 1.
        true_positive_rate: (K + 1,) rising from 0 to 1.
        thresholds: (K + 1,) falling from infinity; a score at or above it is judged fake.
    """

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    thresholds: FloatArray


class EqualErrorRate(NamedTuple):
    """The rate at which as many reals as fakes are misjudged, and where that is.

    Attributes:
        rate: interpolated on the ROC between the two neighbouring operating points.
        threshold: of that one of the two points which lies nearer to the crossing.
    """

    rate: float
    threshold: float


def auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the area under the ROC: how often a fake scores above a real.

    This is the Mann-Whitney statistic over all pairs, a tie counting one half, in O(n log n).

    Args:
        scores: (n,) in [0, 1].
        labels: (n,) 0 real, 1 fake.

    Raises:
        InvalidInputError: if the arrays are not valid or a class is missing.

    Example:
        >>> auc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1])
        0.875
    """
    return auc_of(tally(scores, labels))


def auc_of(counts: Tally) -> float:
    """Return the area under the ROC of counted scores."""
    counts.need_both("AUC")
    above, level = counts.true_positives[:-1], counts.fakes
    pairs = float(counts.reals @ (above + level / 2))
    return pairs / (counts.real_count * counts.fake_count)


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the precision averaged over the steps of recall, without interpolation.

    Raises:
        InvalidInputError: if the arrays are not valid or a class is missing.

    Example:
        >>> average_precision([0.1, 0.4, 0.8], [0, 1, 1])
        1.0
    """
    return average_precision_of(tally(scores, labels))


def average_precision_of(counts: Tally) -> float:
    """Return the average precision of counted scores."""
    counts.need_both("average precision")
    judged = counts.true_positives[1:] + counts.false_positives[1:]
    # Where nothing has been judged fake yet, recall takes no step: any precision will do.
    precision = counts.true_positives[1:] / np.maximum(judged, np.finfo(np.float64).tiny)
    return float(counts.fakes @ precision) / counts.fake_count


def roc(scores: ArrayLike, labels: ArrayLike) -> Roc:
    """Return every operating point of the scores.

    Raises:
        InvalidInputError: if the arrays are not valid or a class is missing.
    """
    return roc_of(tally(scores, labels))


def roc_of(counts: Tally) -> Roc:
    """Return every operating point of counted scores."""
    counts.need_both("ROC")
    return Roc(
        counts.false_positives / counts.real_count,
        counts.true_positives / counts.fake_count,
        np.concatenate([[np.inf], counts.scores]),
    )


def eer(scores: ArrayLike, labels: ArrayLike) -> EqualErrorRate:
    """Return the equal error rate: where the ROC crosses the line of equal errors.

    Raises:
        InvalidInputError: if the arrays are not valid or a class is missing.

    Example:
        >>> eer([0.1, 0.6, 0.4, 0.8], [0, 0, 1, 1]).rate
        0.5
    """
    return eer_of(tally(scores, labels))


def eer_of(counts: Tally) -> EqualErrorRate:
    """Return the equal error rate of counted scores."""
    false_positive_rate, true_positive_rate, thresholds = roc_of(counts)
    excess = false_positive_rate - (1 - true_positive_rate)  # rises from -1 to 1
    after = int(np.argmax(excess >= 0))
    before = after - 1
    share = -excess[before] / (excess[after] - excess[before])
    rise = false_positive_rate[after] - false_positive_rate[before]
    nearer = before if share < 0.5 and before > 0 else after
    return EqualErrorRate(
        float(false_positive_rate[before] + share * rise), float(thresholds[nearer])
    )


def tpr_at_fpr(scores: ArrayLike, labels: ArrayLike, false_positive_rate: float) -> float:
    """Return the largest true positive rate that an allowed false positive rate buys.

    Only attained operating points count: no interpolation promises a rate that no threshold has.

    Args:
        scores: (n,) in [0, 1].
        labels: (n,) 0 real, 1 fake.
        false_positive_rate: the largest share of reals that may be judged fake, in [0, 1].

    Raises:
        InvalidInputError: if the arrays or the rate are not valid, or a class is missing.

    Example:
        >>> tpr_at_fpr([0.1, 0.6, 0.4, 0.8], [0, 0, 1, 1], 0.1)
        0.5
    """
    return tpr_at_fpr_of(tally(scores, labels), false_positive_rate)


def tpr_at_fpr_of(counts: Tally, false_positive_rate: float) -> float:
    """Return the largest true positive rate at an allowed false positive rate."""
    if not 0 <= false_positive_rate <= 1:
        raise InvalidInputError(
            f"false_positive_rate must lie in [0, 1], got {false_positive_rate}; "
            "one percent is 0.01"
        )
    points = roc_of(counts)
    last = np.searchsorted(points.false_positive_rate, false_positive_rate, side="right") - 1
    return float(points.true_positive_rate[last])
