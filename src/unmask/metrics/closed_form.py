"""Intervals in closed form, for where a bootstrap has none: when every resample agrees."""

from math import sqrt

from scipy.optimize import brentq
from scipy.special import ndtri

from unmask.errors import InvalidInputError


def wilson(share: float, count: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the score interval of a share of independent trials.

    Args:
        share: the observed share, in [0, 1].
        count: the number of trials, 1 or more.
        confidence: the share of such intervals that are to hold the truth.

    Raises:
        InvalidInputError: if the share or the count is not valid.

    Reference:
        Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of
        the American Statistical Association 22, 1927.

    Example:
        >>> [round(end, 3) for end in wilson(1.0, 10)]
        [0.722, 1.0]
    """
    _check(share, count)
    squared = _normal_quantile(confidence) ** 2
    middle = share + squared / (2 * count)
    reach = sqrt(squared * (share * (1 - share) + squared / (4 * count)) / count)
    width = 1 + squared / count
    return max(0.0, (middle - reach) / width), min(1.0, (middle + reach) / width)


def auc_score_interval(
    value: float, reals: int, fakes: int, *, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the score interval of an AUC, which is sound at 0 and 1 too.

    Args:
        value: the observed AUC, in [0, 1].
        reals: the number of independent reals: of videos, not of frames.
        fakes: the number of independent fakes.
        confidence: the share of such intervals that are to hold the truth.

    Raises:
        InvalidInputError: if the value or a count is not valid.

    Reference:
        Newcombe, "Confidence intervals for an effect size measure based on the Mann-Whitney
        statistic. Part 2", Statistics in Medicine 25, 2006, method 5.

    Example:
        >>> [round(end, 3) for end in auc_score_interval(1.0, 10, 10)]
        [0.8, 1.0]
    """
    _check(value, min(reals, fakes))
    squared = _normal_quantile(confidence) ** 2
    others = (reals + fakes) / 2 - 1

    def beyond(truth: float) -> float:  # above 0 where the truth is too far from the value
        spread = 1 + others * ((1 - truth) / (2 - truth) + truth / (1 + truth))
        return (value - truth) ** 2 - squared * truth * (1 - truth) * spread / (reals * fakes)

    tiny = 1e-9  # the variance vanishes at 0 and 1, so both are roots there
    low = float(brentq(beyond, 0, value - tiny)) if value > tiny else 0.0
    high = float(brentq(beyond, value + tiny, 1)) if value < 1 - tiny else 1.0
    return low, high


def _normal_quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise InvalidInputError(f"confidence must lie in (0, 1), got {confidence}; 0.95 is usual")
    return float(ndtri((1 + confidence) / 2))


def _check(share: float, count: int) -> None:
    if not 0 <= share <= 1 or count < 1:
        raise InvalidInputError(
            f"an interval must be of a share in [0, 1] of 1 or more trials, got {share} of "
            f"{count}; count videos"
        )
