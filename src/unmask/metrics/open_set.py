"""How well a confidence tells items of known classes from those of a class that nobody learned.

Known is the positive class, as in the literature: the true positive rate is the share of known
items that are accepted, the false positive rate the share of unknown ones that are. An item is
accepted where its confidence is at or above the threshold. Any numbers may be confidences, only
their order counts.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import Clusters, Interval, between, check_resampling
from unmask.metrics.tally import FloatArray

BoolArray = NDArray[np.bool_]

USUAL_RATE = 0.95


class Acceptance(NamedTuple):
    """What a threshold does; what has no answer is NaN.

    Attributes:
        known_accepted: the share of known items that are accepted.
        unknown_refused: the share of unknown items that are refused.
        accepted_accuracy: the share of right classes among the known items that are accepted.
    """

    known_accepted: float
    unknown_refused: float
    accepted_accuracy: float


class Levels(NamedTuple):
    """How many items have each confidence; leading axes may be those of resamples.

    Attributes:
        known: (..., L) of known classes, the most confident first.
        right: (..., L) of those, the ones whose class was named.
        unknown: (..., L) of unknown classes.
    """

    known: FloatArray
    right: FloatArray
    unknown: FloatArray


def unknown_auroc(confidences: ArrayLike, known: ArrayLike) -> float:
    """Return how often a known item is more confident than an unknown one, a tie one half.

    Args:
        confidences: (n,) numbers.
        known: (n,) whether each item is of a class that was learned.

    Raises:
        InvalidInputError: if the arrays are not valid or one of both kinds is missing.

    Example:
        >>> unknown_auroc([0.9, 0.6, 0.6, 0.2], [True, True, False, False])
        0.875
    """
    return float(_auroc(_levels(confidences, known)))


def fpr_at_tpr(
    confidences: ArrayLike, known: ArrayLike, *, true_positive_rate: float = USUAL_RATE
) -> float:
    """Return the share of unknown items that come along where so many known ones are accepted.

    The threshold is the highest at which at least that share of the known items is accepted. Only
    attained operating points count; items of one confidence are accepted together. Of few known
    items it is too low, since new ones scatter wider than those that the threshold is taken from:
    in simulations of a true rate of 0.62 it was 0.53 on average with 20 known videos, 0.56 with
    40 and 0.60 with 100.

    Args:
        confidences: (n,) numbers.
        known: (n,) whether each item is of a class that was learned.
        true_positive_rate: the least share of known items to be accepted, in (0, 1].

    Raises:
        InvalidInputError: if the arrays or the rate are not valid, or one of both kinds is
            missing.

    Reference:
        Liang et al., "Enhancing the Reliability of Out-of-distribution Image Detection in Neural
        Networks", ICLR 2018. https://arxiv.org/abs/1706.02690

    Example:
        >>> fpr_at_tpr([0.9, 0.6, 0.6, 0.2], [True, True, False, False])
        0.5
    """
    return float(_false_positive_rate(_levels(confidences, known), _checked(true_positive_rate)))


def oscr(confidences: ArrayLike, known: ArrayLike, right: ArrayLike) -> float:
    """Return the area under the open-set classification rate.

    It is over all rates of accepted unknown items the mean share of known ones that are both
    accepted and rightly named: the AUROC, in which a wrongly named item never wins.

    Args:
        confidences: (n,) numbers.
        known: (n,) whether each item is of a class that was learned.
        right: (n,) whether its class was named; for unknown items it does not matter.

    Raises:
        InvalidInputError: if the arrays are not valid or one of both kinds is missing.

    Reference:
        Dhamija et al., "Reducing Network Agnostophobia", NeurIPS 2018.
        https://arxiv.org/abs/1811.04110

    Example:
        >>> oscr([0.9, 0.6, 0.6, 0.2], [1, 1, 0, 0], [0, 1, 0, 0])
        0.375
    """
    return float(_oscr(_levels(confidences, known, right)))


def at_threshold(
    confidences: ArrayLike, known: ArrayLike, right: ArrayLike, *, threshold: float
) -> Acceptance:
    """Return what a threshold accepts and refuses, and how much of the accepted is right.

    Args:
        confidences: (n,) numbers.
        known: (n,) whether each item is of a class that was learned; all or none may be.
        right: (n,) whether its class was named; for unknown items it does not matter.
        threshold: items at or above it are accepted.

    Raises:
        InvalidInputError: if the arrays are not valid.

    Example:
        >>> at_threshold([0.9, 0.6, 0.6, 0.2], [1, 1, 0, 0], [0, 1, 0, 0], threshold=0.5)
        Acceptance(known_accepted=1.0, unknown_refused=0.5, accepted_accuracy=0.5)
    """
    values, is_known, is_right = _rows(confidences, known, right)
    accepted = values >= threshold

    def share(hits: BoolArray, among: BoolArray) -> float:
        return float(hits[among].mean()) if among.any() else float("nan")

    return Acceptance(
        share(accepted, is_known), share(~accepted, ~is_known), share(is_right, accepted & is_known)
    )


def open_set_intervals(
    confidences: ArrayLike,
    known: ArrayLike,
    right: ArrayLike,
    clusters: ArrayLike,
    *,
    random: np.random.Generator,
    true_positive_rate: float = USUAL_RATE,
    resamples: int = 1000,
    confidence: float = 0.95,
    unit: str = "video",
) -> dict[str, Interval]:
    """Return the bootstrap intervals of `auroc`, `fpr_at_tpr` and `oscr`, from the same resamples.

    Known and unknown videos are drawn apart, so that no resample lacks one of both. Percentiles,
    expanded for few clusters as in `bootstrap.intervals`: in 500 simulated sets of 40 videos of
    each kind they held the true AUROC in 95 %, and the true rate of false positives, which few
    videos show too low, in 93 % (of 20 videos in 89 %). The shares that `at_threshold` returns
    have `clustered.share_interval`.

    Args:
        confidences: (n,) numbers.
        known: (n,) whether each row is of a class that was learned.
        right: (n,) whether its class was named; for unknown rows it does not matter.
        clusters: (n,) the name of the video, or person, that each row belongs to.
        random: the source of randomness.
        true_positive_rate: as for `fpr_at_tpr`.
        resamples: how many resamples to draw.
        confidence: the share of such intervals that are to hold the true value.
        unit: what a cluster is, for the text.

    Returns:
        Intervals by name, whose ends are None where either kind has one cluster only or where all
        resamples agree; `method` then says so.

    Raises:
        InvalidInputError: if an argument is not valid, or one of both kinds is missing.
    """
    rate = _checked(true_positive_rate)
    check_resampling(resamples, confidence)
    measures: dict[str, Callable[[Levels], FloatArray]] = {
        "auroc": _auroc,
        "fpr_at_tpr": partial(_false_positive_rate, rate=rate),
        "oscr": _oscr,
    }
    _, is_known, _ = _rows(confidences, known, right)
    groups = Clusters(is_known.astype(np.int64), clusters)
    if groups.fewest < 2:
        scarce = "known" if groups.with_fake == groups.fewest else "unknown"
        lack = f"no interval: only {groups.fewest} {scarce} {unit}"
        return dict.fromkeys(measures, Interval(None, None, lack))
    weights = np.stack(list(groups.draws(resamples, random)))
    levels = _levels(confidences, known, right, weights)
    return {
        name: between(measure(levels), fewest=groups.fewest, confidence=confidence, unit=unit)
        for name, measure in measures.items()
    }


def _auroc(levels: Levels) -> FloatArray:
    return _wins(levels.known, levels)


def _oscr(levels: Levels) -> FloatArray:
    return _wins(levels.right, levels)


def _wins(winners: FloatArray, levels: Levels) -> FloatArray:
    """Return in which share of all pairs of known and unknown a winner is the more confident."""
    above = winners.cumsum(-1) - winners / 2
    pairs = levels.known.sum(-1) * levels.unknown.sum(-1)
    shares: FloatArray = (levels.unknown * above).sum(-1) / pairs
    return shares


def _false_positive_rate(levels: Levels, rate: float) -> FloatArray:
    accepted = levels.known.cumsum(-1) / levels.known.sum(-1, keepdims=True)
    place = (accepted >= rate).argmax(-1)[..., np.newaxis]
    along = np.take_along_axis(levels.unknown.cumsum(-1), place, -1)[..., 0]
    rates: FloatArray = along / levels.unknown.sum(-1)
    return rates


def _levels(
    confidences: ArrayLike,
    known: ArrayLike,
    right: ArrayLike | None = None,
    weights: FloatArray | None = None,
) -> Levels:
    """Return the counts by confidence, each row counted `weights` (resamples, n) times, or once."""
    values, is_known, is_right = _rows(confidences, known, known if right is None else right)
    if is_known.all() or not is_known.any():
        raise InvalidInputError(
            f"known must hold known and unknown items, got {is_known.sum()} known and "
            f"{(~is_known).sum()} unknown; add items of makers that were not learned"
        )
    order = np.argsort(-values, kind="stable")
    starts = np.flatnonzero(np.diff(-values[order], prepend=-np.inf))
    rows = np.ones(len(values)) if weights is None else weights
    return Levels(
        *(
            np.add.reduceat(rows[..., order] * counted[order], starts, axis=-1)
            for counted in (is_known, is_known & is_right, ~is_known)
        )
    )


def _rows(
    confidences: ArrayLike, known: ArrayLike, right: ArrayLike
) -> tuple[FloatArray, BoolArray, BoolArray]:
    values = np.asarray(confidences, dtype=np.float64)
    flags = [np.asarray(one, dtype=bool) for one in (known, right)]
    if values.ndim != 1 or not values.size or any(one.shape != values.shape for one in flags):
        raise InvalidInputError(
            "confidences, known and right must be lists of one length, got shapes "
            f"{values.shape}, {flags[0].shape} and {flags[1].shape}; pass columns of the same rows"
        )
    wrong = np.flatnonzero(~np.isfinite(values))
    if len(wrong):
        raise InvalidInputError(
            f"confidences must be finite, got {values[wrong[0]]} at position {wrong[0]}; leave out "
            "what was not scored"
        )
    return values, flags[0], flags[1]


def _checked(rate: float) -> float:
    if not 0 < rate <= 1:
        raise InvalidInputError(
            f"true_positive_rate must lie in (0, 1], got {rate}; 95 percent is 0.95"
        )
    return rate
