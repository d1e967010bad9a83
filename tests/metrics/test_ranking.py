from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from unmask.errors import InvalidInputError
from unmask.metrics.ranking import auc, average_precision, eer, roc, tpr_at_fpr

Scores = NDArray[np.float64]
Labels = NDArray[np.int64]


def tied_cases(count: int, largest: int) -> Iterator[tuple[Scores, Labels]]:
    """Yield random sets of all sizes and class shares, with few distinct scores."""
    random = np.random.default_rng(20)
    for _ in range(count):
        size = int(random.integers(2, largest))
        labels = (random.random(size) < random.uniform(0.05, 0.95)).astype(np.int64)
        labels[:2] = 0, 1
        steps = int(random.choice([1, 2, 5, 20, 10_000]))
        scores = np.round(np.clip(random.normal(0.4 + 0.2 * labels, 0.3), 0, 1) * steps) / steps
        yield scores, labels


def test_auc_precision_and_roc_agree_with_scikit_learn_under_heavy_ties() -> None:
    for scores, labels in tied_cases(200, 400):
        assert auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
        expected = average_precision_score(labels, scores)
        assert average_precision(scores, labels) == pytest.approx(expected, abs=1e-12)
        for ours, theirs in zip(
            roc(scores, labels), roc_curve(labels, scores, drop_intermediate=False), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_auc_equals_counting_every_pair() -> None:
    for scores, labels in tied_cases(60, 30):
        fakes, reals = scores[labels == 1], scores[labels == 0]
        wins = [(fake > real) + 0.5 * (fake == real) for fake in fakes for real in reals]
        assert auc(scores, labels) == pytest.approx(np.mean(wins), abs=1e-12)


def test_eer_equals_walking_through_every_threshold() -> None:
    for scores, labels in tied_cases(60, 30):
        points = [(0.0, 1.0)]  # false positive and false negative rate: nothing judged fake
        for threshold in sorted(set(scores), reverse=True):
            judged = scores >= threshold
            points.append((judged[labels == 0].mean(), (~judged)[labels == 1].mean()))
        for (wrong, missed), (more_wrong, less_missed) in pairwise(points):
            if more_wrong >= less_missed:  # the two lines cross between these two points
                share = (missed - wrong) / ((missed - wrong) + (more_wrong - less_missed))
                expected = wrong + share * (more_wrong - wrong)
                break
        assert eer(scores, labels).rate == pytest.approx(expected, abs=1e-12)


def test_eer_threshold_gives_the_nearer_of_the_two_operating_points() -> None:
    for scores, labels in tied_cases(60, 40):
        rate, threshold = eer(scores, labels)
        assert threshold in scores
        points = roc(scores, labels)
        distance = np.abs(points.false_positive_rate - (1 - points.true_positive_rate))[1:]
        attained = distance[points.thresholds[1:] == threshold]
        assert attained.item() == pytest.approx(distance.min(), abs=1e-12)
        assert 0 <= rate <= 1


def test_tpr_at_fpr_is_the_best_of_the_attained_points_that_are_allowed() -> None:
    for scores, labels in tied_cases(60, 60):
        points = roc(scores, labels)
        for allowed in (0.0, 0.01, 0.1, 0.25, 1.0):
            expected = points.true_positive_rate[points.false_positive_rate <= allowed].max()
            assert tpr_at_fpr(scores, labels, allowed) == expected


def test_a_perfect_detector_and_a_reversed_one_lie_at_the_two_ends() -> None:
    scores = [0.1, 0.2, 0.8, 0.9]
    assert (auc(scores, [0, 0, 1, 1]), eer(scores, [0, 0, 1, 1]).rate) == (1.0, 0.0)
    assert (auc(scores, [1, 1, 0, 0]), eer(scores, [1, 1, 0, 0]).rate) == (0.0, 1.0)


def test_a_detector_that_says_the_same_of_all_is_at_chance() -> None:
    assert auc([0.3] * 4, [0, 1, 0, 1]) == 0.5
    assert eer([0.3] * 4, [0, 1, 0, 1]).rate == 0.5
    assert tpr_at_fpr([0.3] * 4, [0, 1, 0, 1], 0.1) == 0.0


@pytest.mark.parametrize(
    ("measure", "name"),
    [(auc, "AUC"), (average_precision, "average precision"), (roc, "ROC"), (eer, "ROC")],
)
def test_a_set_of_one_class_is_refused_with_its_counts(
    measure: Callable[[Scores, Labels], object], name: str
) -> None:
    with pytest.raises(
        InvalidInputError,
        match=f"labels must hold both classes to give the {name}, got 0 real and 3 fake; add items",
    ):
        measure(np.array([0.1, 0.2, 0.3]), np.array([1, 1, 1]))


def test_a_rate_in_percent_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"\[0, 1\], got 5; one percent is 0.01"):
        tpr_at_fpr([0.1, 0.2], [0, 1], 5)
