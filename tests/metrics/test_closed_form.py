import numpy as np
import pytest
from scipy.stats import binom, binomtest, norm

from unmask.errors import InvalidInputError
from unmask.metrics.closed_form import auc_score_interval, wilson
from unmask.metrics.ranking import auc


@pytest.mark.parametrize(("right", "count"), [(0, 5), (3, 10), (10, 10), (499, 500)])
def test_wilson_agrees_with_scipy(right: int, count: int) -> None:
    peer = binomtest(right, count).proportion_ci(method="wilson")
    assert wilson(right / count, count) == pytest.approx((peer.low, peer.high), abs=1e-12)


def test_auc_interval_is_mirrored_when_the_polarity_is() -> None:
    low, high = auc_score_interval(0.9, 20, 12)
    assert auc_score_interval(0.1, 20, 12) == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_ends_of_the_auc_interval_lie_as_far_away_as_hanley_and_mcneil_have_it() -> None:
    reals, fakes, value = 15, 25, 0.8
    for truth in auc_score_interval(value, reals, fakes):
        # Their variance, with both sample sizes in the middle terms replaced by the mean.
        one, two = truth / (2 - truth), 2 * truth**2 / (1 + truth)
        middle = (reals + fakes) / 2 - 1
        spread = truth * (1 - truth) + middle * (one - truth**2) + middle * (two - truth**2)
        distance = abs(value - truth) / np.sqrt(spread / (reals * fakes))
        assert distance == pytest.approx(norm.ppf(0.975), abs=1e-9)


@pytest.mark.parametrize("apart", [1.0, 3.0])
def test_auc_interval_holds_the_truth_with_twelve_videos_of_each_class(apart: float) -> None:
    random = np.random.default_rng(18)
    truth = norm.cdf(apart / np.sqrt(2))
    labels = np.repeat([0, 1], 12)
    held = 0
    for _ in range(400):
        scores = norm.cdf(random.normal(apart * labels, 1))
        low, high = auc_score_interval(auc(scores, labels), 12, 12)
        held += low <= truth <= high
    assert held >= binom.ppf(0.001, 400, 0.95)


def test_perfect_auc_of_few_videos_leaves_room_below() -> None:
    low, high = auc_score_interval(1.0, 4, 4)
    assert low < 0.7
    assert high == 1.0


def test_shares_in_percent_and_empty_sets_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"share in .* got 97 of 5; count videos"):
        wilson(97, 5)
    with pytest.raises(InvalidInputError, match=r"1 or more trials, got 0.5 of 0"):
        auc_score_interval(0.5, 3, 0)
    with pytest.raises(InvalidInputError, match="confidence must lie in"):
        wilson(0.5, 5, confidence=95)
