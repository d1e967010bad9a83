import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from unmask.errors import InvalidInputError, NotFoundError
from unmask.metrics.calibration import Binning, brier, ece, reliability


def test_brier_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(6)
    for _ in range(30):
        labels, scores = random.integers(0, 2, 80), random.integers(0, 21, 80) / 20
        labels[:2] = 0, 1
        expected = brier_score_loss(labels, scores)
        assert brier(scores, labels) == pytest.approx(expected, abs=1e-12)


def test_ece_equals_going_through_the_bins_one_by_one() -> None:
    random = np.random.default_rng(7)
    labels, scores = random.integers(0, 2, 500), random.random(500)
    expected = 0.0
    for low in range(15):
        inside = (scores >= low / 15) & (scores < (low + 1) / 15)
        if inside.any():
            expected += abs(scores[inside].mean() - labels[inside].mean()) * inside.mean()
    assert ece(scores, labels) == pytest.approx(expected, abs=1e-12)


def test_ece_of_equal_mass_bins_equals_sorting_and_cutting_where_there_are_no_ties() -> None:
    random = np.random.default_rng(8)
    labels, scores = random.integers(0, 2, 300), random.random(300) ** 3
    order = np.argsort(scores)
    expected = np.mean(
        [abs(scores[part].mean() - labels[part].mean()) for part in order.reshape(15, 20)]
    )
    found = reliability(scores, labels, binning="equal_mass")
    assert found.counts.tolist() == [20] * 15
    assert ece(scores, labels, binning="equal_mass") == pytest.approx(expected, abs=1e-12)


def test_equal_mass_bins_never_part_equal_scores() -> None:
    found = reliability([0.5] * 10 + [0.9], [0, 1] * 5 + [1], bins=4, binning="equal_mass")
    assert sorted(found.counts.tolist()) == [0, 0, 1, 10]


def test_scores_that_are_the_true_probability_have_a_vanishing_ece() -> None:
    random = np.random.default_rng(9)
    scores = random.random(200_000)
    labels = (random.random(200_000) < scores).astype(int)
    assert ece(scores, labels) < 0.005
    assert ece(scores**2, labels) > 0.1


def test_empty_bins_hold_zeros_and_the_score_of_one_falls_into_the_last() -> None:
    found = reliability([0.0, 1.0], [0, 1], bins=3)
    assert found.counts.tolist() == [1, 0, 1]
    assert found.mean_score.tolist() == [0, 0, 1]


def test_no_bins_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="bins must be 1 or more, got 0; 15 are usual"):
        ece([0.1], [0], bins=0)


def test_misspelt_binning_is_answered_with_the_closest() -> None:
    wrong: Binning = "equal_mas"  # type: ignore[assignment]
    with pytest.raises(NotFoundError, match="did you mean 'equal_mass'"):
        ece([0.1], [0], binning=wrong)
