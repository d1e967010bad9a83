"""How well one of several classes is named: by which maker a fake was made, for one.

All that depends on decisions alone is computed from a confusion matrix, whose rows are the truth.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.errors import InvalidInputError
from unmask.metrics.calibration import Binning, ece
from unmask.metrics.tally import FloatArray, IntArray

LEAST_PROBABILITY = 1e-15


class PerClass(NamedTuple):
    """What each class alone reaches; what has no answer is NaN.

    Attributes:
        precision: (classes,) share of the items judged to be of it that are; NaN where none is.
        recall: (classes,) share of its items that are judged so; NaN where it has none.
        f1: (classes,) the harmonic mean of both; 0 where no item of it was found.
        support: (classes,) how many items it has.
    """

    precision: FloatArray
    recall: FloatArray
    f1: FloatArray
    support: IntArray


def confusion_matrix(truth: ArrayLike, predicted: ArrayLike, classes: int) -> IntArray:
    """Return how many items of each class were judged to be of each class.

    Args:
        truth: (n,) the place of each item's class, from 0.
        predicted: (n,) the place of the class that it was judged to be of.
        classes: how many there are.

    Returns:
        (classes, classes); a row for each true class, a column for each predicted one.

    Raises:
        InvalidInputError: if there is no item, not one prediction for each, or no such class.

    Example:
        >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2).tolist()
        [[1, 1], [0, 1]]
    """
    rows, columns = checked_classes(truth, predicted, classes)
    counts: IntArray = np.bincount(rows * classes + columns, minlength=classes**2)
    return counts.reshape(classes, classes)


def accuracy(matrix: ArrayLike) -> float:
    """Return the share of items whose class was named, of a confusion matrix.

    Raises:
        InvalidInputError: if it is no confusion matrix.

    Example:
        >>> accuracy([[1, 1], [0, 2]])
        0.75
    """
    return float(_accuracies(_checked_matrix(matrix)))


def balanced_accuracy(matrix: ArrayLike) -> float:
    """Return the mean of the classes' recalls; classes without any item are left out.

    Raises:
        InvalidInputError: if it is no confusion matrix.

    Example:
        >>> balanced_accuracy([[1, 1], [0, 2]])
        0.75
    """
    return float(_balanced_accuracies(_checked_matrix(matrix)))


def macro_f1(matrix: ArrayLike) -> float:
    """Return the mean of the classes' F1; classes without any item are left out.

    Raises:
        InvalidInputError: if it is no confusion matrix.

    Example:
        >>> round(macro_f1([[1, 1], [0, 2]]), 4)
        0.7333
    """
    return float(_macro_f1s(_checked_matrix(matrix)))


def per_class(matrix: ArrayLike) -> PerClass:
    """Return precision, recall, F1 and support of each class, of a confusion matrix.

    Raises:
        InvalidInputError: if it is no confusion matrix.

    Example:
        >>> per_class([[1, 1], [0, 2]]).recall.tolist()
        [0.5, 1.0]
    """
    counts = _checked_matrix(matrix)
    return PerClass(
        precisions(counts), recalls(counts), f1s(counts), counts.sum(1).astype(np.int64)
    )


def precisions(matrices: FloatArray) -> FloatArray:
    """Return the precision (..., classes) of confusion matrices (..., classes, classes)."""
    return _ratio(_right(matrices), matrices.sum(-2))


def recalls(matrices: FloatArray) -> FloatArray:
    """Return the recall (..., classes) of confusion matrices (..., classes, classes)."""
    return _ratio(_right(matrices), matrices.sum(-1))


def f1s(matrices: FloatArray) -> FloatArray:
    """Return the F1 (..., classes) of confusion matrices (..., classes, classes)."""
    support = matrices.sum(-1)
    found = _ratio(2 * _right(matrices), support + matrices.sum(-2))
    return np.where(support > 0, found, np.nan)


def _accuracies(matrices: FloatArray) -> FloatArray:
    return _ratio(_right(matrices).sum(-1), matrices.sum((-2, -1)))


def _balanced_accuracies(matrices: FloatArray) -> FloatArray:
    means: FloatArray = np.nanmean(recalls(matrices), -1)
    return means


def _macro_f1s(matrices: FloatArray) -> FloatArray:
    means: FloatArray = np.nanmean(f1s(matrices), -1)
    return means


# Each takes confusion matrices (..., classes, classes) and returns one number (...) for each.
MEASURES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "accuracy": _accuracies,
    "balanced_accuracy": _balanced_accuracies,
    "macro_f1": _macro_f1s,
}


def top_k_accuracy(truth: ArrayLike, probabilities: ArrayLike, *, k: int) -> float:
    """Return the share of items whose class is among the k likeliest.

    Raises:
        InvalidInputError: as `top_k_hits`.

    Example:
        >>> top_k_accuracy([0, 1], [[0.2, 0.5, 0.3], [0.3, 0.5, 0.2]], k=2)
        0.5
    """
    return float(top_k_hits(truth, probabilities, k=k).mean())


def top_k_hits(truth: ArrayLike, probabilities: ArrayLike, *, k: int) -> FloatArray:
    """Return whether the class of each item is among the k likeliest, as 0 or 1.

    Where classes tie across that border, it is how often a random order of them has the true one
    among the first k: an answer that says the same of all classes is right in k of n.

    Args:
        truth: (n,) the place of each item's class, from 0.
        probabilities: (n, classes) of each class; any values of that order will do.
        k: how many guesses are allowed, 1 to the number of classes.

    Raises:
        InvalidInputError: if the arrays do not fit, hold no such class or are not finite, or if
            k is out of range.

    Example:
        >>> top_k_hits([0, 1], [[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]], k=2).tolist()
        [1.0, 0.5]
    """
    places, values = _checked_values(truth, probabilities)
    if not 1 <= k <= values.shape[1]:
        raise InvalidInputError(
            f"k must lie between 1 and the {values.shape[1]} classes, got {k}; lower k"
        )
    own = np.take_along_axis(values, places[:, np.newaxis], 1)
    above, level = (values > own).sum(1), (values == own).sum(1)
    hits: FloatArray = np.clip((k - above) / level, 0, 1)
    return hits


def log_loss(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean of the negative logarithm of the probability of the true class.

    Args:
        truth: (n,) the place of each item's class, from 0.
        probabilities: (n, classes) in [0, 1], 1 in sum; 0 counts as 1e-15.

    Raises:
        InvalidInputError: if the arrays do not fit, hold no such class or no probabilities.

    Example:
        >>> round(log_loss([0, 1], [[0.5, 0.5], [0.5, 0.5]]), 4)
        0.6931
    """
    return float(log_losses(truth, probabilities).mean())


