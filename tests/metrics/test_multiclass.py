import re
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from unmask.errors import InvalidInputError
from unmask.metrics.multiclass import (
    accuracy,
    balanced_accuracy,
    confusion_matrix,
    log_loss,
    log_losses,
    macro_f1,
    per_class,
    top_k_accuracy,
    top_k_hits,
    top_label_ece,
)

CLASSES = 5


@pytest.fixture
def judged() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return truth and predictions, which are right in about half of the cases."""
    random = np.random.default_rng(7)
    truth = random.choice(CLASSES, 400, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    guess = random.integers(0, CLASSES, 400)
    return truth, np.where(random.random(400) < 0.5, truth, guess)


@pytest.fixture
def said() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return truth and probabilities that lean towards it."""
    random = np.random.default_rng(8)
    truth = random.integers(0, CLASSES, 300)
    logits = random.normal(0, 1.5, (300, CLASSES)) + 2 * np.eye(CLASSES)[truth]
    odds = np.exp(logits)
    return truth, odds / odds.sum(1, keepdims=True)


def test_matrix_counts_each_pair_of_truth_and_prediction_with_truth_in_rows() -> None:
    matrix = confusion_matrix([0, 0, 0, 1, 2, 2], [0, 1, 1, 1, 2, 0], 4)
    assert matrix.tolist() == [[1, 2, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]


def test_measures_of_a_matrix_agree_with_scikit_learn(
    judged: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:
    matrix = confusion_matrix(*judged, CLASSES)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(*judged))
    assert accuracy(matrix) == pytest.approx(metrics.accuracy_score(*judged), abs=1e-12)
    expected = metrics.balanced_accuracy_score(*judged)
    assert balanced_accuracy(matrix) == pytest.approx(expected, abs=1e-12)
    expected = metrics.f1_score(*judged, average="macro")
    assert macro_f1(matrix) == pytest.approx(expected, abs=1e-12)
    for ours, theirs in zip(
        per_class(matrix), metrics.precision_recall_fscore_support(*judged), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_a_class_without_items_has_no_recall_and_stays_out_of_the_means() -> None:
    found = per_class([[3, 0, 1], [0, 0, 0], [0, 0, 4]])
    assert np.isnan([found.precision[1], found.recall[1], found.f1[1]]).all()
    assert found.support.tolist() == [4, 0, 4]
    assert balanced_accuracy([[3, 0, 1], [0, 0, 0], [0, 0, 4]]) == (3 / 4 + 1) / 2
    assert macro_f1([[3, 0, 1], [0, 0, 0], [0, 0, 4]]) == pytest.approx((6 / 7 + 8 / 9) / 2)


def test_a_class_that_is_never_named_has_no_precision_and_an_f1_of_0() -> None:
    found = per_class([[2, 0], [2, 0]])
    assert np.isnan(found.precision[1])
    assert (found.recall[1], found.f1[1]) == (0, 0)


def test_top_k_accuracy_agrees_with_scikit_learn(
    said: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    for k in range(1, CLASSES):
        expected = metrics.top_k_accuracy_score(*said, k=k)
        assert top_k_accuracy(*said, k=k) == pytest.approx(expected, abs=1e-12)
    assert top_k_accuracy(*said, k=CLASSES) == 1


def test_the_first_guess_is_right_as_often_as_the_accuracy_says(
    said: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    truth, probabilities = said
    matrix = confusion_matrix(truth, probabilities.argmax(1), CLASSES)
    assert top_k_accuracy(truth, probabilities, k=1) == pytest.approx(accuracy(matrix))


def test_tied_classes_share_the_guesses_that_are_left_as_over_all_their_orders() -> None:
    values = np.array([0.4, 0.2, 0.2, 0.2])
    for truth in range(4):
        for k in range(1, 5):
            orders = [order for order in permutations(range(4)) if order[0] == 0]
            hits = np.mean([truth in order[:k] for order in orders])
            assert top_k_hits([truth], [values], k=k)[0] == pytest.approx(hits)


def test_an_answer_that_says_the_same_of_all_classes_is_at_chance() -> None:
    assert top_k_accuracy([0, 1, 2, 3], np.full((4, 4), 0.25), k=1) == 0.25


def test_log_loss_agrees_with_scikit_learn(
    said: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    assert log_loss(*said) == pytest.approx(metrics.log_loss(*said), rel=1e-12)
    assert log_losses([1], [[0.75, 0.25]]).tolist() == [pytest.approx(np.log(4))]


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert log_loss([0], [[0.0, 1.0]]) == pytest.approx(15 * np.log(10))


def test_calibration_error_is_the_gap_between_what_is_said_and_what_is_right() -> None:
    probabilities = np.tile([0.7, 0.2, 0.1], (10, 1))
    truth = np.array([0] * 4 + [1] * 6)  # right in 4 of 10 where it says 7 of 10
    assert top_label_ece(truth, probabilities) == pytest.approx(0.3)
    truth = np.array([0] * 7 + [1] * 3)
    assert top_label_ece(truth, probabilities) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confusion_matrix([], [], 2), "two lists of one length"),
        (lambda: confusion_matrix([0, 1], [0], 2), "two lists of one length"),
        (lambda: confusion_matrix([0, 2], [0, 1], 2), "one of 2 classes, got 2 at position 1"),
        (lambda: confusion_matrix([0, 1], [0, -1], 2), "predicted must be the place"),
        (lambda: confusion_matrix(["a"], ["b"], 2), "truth must be integers"),
        (lambda: confusion_matrix([0.5], [1], 2), "truth must be integers"),
        (lambda: accuracy([[1, 2]]), "as many rows as columns"),
        (lambda: accuracy([[1, -2], [0, 1]]), "as many rows as columns"),
        (lambda: macro_f1(np.zeros((2, 2))), "at least one item, got none"),
        (lambda: top_k_hits([0], [[0.5, 0.5]], k=3), "between 1 and the 2 classes, got 3"),
        (lambda: top_k_hits([0], [[0.5, 0.5]], k=0), "between 1 and the 2 classes, got 0"),
        (lambda: top_k_hits([0, 1], [[0.5, 0.5]], k=1), "one row for each item"),
        (lambda: top_k_hits([2], [[0.5, 0.5]], k=1), "one of 2 classes, got 2"),
        (lambda: top_k_hits([0], [[np.nan, 1]], k=1), "finite, got"),
        (lambda: log_loss([0], [[1.5, -0.5]]), "0 or more and 1 in sum"),
        (lambda: top_label_ece([0], [[3.0, 1.0]]), "apply the softmax"),
    ],
)
def test_bad_input_is_refused_with_what_to_do(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(message)):
        call()
