import numpy as np
import pytest

from unmask.errors import InvalidInputError
from unmask.metrics.clustered import mean_interval, quantile_interval, share_interval


def random() -> np.random.Generator:
    return np.random.default_rng(5)


def test_interval_of_a_share_widens_when_the_rows_of_a_video_agree() -> None:
    videos = np.repeat(np.arange(40), 10)
    hits = np.random.default_rng(0).random(400) < 0.5
    alike = np.repeat(np.random.default_rng(1).random(40) < 0.5, 10)
    apart, together = (share_interval(one, videos, random=random()) for one in (hits, alike))
    for found, width in ((apart, 2 * 1.96 * 0.5 / 400**0.5), (together, 2 * 1.96 * 0.5 / 40**0.5)):
        assert found.low is not None
        assert found.high is not None
        assert found.high - found.low == pytest.approx(width, rel=0.2)


def test_share_without_a_miss_has_the_interval_of_as_many_trials_as_videos() -> None:
    found = share_interval([True] * 40, np.repeat(list("abcdefghij"), 4), random=random())
    assert found.low == pytest.approx(0.722, abs=5e-4)  # Wilson: 10 of 10
    assert found.high == pytest.approx(1)
    assert "Wilson" in found.method


def test_larger_videos_weigh_more_in_a_mean_over_all_rows() -> None:
    values, videos = [0.0] * 9 + [1.0], ["long"] * 9 + ["short"]
    found = mean_interval(values, videos, random=random(), resamples=400)
    assert (found.low, found.high) == (0, 1)


def test_median_of_one_value_has_no_interval() -> None:
    found = quantile_interval([3.0] * 6, list("aabbcc"), random=random())
    assert found.low is None
    assert "the same value" in found.method


def test_nineteen_of_twenty_intervals_of_a_quartile_hold_it() -> None:
    made = np.random.default_rng(2).normal(size=(100, 30, 4))
    videos = np.repeat(np.arange(30), 4)
    found = [
        quantile_interval(one.ravel(), videos, share=0.25, random=random(), resamples=200)
        for one in made
    ]
    held = sum(one.low <= -0.6745 <= one.high for one in found if one.low and one.high)
    assert 90 <= held <= 100


def test_one_video_has_no_interval_and_says_so() -> None:
    assert share_interval([True, False], ["a", "a"], random=random()).method == (
        "no interval: only 1 video"
    )


def test_rows_without_a_cluster_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="one cluster each, got shapes"):
        mean_interval([1.0, 2.0], ["a"], random=random())