def log_losses(truth: ArrayLike, probabilities: ArrayLike) -> FloatArray:
    """Return the loss (n,) of each item, whose mean is `log_loss`; its arguments and errors."""
    places, values = _checked_probabilities(truth, probabilities)
    own = np.take_along_axis(values, places[:, np.newaxis], 1)[:, 0]
    losses: FloatArray = -np.log(own.clip(LEAST_PROBABILITY))
    return losses


def top_label_ece(
    truth: ArrayLike,
    probabilities: ArrayLike,
    *,
    bins: int = 15,
    binning: Binning = "equal_width",
) -> float:
    """Return the expected calibration error of the probability of the class that was named.

    Args:
        truth: (n,) the place of each item's class, from 0.
        probabilities: (n, classes) in [0, 1], 1 in sum; of equal ones the first is named.
        bins: as for `calibration.ece`.
        binning: as for `calibration.ece`.

    Raises:
        InvalidInputError: if the arrays do not fit, hold no such class or no probabilities.

    Reference:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 2.
        https://arxiv.org/abs/1706.04599

    Example:
        >>> top_label_ece([0, 0], [[0.75, 0.25], [0.25, 0.75]])
        0.25
    """
    places, values = _checked_probabilities(truth, probabilities)
    right = values.argmax(1) == places
    return ece(values.max(1).clip(0, 1), right.astype(np.int64), bins=bins, binning=binning)


def checked_classes(
    truth: ArrayLike, predicted: ArrayLike, classes: int
) -> tuple[IntArray, IntArray]:
    """Return true and predicted classes as integers.

    Raises:
        InvalidInputError: if there is no item, not one prediction for each, or no such class.
    """
    listed = np.asarray(truth), np.asarray(predicted)
    if listed[0].ndim != 1 or listed[0].shape != listed[1].shape or not listed[0].size:
        raise InvalidInputError(
            "truth and predicted must be two lists of one length, got shapes "
            f"{listed[0].shape} and {listed[1].shape}; give one prediction for each item"
        )
    rows, columns = (
        _places(name, one, classes)
        for name, one in zip(("truth", "predicted"), listed, strict=True)
    )
    return rows, columns


def _places(name: str, listed: NDArray[np.generic], classes: int) -> IntArray:
    if listed.dtype.kind not in "iub":
        raise InvalidInputError(
            f"{name} must be integers, got {listed.dtype}; replace the names of classes by their "
            "places"
        )
    places = listed.astype(np.int64)
    wrong = np.flatnonzero((places < 0) | (places >= classes))
    if len(wrong):
        raise InvalidInputError(
            f"{name} must be the place of one of {classes} classes, got {places[wrong[0]]} at "
            f"position {wrong[0]}; count from 0, or give all classes"
        )
    return places


def _checked_matrix(matrix: ArrayLike) -> FloatArray:
    counts = np.asarray(matrix, dtype=np.float64)
    if counts.ndim != 2 or len({*counts.shape}) != 1 or not (counts >= 0).all():
        raise InvalidInputError(
            "matrix must have as many rows as columns, of counts, got shape "
            f"{counts.shape}; make it with confusion_matrix"
        )
    if not counts.sum():
        raise InvalidInputError("matrix must count at least one item, got none; add items")
    return counts


def _checked_values(truth: ArrayLike, probabilities: ArrayLike) -> tuple[IntArray, FloatArray]:
    values, listed = np.asarray(probabilities, dtype=np.float64), np.asarray(truth)
    if values.ndim != 2 or listed.shape != values.shape[:1] or not values.size:
        raise InvalidInputError(
            "probabilities must be one row for each item, of one column for each class, got shape "
            f"{values.shape} for truth of {listed.shape}; stack the classes' columns"
        )
    if not np.isfinite(values).all():
        place = int(np.flatnonzero(~np.isfinite(values).all(1))[0])
        raise InvalidInputError(
            f"probabilities must be finite, got {values[place].tolist()} at position {place}; "
            "leave out what was not scored"
        )
    return _places("truth", listed, values.shape[1]), values


def _checked_probabilities(
    truth: ArrayLike, probabilities: ArrayLike
) -> tuple[IntArray, FloatArray]:
    places, values = _checked_values(truth, probabilities)
    wrong = np.flatnonzero((values < 0).any(1) | (np.abs(values.sum(1) - 1) > 1e-4))
    if len(wrong):
        raise InvalidInputError(
            "probabilities must be 0 or more and 1 in sum, got "
            f"{values[wrong[0]].tolist()} at position {wrong[0]}; apply the softmax to logits"
        )
    return places, values


def _right(matrices: FloatArray) -> FloatArray:
    return np.diagonal(matrices, axis1=-2, axis2=-1)


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return part / whole; NaN where the whole is 0."""
    shares = np.full(np.shape(part), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
