import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix

from unmask.errors import InvalidInputError, NotFoundError
from unmask.metrics.decisions import (
    ThresholdRule,
    accuracy,
    balanced_accuracy,
    choose_threshold,
    confusion,
)
from unmask.metrics.ranking import eer


def test_decisions_agree_with_scikit_learn_at_thresholds_on_and_between_scores() -> None:
    random = np.random.default_rng(3)
    for _ in range(50):
        labels = np.concatenate([[0, 1], random.integers(0, 2, 60)])
        scores = random.integers(0, 11, 62) / 10
        threshold = float(random.integers(0, 21) / 20)
        judged = (scores >= threshold).astype(int)
        counted = confusion(scores, labels, threshold=threshold)
        assert list(counted) == confusion_matrix(labels, judged).ravel().tolist()
        assert accuracy(scores, labels, threshold=threshold) == pytest.approx(
            accuracy_score(labels, judged), abs=1e-12
        )
        assert balanced_accuracy(scores, labels, threshold=threshold) == pytest.approx(
            balanced_accuracy_score(labels, judged), abs=1e-12
        )


def test_accuracy_needs_only_one_class_but_balanced_accuracy_needs_both() -> None:
    assert accuracy([0.1, 0.9], [1, 1], threshold=0.5) == 0.5
    with pytest.raises(InvalidInputError, match="balanced accuracy, got 0 real and 2 fake"):
        balanced_accuracy([0.1, 0.9], [1, 1], threshold=0.5)


def test_chosen_threshold_is_as_good_as_the_best_of_all_on_validation() -> None:
    random = np.random.default_rng(4)
    for _ in range(50):
        labels = np.concatenate([[0, 1], random.integers(0, 2, 40)])
        scores = np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
        chosen = choose_threshold(scores, labels)
        best = max(balanced_accuracy(scores, labels, threshold=one) for one in scores)
        assert balanced_accuracy(scores, labels, threshold=chosen) == pytest.approx(best, abs=1e-12)


def test_chosen_threshold_lies_midway_between_the_neighbouring_scores() -> None:
    assert choose_threshold([0.125, 0.25, 0.5, 0.75], [0, 0, 1, 1]) == 0.375
    assert choose_threshold([0.125, 0.25, 0.5, 0.75], [0, 0, 1, 1], rule="eer") == 0.375


def test_of_equally_good_thresholds_the_one_nearest_to_one_half_is_chosen() -> None:
    assert choose_threshold([0.0, 0.125, 0.375, 0.5, 0.75, 1.0], [0, 1, 0, 1, 0, 1]) == 0.4375


def test_threshold_between_neighbouring_floats_still_parts_them() -> None:
    upper = 0.5
    lower = float(np.nextafter(upper, 0))
    chosen = choose_threshold([lower, upper], [0, 1])
    assert confusion([lower, upper], [0, 1], threshold=chosen) == (1, 0, 0, 1)


def test_threshold_of_equal_errors_decides_as_the_operating_point_does() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 2, 200)
    scores = np.clip(random.normal(0.4 + 0.2 * labels, 0.2), 0, 1)
    chosen = choose_threshold(scores, labels, rule="eer")
    at_the_point = confusion(scores, labels, threshold=eer(scores, labels).threshold)
    assert confusion(scores, labels, threshold=chosen) == at_the_point


def test_fixed_threshold_is_the_number_given() -> None:
    assert choose_threshold([0.1, 0.9], [0, 1], rule="fixed", fixed=0.7) == 0.7


def test_misspelt_rule_is_answered_with_the_closest() -> None:
    wrong: ThresholdRule = "balanced_acuracy"  # type: ignore[assignment]
    with pytest.raises(NotFoundError, match="did you mean 'balanced_accuracy'"):
        choose_threshold([0.1, 0.9], [0, 1], rule=wrong)


def test_threshold_on_a_validation_set_of_one_class_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="labels must hold both classes"):
        choose_threshold([0.1, 0.9], [0, 0])


@pytest.mark.parametrize("threshold", [-0.1, 50, np.nan])
def test_threshold_outside_the_scores_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidInputError, match=r"threshold must lie in \[0, 1\], got"):
        accuracy([0.1, 0.9], [0, 1], threshold=threshold)
