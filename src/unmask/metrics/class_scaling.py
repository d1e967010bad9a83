"""Making the probabilities of several classes mean what they say, by what validation showed."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import softmax

from unmask.errors import InvalidInputError
from unmask.metrics.multiclass import LEAST_PROBABILITY, log_loss
from unmask.metrics.scaling import STEEPEST
from unmask.metrics.tally import FloatArray


def at_temperature(probabilities: ArrayLike, temperature: float) -> FloatArray:
    """Return probabilities (n, classes) whose logarithms are divided by a temperature.

    Of two classes it is what dividing the logit of one does. The order of the classes stays.

    Args:
        probabilities: (n, classes) in [0, 1]; 0 counts as 1e-15.
        temperature: above 0.

    Raises:
        InvalidInputError: if the temperature is not above 0.

    Example:
        >>> at_temperature([[0.8, 0.2]], 0.5).round(3).tolist()
        [[0.941, 0.059]]
    """
    if not temperature > 0:
        raise InvalidInputError(
            f"temperature must be above 0, got {temperature}; fit it with fit_class_temperature"
        )
    scaled: FloatArray = softmax(logarithms(probabilities) / temperature, -1)
    return scaled


def fit_class_temperature(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the temperature that makes the true classes of validation likeliest.

    Each item counts as if of n + 2 like it n + 1 were of its class, as in Platt's rule, and the
    last of any other: classes that n items part perfectly would else drive the temperature to 0,
    and of what is new the network would be as sure. It is held between 1/20 and 20 besides, for
    probabilities that say nothing drive it to infinity.

    Args:
        truth: (n,) the place of each item's class, from 0.
        probabilities: (n, classes) in [0, 1], 1 in sum, of the validation set.

    Raises:
        InvalidInputError: if the arrays do not fit, hold no such class or no probabilities.

    Reference:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
        https://arxiv.org/abs/1706.04599. Platt, "Probabilistic Outputs for Support Vector Machines
        and Comparisons to Regularized Likelihood Methods", 1999, section 2.2.
    """
    log_loss(truth, probabilities)  # which checks both
    logits, places = logarithms(probabilities), np.asarray(truth)[:, np.newaxis]
    count, classes = logits.shape
    targets = np.full_like(logits, 1 / ((count + 2) * (classes - 1)))
    np.put_along_axis(targets, places, (count + 1) / (count + 2), 1)

    def gradient(slope: float) -> float:  # of the log loss, rising with the slope
        return float(((softmax(slope * logits, -1) - targets) * logits).sum(-1).mean())

    if gradient(1 / STEEPEST) >= 0:
        return STEEPEST
    if gradient(STEEPEST) <= 0:
        return 1 / STEEPEST
    return 1 / float(brentq(gradient, 1 / STEEPEST, STEEPEST, xtol=1e-12))


def logarithms(probabilities: ArrayLike) -> FloatArray:
    """Return the logarithms (n, classes) that a temperature divides; 0 counts as 1e-15."""
    values = np.asarray(probabilities, dtype=np.float64)
    found: FloatArray = np.log(values.clip(LEAST_PROBABILITY))
    return found
