import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from unmask.errors import InvalidInputError
from unmask.metrics.class_scaling import at_temperature, fit_class_temperature
from unmask.metrics.scaling import fit_temperature


def too_sure(temperature: float, classes: int, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Return classes drawn from honest probabilities, and these as a network would overstate."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 1, (count, classes))
    honest = softmax(logits, -1)
    truth = (honest.cumsum(1) < random.random((count, 1))).sum(1)
    return truth, softmax(logits * temperature, -1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_a_network_was_made_too_sure_with_is_found(temperature: float) -> None:
    truth, told = too_sure(temperature, classes=5)
    assert fit_class_temperature(truth, told) == pytest.approx(temperature, rel=0.08)


def counted_with_two_more(truth: np.ndarray, told: np.ndarray) -> float:
    """Return the log loss of n items each of which stands for n + 1 like it and one unlike it."""
    count, classes = told.shape
    total = 0.0
    for place, chances in zip(truth, told, strict=True):
        others = [-np.log(one) for other, one in enumerate(chances) if other != place]
        total -= (count + 1) * np.log(chances[place])
        total += sum(others) / (classes - 1)
    return float(total / count / (count + 2))


@pytest.mark.parametrize("classes", [2, 3])
def test_no_other_temperature_makes_the_true_classes_likelier(classes: int) -> None:
    truth, told = too_sure(2.5, classes=classes, count=200)
    best = minimize_scalar(
        lambda one: counted_with_two_more(truth, at_temperature(told, one)),
        bounds=(0.1, 10),
        method="bounded",
    )
    assert fit_class_temperature(truth, told) == pytest.approx(best.x, rel=1e-4)


def test_of_many_items_of_two_classes_it_is_the_temperature_of_a_score() -> None:
    truth, told = too_sure(1.7, classes=2)
    wanted = 1 / fit_temperature(told[:, 1], truth).slope
    assert fit_class_temperature(truth, told) == pytest.approx(wanted, rel=5e-3)


@pytest.mark.parametrize("count", [30, 300])
@pytest.mark.parametrize("sure", [0.6, 0.99, 1 - 1e-9])
def test_a_flawless_validation_of_n_items_makes_no_network_surer_than_n_plus_1_of_n_plus_2(
    count: int, sure: float
) -> None:
    truth = np.arange(count) % 3
    told = np.where(np.eye(3)[truth] == 1, sure, (1 - sure) / 2)
    scaled = at_temperature(told, fit_class_temperature(truth, told))
    assert scaled.max(1) == pytest.approx(1 - 1 / (count + 2), rel=1e-6)


def test_it_stays_finite_where_classes_part_or_nothing_is_told() -> None:
    certain = np.eye(3)[[0, 1, 2]] * 0.98 + 0.01
    hardly = np.full((3, 3), 1 / 3) + 1e-3 * (np.eye(3) - 1 / 3)
    assert fit_class_temperature([0, 1, 2], hardly) == 1 / 20
    assert fit_class_temperature([1, 2, 0], certain / certain.sum(1, keepdims=True)) == 20
    assert 1 < fit_class_temperature(np.arange(60) % 2, np.eye(2)[np.arange(60) % 2]) < 20


def test_the_order_of_classes_stays_and_probabilities_are_1_in_sum() -> None:
    told = np.array([[0.7, 0.2, 0.1], [0.0, 1.0, 0.0]])
    for temperature in (0.1, 1.0, 4.0):
        scaled = at_temperature(told, temperature)
        assert scaled.sum(1) == pytest.approx(1)
        assert (scaled.argsort(1)[0] == told.argsort(1)[0]).all()
    assert at_temperature(told, 1.0) == pytest.approx(told, abs=1e-12)


def test_a_temperature_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="temperature must be above 0, got 0; fit it with"):
        at_temperature([[0.5, 0.5]], 0)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="must be 0 or more and 1 in sum"):
        fit_class_temperature([0, 1], [[0.5, 0.9], [0.5, 0.5]])
