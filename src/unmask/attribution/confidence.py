"""How sure a network is of the maker that it names: large where it knows it, small where not."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, logsumexp, softmax

from unmask.errors import InvalidInputError, unknown_name
from unmask.metrics.tally import FloatArray

Rule = Callable[[FloatArray], FloatArray]

USUAL = "max_softmax"


def _max_softmax(probabilities: FloatArray) -> FloatArray:
    """Return the probability of the likeliest class (Hendrycks and Gimpel, ICLR 2017)."""
    largest: FloatArray = probabilities.max(-1)
    return largest


def _margin(probabilities: FloatArray) -> FloatArray:
    """Return how far the likeliest class lies above the second, in probability."""
    two = np.partition(probabilities, -2, -1)[..., -2:]
    apart: FloatArray = two[..., 1] - two[..., 0]
    return apart


def _entropy(probabilities: FloatArray) -> FloatArray:
    """Return 1 less the entropy over its largest value: 0 where all classes are as likely."""
    certain: FloatArray = 1 - entr(probabilities).sum(-1) / np.log(probabilities.shape[-1])
    return certain


def _energy(logits: FloatArray) -> FloatArray:
    """Return the negative energy (Liu et al., NeurIPS 2020), the logits' log-sum-exp."""
    total: FloatArray = logsumexp(logits, -1)
    return total


def _max_logit(logits: FloatArray) -> FloatArray:
    """Return the largest logit (Hendrycks et al., ICML 2022)."""
    largest: FloatArray = logits.max(-1)
    return largest


OF_PROBABILITIES: dict[str, Rule] = {
    "max_softmax": _max_softmax,
    "margin": _margin,
    "entropy": _entropy,
}
# What a softmax takes away, the level of all logits together, is what these look at.
OF_LOGITS: dict[str, Rule] = {"energy": _energy, "max_logit": _max_logit}
RULES = OF_PROBABILITIES | OF_LOGITS


def confidence(probabilities: ArrayLike, rule: str = USUAL) -> FloatArray:
    """Return the confidence (n,) in the class that is likeliest.

    Args:
        probabilities: (n, classes), two classes or more.
        rule: `max_softmax`, the largest probability; `margin`, its distance to the second; or
            `entropy`, 1 less the entropy over that of even odds. All lie in [0, 1].

    Raises:
        NotFoundError: if there is no such rule.
        InvalidInputError: if these are no probabilities, or the rule needs logits.

    Example:
        >>> [float(one) for one in confidence([[0.75, 0.25], [0.5, 0.5]], "margin").round(3)]
        [0.5, 0.0]
    """
    if rule in OF_LOGITS:
        raise InvalidInputError(
            f"rule must be one of {', '.join(OF_PROBABILITIES)} for probabilities, got {rule!r}; "
            "give the logits to confidence_of_logits"
        )
    if rule not in OF_PROBABILITIES:
        raise unknown_name("the rules of confidence", rule, RULES)
    values = np.asarray(probabilities, dtype=np.float64)
    is_table = values.ndim == 2 and values.shape[1] > 1
    if not is_table or not (values >= 0).all() or (abs(values.sum(-1) - 1) > 1e-4).any():
        raise InvalidInputError(
            "probabilities must be one row of two classes or more for each item, 0 or more and 1 "
            f"in sum, got shape {values.shape}; apply the softmax to logits, or use "
            "confidence_of_logits"
        )
    return OF_PROBABILITIES[rule](values)


def confidence_of_logits(logits: ArrayLike, rule: str = USUAL) -> FloatArray:
    """Return the confidence (n,) in the class that is likeliest.

    Args:
        logits: (n, classes), two classes or more.
        rule: one of `confidence`; or `energy`, the logarithm of the sum of the logits'
            exponentials, or `max_logit`, the largest logit, which are any numbers.

    Raises:
        NotFoundError: if there is no such rule.
        InvalidInputError: if there are fewer than two classes or a logit is no number.

    Example:
        >>> confidence_of_logits([[1.0, 3.0], [-2.0, -5.0]], "max_logit").tolist()
        [3.0, -2.0]
    """
    if rule not in RULES:
        raise unknown_name("the rules of confidence", rule, RULES)
    values = np.asarray(logits, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not np.isfinite(values.max(-1)).all():
        raise InvalidInputError(
            "logits must be one row of two classes or more for each item, of numbers, got shape "
            f"{values.shape}; leave out what was not scored"
        )
    if rule in OF_LOGITS:
        return OF_LOGITS[rule](values)
    return OF_PROBABILITIES[rule](softmax(values, -1))
