import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from unmask.errors import InvalidInputError
from unmask.metrics.calibration import ece
from unmask.metrics.ranking import auc
from unmask.metrics.scaling import STEEPEST, Scaling, fit_platt, fit_temperature


def overconfident(count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return scores whose logits are three times and a half too large, and labels."""
    random = np.random.default_rng(10)
    logits = random.normal(0, 1.2, count)
    labels = (random.random(count) < expit(logits)).astype(np.int64)
    return expit(3.5 * logits), labels


def test_temperature_is_the_slope_of_a_logistic_regression_without_intercept() -> None:
    scores, labels = overconfident(2000)
    peer = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=1000)
    peer.fit(logit(scores)[:, np.newaxis], labels)
    assert fit_temperature(scores, labels).slope == pytest.approx(peer.coef_.item(), rel=1e-5)


def test_platt_is_the_logistic_regression_of_the_drawn_in_labels() -> None:
    scores, labels = overconfident(2000)
    fakes = labels.sum()
    target = np.where(labels == 1, (fakes + 1) / (fakes + 2), 1 / (len(labels) - fakes + 2))
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    logits = np.tile(logit(scores), 2)[:, np.newaxis]
    peer.fit(logits, np.repeat([1, 0], 2000), np.concatenate([target, 1 - target]))
    fitted = fit_platt(scores, labels)
    assert fitted.slope == pytest.approx(peer.coef_.item(), rel=1e-4)
    assert fitted.offset == pytest.approx(peer.intercept_.item(), abs=1e-4)


def test_fitted_temperature_recovers_the_true_one_and_calibrates_new_scores() -> None:
    scores, labels = overconfident(40_000)
    scaling = fit_temperature(scores[:20_000], labels[:20_000])
    assert 1 / scaling.slope == pytest.approx(3.5, rel=0.05)
    new, truth = scores[20_000:], labels[20_000:]
    assert ece(new, truth) > 0.1
    assert ece(scaling(new), truth) < 0.02


def test_scaling_keeps_the_order_of_the_scores() -> None:
    scores, labels = overconfident(500)
    scaled = fit_platt(scores, labels)(scores)
    assert auc(scaled, labels) == pytest.approx(auc(scores, labels), abs=1e-12)


def test_certain_scores_stay_finite() -> None:
    scaled = Scaling(slope=0.5)([0.0, 0.5, 1.0])
    assert np.all(np.isfinite(scaled))
    assert scaled[0] < 0.001 < 0.999 < scaled[2]


def test_perfectly_parted_and_reversed_validation_scores_meet_the_bounds() -> None:
    assert fit_temperature([0.1, 0.2, 0.8], [0, 0, 1]).slope == STEEPEST
    assert fit_temperature([0.1, 0.2, 0.8], [1, 1, 0]).slope == 1 / STEEPEST
    assert 0 < fit_platt([0.1, 0.2, 0.8], [0, 0, 1]).slope < 10
    assert fit_platt([0.1, 0.2, 0.8], [1, 1, 0]).slope == 0


def test_negative_slope_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="slope must be finite and 0 or more, got -1"):
        Scaling(slope=-1.0)


def test_fitting_on_one_class_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="both classes to give the calibration"):
        fit_temperature([0.1, 0.2], [0, 0])
