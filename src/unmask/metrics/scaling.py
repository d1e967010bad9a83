"""Making scores calibrated, by one or two numbers that are fitted on validation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit

from unmask.errors import InvalidInputError
from unmask.metrics.tally import FloatArray, Sample, checked_scores

# A float32 sigmoid saturates at 0 and 1, whose logits are infinite; this is about logit 16.
CLOSEST_TO_CERTAIN = 1e-7
STEEPEST = 20.0


@dataclass(frozen=True)
class Scaling:
    """A straight line in the logit of the score, which keeps the order of the scores.

    Args:
        slope: above 0; the temperature is its inverse.
        offset: what is added to the logit.

    Raises:
        InvalidInputError: if the slope is negative or a number is not finite.

    Example:
        >>> Scaling(slope=1.0, offset=0.0)([0.25, 0.75]).tolist()
        [0.25, 0.75]
    """

    slope: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.slope) and np.isfinite(self.offset) and self.slope >= 0):
            raise InvalidInputError(
                f"slope must be finite and 0 or more, got {self.slope} with offset {self.offset}; "
                "fit it on validation scores of the right polarity"
            )

    def __call__(self, scores: ArrayLike) -> FloatArray:
        """Return the calibrated scores (n,) of scores (n,) in [0, 1]."""
        scaled: FloatArray = expit(self.slope * _logits(checked_scores(scores)) + self.offset)
        return scaled


def fit_temperature(scores: ArrayLike, labels: ArrayLike) -> Scaling:
    """Return the one temperature that makes validation labels likeliest.

    The temperature is held between 1/20 and 20: scores that part the classes perfectly would
    drive it to 0, scores that say nothing to infinity.

    Args:
        scores: (n,) in [0, 1], of the validation set.
        labels: (n,) 0 real, 1 fake.

    Raises:
        InvalidInputError: if the arrays are not valid or a class is missing.

    Reference:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
        https://arxiv.org/abs/1706.04599
    """
    sample = _with_both(scores, labels)
    logits = _logits(sample.scores)

    def gradient(slope: float) -> float:  # of the log loss, rising with the slope
        return float(np.mean((expit(slope * logits) - sample.labels) * logits))

    if gradient(1 / STEEPEST) >= 0:
        return Scaling(1 / STEEPEST)
    if gradient(STEEPEST) <= 0:
        return Scaling(STEEPEST)
    return Scaling(float(brentq(gradient, 1 / STEEPEST, STEEPEST, xtol=1e-12)))


def fit_platt(scores: ArrayLike, labels: ArrayLike) -> Scaling:
    """Return the slope and offset that make validation labels likeliest.

    The labels are drawn in by Platt's rule, (fakes + 1) / (fakes + 2) and 1 / (reals + 2), which
    keeps the slope finite where the classes part perfectly. The slope is never negative.

    Args:
        scores: (n,) in [0, 1], of the validation set.
        labels: (n,) 0 real, 1 fake.

    Raises:
        InvalidInputError: if the arrays are not valid or a class is missing.

    Reference:
        Platt, "Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized
        Likelihood Methods", 1999, section 2.2.
    """
    sample = _with_both(scores, labels)
    logits = _logits(sample.scores)
    fakes = int(sample.labels.sum())
    reals = len(sample) - fakes
    targets = np.where(sample.labels == 1, (fakes + 1) / (fakes + 2), 1 / (reals + 2))

    def loss(line: FloatArray) -> tuple[float, FloatArray]:
        scaled = line[0] * logits + line[1]
        wrong = expit(scaled) - targets
        value = np.mean(np.logaddexp(0, scaled) - targets * scaled)
        return float(value), np.array([np.mean(wrong * logits), np.mean(wrong)])

    found = minimize(
        loss,
        np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, None), (None, None)],
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    return Scaling(float(found.x[0]), float(found.x[1]))


def _with_both(scores: ArrayLike, labels: ArrayLike) -> Sample:
    sample = Sample(scores, labels)
    sample.tally().need_both("calibration")
    return sample


def _logits(scores: FloatArray) -> FloatArray:
    found: FloatArray = logit(np.clip(scores, CLOSEST_TO_CERTAIN, 1 - CLOSEST_TO_CERTAIN))
    return found
