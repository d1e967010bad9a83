"""How well scores decide at one threshold, and how that threshold is chosen on validation."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import InvalidInputError, unknown_name
from unmask.metrics.ranking import eer_of
from unmask.metrics.tally import Tally, tally

ThresholdRule = Literal["balanced_accuracy", "eer", "fixed"]


class Confusion(NamedTuple):
    """How many of each class were judged real and fake."""

    true_negatives: float
    false_positives: float
    false_negatives: float
    true_positives: float


def confusion(scores: ArrayLike, labels: ArrayLike, *, threshold: float) -> Confusion:
    """Return the counts of right and wrong decisions; a score at the threshold is judged fake.

    Args:
        scores: (n,) in [0, 1].
        labels: (n,) 0 real, 1 fake.
        threshold: in [0, 1].

    Raises:
        InvalidInputError: if the arrays or the threshold are not valid.

    Example:
        >>> confusion([0.1, 0.6, 0.8], [0, 0, 1], threshold=0.5).false_positives
        1.0
    """
    return confusion_of(tally(scores, labels), threshold)


def confusion_of(counts: Tally, threshold: float) -> Confusion:
    """Return the decisions on counted scores."""
    check_threshold(threshold)
    judged = np.searchsorted(-counts.scores, -threshold, side="right")
    false, true = float(counts.false_positives[judged]), float(counts.true_positives[judged])
    return Confusion(counts.real_count - false, false, counts.fake_count - true, true)


def accuracy(scores: ArrayLike, labels: ArrayLike, *, threshold: float) -> float:
    """Return the share of right decisions at a stated threshold.

    Raises:
        InvalidInputError: if the arrays or the threshold are not valid.

    Example:
        >>> accuracy([0.1, 0.6, 0.8, 0.9], [0, 0, 1, 1], threshold=0.5)
        0.75
    """
    return accuracy_of(tally(scores, labels), threshold)


def accuracy_of(counts: Tally, threshold: float) -> float:
    """Return the share of right decisions on counted scores."""
    found = confusion_of(counts, threshold)
    return (found.true_negatives + found.true_positives) / sum(found)


def balanced_accuracy(scores: ArrayLike, labels: ArrayLike, *, threshold: float) -> float:
    """Return the mean of the shares of reals and of fakes that are judged right.

    Raises:
        InvalidInputError: if the arrays or the threshold are not valid, or a class is missing.

    Example:
        >>> balanced_accuracy([0.1, 0.6, 0.8, 0.9], [0, 0, 1, 1], threshold=0.5)
        0.75
    """
    return balanced_accuracy_of(tally(scores, labels), threshold)


def balanced_accuracy_of(counts: Tally, threshold: float) -> float:
    """Return the balanced accuracy on counted scores."""
    counts.need_both("balanced accuracy")
    found = confusion_of(counts, threshold)
    right_reals = found.true_negatives / counts.real_count
    return (right_reals + found.true_positives / counts.fake_count) / 2


def choose_threshold(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    rule: ThresholdRule = "balanced_accuracy",
    fixed: float = 0.5,
) -> float:
    """Return the threshold to decide with, from the scores of a validation set.

    It lies midway between two neighbouring scores, so that new scores have room on both sides.

    Args:
        scores: (n,) in [0, 1], of the validation set, never of the test set.
        labels: (n,) 0 real, 1 fake.
        rule: `balanced_accuracy` takes the best one (of equals, that nearest to one half), `eer`
            that of the equal error rate, `fixed` the number given.
        fixed: the threshold of the rule `fixed`.

    Raises:
        NotFoundError: if there is no such rule.
        InvalidInputError: if the arrays or the fixed number are not valid, or a class is missing.

    Example:
        >>> choose_threshold([0.1, 0.25, 0.75, 0.9], [0, 0, 1, 1])
        0.5
    """
    if rule not in get_args(ThresholdRule):
        raise unknown_name("the threshold rules", rule, get_args(ThresholdRule))
    if rule == "fixed":
        check_threshold(fixed)
        return fixed
    counts = tally(scores, labels)
    if rule == "eer":
        return _midway(counts, int(np.searchsorted(-counts.scores, -eer_of(counts).threshold)))
    counts.need_both("balanced accuracy")
    reward = (
        counts.true_positives[1:] / counts.fake_count
        - counts.false_positives[1:] / counts.real_count
    )
    best = np.flatnonzero(reward >= reward.max() - 1e-12)
    return min((_midway(counts, int(place)) for place in best), key=lambda one: abs(one - 0.5))


def _midway(counts: Tally, place: int) -> float:
    """Return a threshold between the score at `place`, still judged fake, and the next lower."""
    upper = float(counts.scores[place])
    lower = float(counts.scores[place + 1]) if place + 1 < len(counts.scores) else 0.0
    middle = (upper + lower) / 2
    return middle if middle > lower else upper  # neighbouring floats have no middle


def check_threshold(threshold: float) -> None:
    """Refuse a threshold outside [0, 1].

    Raises:
        InvalidInputError: with the number.
    """
    if not 0 <= threshold <= 1:
        raise InvalidInputError(
            f"threshold must lie in [0, 1], got {threshold}; choose it with choose_threshold"
        )
