"""Whether a score of 0.8 means that 8 in 10 are fake."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from unmask.errors import InvalidInputError, unknown_name
from unmask.metrics.tally import FloatArray, IntArray, Tally, tally

Binning = Literal["equal_width", "equal_mass"]


class Reliability(NamedTuple):
    """The bins of a reliability diagram; empty bins hold zeros.

    Attributes:
        mean_score: (bins,) the mean score in each.
        fake_share: (bins,) the share of fakes in each.
        counts: (bins,) how many scores fell into each.
    """

    mean_score: FloatArray
    fake_share: FloatArray
    counts: FloatArray


def brier(scores: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean squared distance of the score from the label.

    Raises:
        InvalidInputError: if the arrays are not valid.

    Example:
        >>> brier([0.0, 0.5], [0, 1])
        0.125
    """
    return brier_of(tally(scores, labels))


def brier_of(counts: Tally) -> float:
    """Return the Brier score of counted scores."""
    wrong = counts.fakes @ (1 - counts.scores) ** 2 + counts.reals @ counts.scores**2
    return float(wrong) / (counts.real_count + counts.fake_count)


def ece(
    scores: ArrayLike, labels: ArrayLike, *, bins: int = 15, binning: Binning = "equal_width"
) -> float:
    """Return the expected calibration error: the mean distance of score and share of fakes.

    It is of the probability of being fake, over the whole of [0, 1], not of the confidence in
    the class that was judged likelier.

    Args:
        scores: (n,) in [0, 1].
        labels: (n,) 0 real, 1 fake.
        bins: into how many bins the scores are sorted; the lower edge belongs to a bin.
        binning: `equal_width`, or `equal_mass` for equally many scores in each; equal scores
            always share a bin.

    Raises:
        InvalidInputError: if the arrays or the number of bins are not valid.
        NotFoundError: if there is no such binning.

    Reference:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 2.
        https://arxiv.org/abs/1706.04599

    Example:
        >>> ece([0.25, 0.25, 0.25, 0.25], [0, 0, 1, 1])
        0.25
    """
    return ece_of(tally(scores, labels), bins=bins, binning=binning)


def ece_of(counts: Tally, *, bins: int = 15, binning: Binning = "equal_width") -> float:
    """Return the expected calibration error of counted scores."""
    found = reliability_of(counts, bins=bins, binning=binning)
    gaps = np.abs(found.mean_score - found.fake_share)
    return float(found.counts @ gaps) / (counts.real_count + counts.fake_count)


def reliability(
    scores: ArrayLike, labels: ArrayLike, *, bins: int = 15, binning: Binning = "equal_width"
) -> Reliability:
    """Return the bins of the reliability diagram; the arguments are those of `ece`.

    Raises:
        InvalidInputError: if the arrays or the number of bins are not valid.
    """
    return reliability_of(tally(scores, labels), bins=bins, binning=binning)


def reliability_of(
    counts: Tally, *, bins: int = 15, binning: Binning = "equal_width"
) -> Reliability:
    """Return the reliability diagram of counted scores."""
    if bins < 1:
        raise InvalidInputError(f"bins must be 1 or more, got {bins}; 15 are usual")
    if binning not in get_args(Binning):
        raise unknown_name("the binnings", binning, get_args(Binning))
    mass = counts.reals + counts.fakes
    place = _equal_width(counts, bins) if binning == "equal_width" else _equal_mass(mass, bins)
    inside, total, fakes = (
        np.bincount(place, weights, bins).astype(np.float64)
        for weights in (mass, mass * counts.scores, counts.fakes)
    )
    divisor = np.where(inside > 0, inside, 1)
    return Reliability(total / divisor, fakes / divisor, inside)


def _equal_width(counts: Tally, bins: int) -> IntArray:
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, counts.scores, side="right").astype(np.int64)


def _equal_mass(mass: FloatArray, bins: int) -> IntArray:
    # A distinct score goes where the middle of its mass lies, so that ties are never parted.
    middle = np.cumsum(mass) - mass / 2
    place: IntArray = np.minimum(middle * bins / mass.sum(), bins - 1).astype(np.int64)
    return place
