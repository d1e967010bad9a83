import re
from collections.abc import Callable, Iterator
from math import isnan

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom, norm
from sklearn.metrics import roc_auc_score, roc_curve

from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import Interval
from unmask.metrics.open_set import (
    at_threshold,
    fpr_at_tpr,
    open_set_intervals,
    oscr,
    unknown_auroc,
)

Rows = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]


def tied_cases(count: int, largest: int) -> Iterator[Rows]:
    """Yield confidences, known and right, of few distinct confidences, below 0 too."""
    random = np.random.default_rng(21)
    for _ in range(count):
        size = int(random.integers(2, largest))
        known = random.random(size) < random.uniform(0.1, 0.9)
        known[:2] = False, True
        steps = int(random.choice([1, 2, 5, 10_000]))
        values = np.round(random.normal(2 * known, 1.5) * steps) / steps
        yield values, known, random.random(size) < 0.7


def test_auroc_agrees_with_scikit_learn_under_heavy_ties() -> None:
    for values, known, _ in tied_cases(200, 200):
        assert unknown_auroc(values, known) == pytest.approx(roc_auc_score(known, values))


def test_false_positives_at_95_percent_agree_with_scikit_learn_under_heavy_ties() -> None:
    for values, known, _ in tied_cases(200, 200):
        false, true, _ = roc_curve(known, values, drop_intermediate=False)
        for rate in (0.5, 0.95, 1.0):
            expected = false[np.argmax(true >= rate)]
            assert fpr_at_tpr(values, known, true_positive_rate=rate) == pytest.approx(expected)


def test_19_of_20_known_items_are_95_percent() -> None:
    values = [*np.arange(2, 21), 0.0, 1.5, 1.0, 0.5, -1.0]
    known = [True] * 20 + [False] * 4
    assert fpr_at_tpr(values, known) == 0
    assert fpr_at_tpr(values, known, true_positive_rate=0.951) == 0.75


def test_oscr_equals_counting_every_pair() -> None:
    for values, known, right in tied_cases(60, 40):
        pairs = [
            named * ((value > other) + 0.5 * (value == other))
            for value, named in zip(values[known], right[known], strict=True)
            for other in values[~known]
        ]
        assert oscr(values, known, right) == pytest.approx(np.mean(pairs))


def test_oscr_equals_the_area_under_right_and_accepted_over_false_positives() -> None:
    for values, known, right in tied_cases(60, 40):
        thresholds = [np.inf, *sorted(set(values), reverse=True)]
        rates = [(right & (values >= one))[known].mean() for one in thresholds]
        false = [(values >= one)[~known].mean() for one in thresholds]
        assert oscr(values, known, right) == pytest.approx(np.trapezoid(rates, false))


def test_where_all_known_items_are_right_oscr_is_the_auroc() -> None:
    for values, known, _ in tied_cases(20, 100):
        assert oscr(values, known, known) == pytest.approx(unknown_auroc(values, known))


def test_threshold_accepts_what_is_at_it() -> None:
    found = at_threshold(
        [3.0, 2.0, 1.0, 0.0, 2.0, -1.0], [1, 1, 1, 1, 0, 0], [1, 0, 1, 1, 0, 0], threshold=2.0
    )
    assert found == (0.5, 0.5, 0.5)


def test_threshold_without_unknown_items_refuses_none_and_says_nothing_of_them() -> None:
    found = at_threshold([3.0, 2.0], [1, 1], [1, 1], threshold=5.0)
    assert found.known_accepted == 0
    assert isnan(found.unknown_refused)
    assert isnan(found.accepted_accuracy)


def holds(found: Interval, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def test_intervals_by_video_hold_the_true_auroc_in_95_of_100_sets() -> None:
    videos, frames, apart, within = 40, 2, 1.5, 0.5
    deviation = np.hypot(1, within)
    area = norm.cdf(apart / (np.sqrt(2) * deviation))
    false = norm.sf(norm.isf(0.95, apart, deviation), 0, deviation)
    held = np.zeros(2)
    sets = 200
    for seed in range(sets):
        random = np.random.default_rng([22, seed])
        known = np.repeat([True, False], videos)
        video_values = random.normal(apart * known, 1)
        values = (
            video_values[:, np.newaxis] + random.normal(0, within, (2 * videos, frames))
        ).ravel()
        rows = np.repeat(known, frames)
        found = open_set_intervals(
            values,
            rows,
            rows,
            np.repeat(np.arange(2 * videos), frames),
            random=random,
            resamples=200,
        )
        held += holds(found["auroc"], area), holds(found["fpr_at_tpr"], false)
        assert found["oscr"] == found["auroc"]
    fewest, most = binom.ppf([0.001, 0.999], sets, 0.95)
    assert fewest <= held[0] <= most
    assert held[1] > 0.85 * sets  # of a quantile of so few videos it holds the truth less often


def test_one_unknown_video_is_too_few_for_an_interval() -> None:
    found = open_set_intervals(
        [2.0, 1.0, 0.0], [1, 1, 0], [1, 1, 1], list("abc"), random=np.random.default_rng(0)
    )
    assert {one.method for one in found.values()} == {"no interval: only 1 unknown video"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: unknown_auroc([], []), "lists of one length"),
        (lambda: unknown_auroc([0.1, 0.2], [True]), "lists of one length"),
        (lambda: unknown_auroc([0.1, 0.2], [True, True]), "got 2 known and 0 unknown"),
        (lambda: oscr([0.1, 0.2], [False, False], [True, True]), "got 0 known and 2 unknown"),
        (lambda: unknown_auroc([0.1, np.nan], [True, False]), "finite, got nan at position 1"),
        (
            lambda: fpr_at_tpr([0.1, 0.2], [True, False], true_positive_rate=95),
            "(0, 1], got 95; 95 percent is 0.95",
        ),
    ],
)
def test_bad_input_is_refused_with_what_to_do(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        call()
