import re

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from unmask.attribution.confidence import (
    OF_LOGITS,
    OF_PROBABILITIES,
    RULES,
    confidence,
    confidence_of_logits,
)
from unmask.errors import InvalidInputError, NotFoundError

LOGITS = np.random.default_rng(0).normal(0, 3, (50, 5))
PROBABILITIES = torch.from_numpy(LOGITS).softmax(-1).numpy()


def test_rules_are_what_their_papers_say() -> None:
    two = np.sort(PROBABILITIES)[:, -2:]
    expected = {
        "max_softmax": PROBABILITIES.max(1),
        "margin": two[:, 1] - two[:, 0],
        "entropy": 1 - entropy(PROBABILITIES, base=5, axis=1),
        "energy": torch.from_numpy(LOGITS).logsumexp(-1).numpy(),
        "max_logit": LOGITS.max(1),
    }
    assert set(expected) == set(RULES)
    for rule, values in expected.items():
        np.testing.assert_allclose(confidence_of_logits(LOGITS, rule), values, atol=1e-12)


@pytest.mark.parametrize("rule", OF_PROBABILITIES)
def test_probabilities_say_the_same_as_their_logits(rule: str) -> None:
    np.testing.assert_allclose(
        confidence(PROBABILITIES, rule), confidence_of_logits(LOGITS, rule), atol=1e-12
    )


@pytest.mark.parametrize("rule", OF_PROBABILITIES)
def test_even_odds_are_the_least_and_certainty_the_most_confident(rule: str) -> None:
    low, high = confidence([[0.25] * 4, [0.0, 1.0, 0.0, 0.0]], rule)
    assert low == pytest.approx(0.25 if rule == "max_softmax" else 0)
    assert high == pytest.approx(1)


@pytest.mark.parametrize("rule", OF_LOGITS)
def test_rules_of_logits_see_the_level_that_a_softmax_takes_away(rule: str) -> None:
    np.testing.assert_allclose(
        confidence_of_logits(LOGITS + 4, rule), confidence_of_logits(LOGITS, rule) + 4
    )
    with pytest.raises(InvalidInputError, match="give the logits to confidence_of_logits"):
        confidence(PROBABILITIES, rule)


def test_a_misspelt_rule_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match=re.escape("did you mean 'entropy'?")):
        confidence(PROBABILITIES, "entropie")


@pytest.mark.parametrize("values", [LOGITS, PROBABILITIES[0], [[0.5, np.nan]], [[1.0]]])
def test_what_are_no_probabilities_is_refused(values: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="0 or more and 1 in"):
        confidence(values)


@pytest.mark.parametrize("values", [LOGITS[:, :1], LOGITS[0], [[0.0, np.nan]]])
def test_what_are_no_logits_is_refused(values: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="one row of two classes or more"):
        confidence_of_logits(values)
