from math import sqrt
from time import perf_counter

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binom, norm

from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import Clusters, Interval, interval, intervals, paired_difference
from unmask.metrics.ranking import auc, auc_of

Rows = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
SETS = 250
VIDEOS, FRAMES = 25, 10
BETWEEN, WITHIN, APART = 1.0, 0.7, 1.3


def correlated_frames(random: np.random.Generator) -> Rows:
    """Return scores, labels and videos; the frames of a video share most of their score."""
    labels = np.repeat([0, 1], VIDEOS)
    videos = random.normal(APART * labels, BETWEEN)
    logits = videos[:, np.newaxis] + random.normal(0, WITHIN, (2 * VIDEOS, FRAMES))
    return (
        expit(logits).ravel(),
        np.repeat(labels, FRAMES),
        np.repeat(np.arange(2 * VIDEOS), FRAMES),
    )


def holds(found: Interval, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def test_interval_by_video_holds_the_true_auc_in_95_of_100_sets_and_by_frame_in_far_fewer() -> None:
    truth = norm.cdf(APART / sqrt(2 * (BETWEEN**2 + WITHIN**2)))  # of two normal distributions
    by_video = by_frame = 0
    for seed in range(SETS):
        random = np.random.default_rng([11, seed])
        scores, labels, videos = correlated_frames(random)
        found = interval(scores, labels, videos, random=random, resamples=300)
        by_video += holds(found, truth)
        frames = np.arange(len(scores))
        naive = interval(scores, labels, frames, random=random, resamples=100, unit="frame")
        by_frame += holds(naive, truth)
    fewest, most = binom.ppf([0.001, 0.999], SETS, 0.95)
    assert fewest <= by_video <= most
    assert by_frame < 0.7 * SETS  # and not 0.95


def test_difference_of_two_equally_good_detectors_is_found_to_be_nothing_in_95_of_100_sets() -> (
    None
):
    held = 0
    for seed in range(100):
        random = np.random.default_rng([12, seed])
        scores, labels, videos = correlated_frames(random)
        logits = np.log(scores / (1 - scores))
        one, other = (expit(logits + random.normal(0, 0.7, len(logits))) for _ in range(2))
        found = paired_difference(one, other, labels, videos, random=random, resamples=200)
        assert found.value == pytest.approx(auc(one, labels) - auc(other, labels), abs=1e-12)
        held += holds(found.interval, 0.0)
    fewest, most = binom.ppf([0.001, 0.999], 100, 0.95)
    assert fewest <= held <= most


def test_pairing_sees_a_small_difference_that_two_separate_intervals_cannot() -> None:
    random = np.random.default_rng(13)
    scores, labels, videos = correlated_frames(random)
    better = np.clip(scores + 0.02 * (2 * labels - 1), 0, 1)
    paired = paired_difference(better, scores, labels, videos, random=random).interval
    one = interval(better, labels, videos, random=random)
    other = interval(scores, labels, videos, random=random)
    assert paired.low is not None
    assert one.low is not None
    assert other.high is not None
    assert paired.low > 0
    assert one.low < other.high


def test_each_resample_draws_whole_videos_and_keeps_the_classes() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 1])
    videos = np.array(["a", "a", "b", "b", "c", "c", "d"])
    for weights in Clusters(labels, videos).draws(50, np.random.default_rng(0)):
        assert weights[0] == weights[1]
        assert weights[2] == weights[3]
        assert weights[4] == weights[5]
        assert weights[0] + weights[2] == 2
        assert weights[4] + weights[6] == 2


def test_persons_with_real_and_fake_videos_are_drawn_whole() -> None:
    labels = np.array([0, 1, 0, 1, 0, 1, 0])
    persons = np.array(["a", "a", "b", "b", "c", "d", "e"])
    for weights in Clusters(labels, persons).draws(50, np.random.default_rng(1)):
        assert weights[0] == weights[1]
        assert weights[labels == 0].sum() > 0
        assert weights[labels == 1].sum() > 0


def test_persons_widen_the_interval_where_videos_of_a_person_are_alike() -> None:
    random = np.random.default_rng(14)
    person = np.repeat(np.arange(40), 10)
    labels = np.repeat(np.arange(40) % 2, 10)
    scores = expit(np.repeat(random.normal(labels[::10], 1.0), 10) + random.normal(0, 0.1, 400))
    by_video = interval(scores, labels, np.arange(400), random=random)
    by_person = interval(scores, labels, person, random=random, unit="person")
    assert by_person.method == "95 % bootstrap by person, 1000 resamples"
    assert width(by_person) > 2 * width(by_video)


def width(found: Interval) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_same_seed_gives_the_same_interval() -> None:
    scores, labels, videos = correlated_frames(np.random.default_rng(15))
    one, other = (
        interval(scores, labels, videos, random=np.random.default_rng(1)) for _ in range(2)
    )
    assert one == other


def test_higher_confidence_gives_a_wider_interval() -> None:
    scores, labels, videos = correlated_frames(np.random.default_rng(16))
    wide, narrow = (
        interval(scores, labels, videos, random=np.random.default_rng(1), confidence=confidence)
        for confidence in (0.99, 0.8)
    )
    assert width(wide) > width(narrow)


def test_one_real_video_gives_no_interval_and_the_reason() -> None:
    random = np.random.default_rng(0)
    found = interval([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], ["a", "a", "b", "c"], random=random)
    assert found == Interval(None, None, "no interval: only 1 real video")


def test_perfect_scores_give_no_interval_instead_of_one_without_width() -> None:
    random = np.random.default_rng(0)
    found = interval([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], list("abcd"), random=random)
    assert found.low is None
    assert found.method == "no interval: every resample gave the same value"


def test_thousand_resamples_of_a_hundred_thousand_frames_take_seconds() -> None:
    random = np.random.default_rng(17)
    labels = np.repeat(np.arange(1000) % 2, 100)
    scores = expit(random.normal(labels, 1.0))
    started = perf_counter()
    intervals(scores, labels, np.repeat(np.arange(1000), 100), {"auc": auc_of}, random=random)
    assert perf_counter() - started < 15  # 1 s where the machine is free


@pytest.mark.parametrize(
    ("resamples", "confidence", "message"),
    [
        (10, 0.95, "resamples must be 100 or more, got 10; 1000 are usual"),
        (1000, 95, r"confidence must lie in \(0, 1\), got 95; 0.95 is usual"),
    ],
)
def test_too_few_resamples_and_confidence_in_percent_are_refused(
    resamples: int, confidence: float, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        interval(
            [0.1, 0.2, 0.8, 0.9],
            [0, 0, 1, 1],
            list("abcd"),
            random=np.random.default_rng(0),
            resamples=resamples,
            confidence=confidence,
        )


def test_rows_without_a_cluster_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"one video for each score, got shape \(1,\)"):
        interval([0.1, 0.9], [0, 1], ["a"], random=np.random.default_rng(0))
