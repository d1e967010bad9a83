"""Scores counted by value: what every measure of a detector is computed from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Tally:
    """How many reals and how many fakes have each score.

    Equal scores stand in one place, so ties need no care in any measure. The counts may be
    weights: a video that a resample drew twice counts twice.

    Args:
        scores: (K,) the distinct scores, falling.
        reals: (K,) the number of reals with each score.
        fakes: (K,) the number of fakes with each score.
    """

    scores: FloatArray
    reals: FloatArray
    fakes: FloatArray

    @cached_property
    def false_positives(self) -> FloatArray:
        """(K + 1,) the reals judged fake when the first 0, 1 ... K distinct scores are."""
        return np.concatenate([[0.0], np.cumsum(self.reals)])

    @cached_property
    def true_positives(self) -> FloatArray:
        """(K + 1,) the fakes judged fake when the first 0, 1 ... K distinct scores are."""
        return np.concatenate([[0.0], np.cumsum(self.fakes)])

    @property
    def real_count(self) -> float:
        """The number of reals."""
        return float(self.false_positives[-1])

    @property
    def fake_count(self) -> float:
        """The number of fakes."""
        return float(self.true_positives[-1])

    def need_both(self, measure: str) -> None:
        """Refuse a set that lacks a class.

        Raises:
            InvalidInputError: the message says which measure asked and how many there are.
        """
        if not (self.real_count and self.fake_count):
            raise InvalidInputError(
                f"labels must hold both classes to give the {measure}, got {self.real_count:.0f} "
                f"real and {self.fake_count:.0f} fake; add items of the missing class or ask for "
                "the accuracy"
            )


class Sample:
    """Checked scores with their labels, to be tallied again and again under other weights.

    Args:
        scores: (n,) probabilities of being fake, in [0, 1].
        labels: (n,) 0 for real, 1 for fake.

    Raises:
        InvalidInputError: if they are empty, of unequal length, or hold any other value.
    """

    def __init__(self, scores: ArrayLike, labels: ArrayLike) -> None:
        self.scores, self.labels = _checked(scores, labels)
        distinct, self._place = np.unique(-self.scores, return_inverse=True)
        self._falling = -distinct
        self._real = np.flatnonzero(self.labels == REAL)
        self._fake = np.flatnonzero(self.labels == FAKE)
        self._real_place, self._fake_place = self._place[self._real], self._place[self._fake]

    def __len__(self) -> int:
        return len(self.scores)

    def tally(self, weights: FloatArray | None = None) -> Tally:
        """Return the counts by score, each row counted `weights` (n,) times, or once."""
        size = len(self._falling)
        of_real, of_fake = (
            (None, None) if weights is None else (weights[self._real], weights[self._fake])
        )
        return Tally(
            self._falling,
            np.bincount(self._real_place, of_real, size).astype(np.float64),
            np.bincount(self._fake_place, of_fake, size).astype(np.float64),
        )


def tally(scores: ArrayLike, labels: ArrayLike) -> Tally:
    """Return how many reals and fakes have each score.

    Raises:
        InvalidInputError: as `Sample`.

    Example:
        >>> tally([0.2, 0.9, 0.9], [0, 0, 1]).fakes.tolist()
        [1.0, 0.0]
    """
    return Sample(scores, labels).tally()


def _checked(scores: ArrayLike, labels: ArrayLike) -> tuple[FloatArray, IntArray]:
    values, classes = np.asarray(scores), np.asarray(labels)
    if values.ndim != 1 or values.shape != classes.shape:
        raise InvalidInputError(
            f"scores and labels must be two lists of one length, got shapes {values.shape} and "
            f"{classes.shape}; give one label for each score"
        )
    if not len(values):
        raise InvalidInputError(
            "scores must hold at least one value, got none; look at the statuses of the faces"
        )
    return checked_scores(values), _checked_labels(classes)


def checked_scores(scores: ArrayLike) -> FloatArray:
    """Return the scores as float64.

    Raises:
        InvalidInputError: if one is not a number in [0, 1]; the message has it and its position.
    """
    values = np.asarray(scores)
    if values.dtype.kind not in "fiub":
        raise InvalidInputError(f"scores must be numbers, got {values.dtype}; convert them")
    values = values.astype(np.float64)
    wrong = np.flatnonzero(~((values >= 0) & (values <= 1)))
    if len(wrong):
        raise InvalidInputError(
            f"scores must be finite and lie in [0, 1], got {values[wrong[0]]} at position "
            f"{wrong[0]}; apply the sigmoid to logits and leave out what was not scored"
        )
    return values


def _checked_labels(labels: NDArray[np.generic]) -> IntArray:
    if labels.dtype.kind in "fiub":
        wrong = np.flatnonzero((labels != REAL) & (labels != FAKE))
        if not len(wrong):
            return labels.astype(np.int64)
    else:
        wrong = np.array([0])
    raise InvalidInputError(
        f"labels must be {REAL} (real) or {FAKE} (fake), got {labels[wrong[0]]!r} at position "
        f"{wrong[0]}; map the classes first"
    )
