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
    scaled: FloatArray = softmax(_logarithms(probabilities) / temperature, -1)
    return scaled


def fit_class_temperature(truth: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the temperature that makes the true classes of validation likeliest.

    It is held between 1/20 and 20: classes that are parted perfectly would drive it to 0,
    probabilities that say nothing to infinity.

    Args:
        truth: (n,) the place of each item's class, from 0.
        probabilities: (n, classes) in [0, 1], 1 in sum, of the validation set.

    Raises:
        InvalidInputError: if the arrays do not fit, hold no such class or no probabilities.

    Reference:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2.
        https://arxiv.org/abs/1706.04599
    """
    log_loss(truth, probabilities)  # which checks both
    logits, places = _logarithms(probabilities), np.asarray(truth)[:, np.newaxis]
    own = np.take_along_axis(logits, places, 1).mean()

    def gradient(slope: float) -> float:  # of the log loss, rising with the slope
        return float((softmax(slope * logits, -1) * logits).sum(-1).mean() - own)

    if gradient(1 / STEEPEST) >= 0:
        return STEEPEST
    if gradient(STEEPEST) <= 0:
        return 1 / STEEPEST
    return 1 / float(brentq(gradient, 1 / STEEPEST, STEEPEST, xtol=1e-12))


def _logarithms(probabilities: ArrayLike) -> FloatArray:
    values = np.asarray(probabilities, dtype=np.float64)
    logarithms: FloatArray = np.log(values.clip(LEAST_PROBABILITY))
    return logarithms
