"""A seed and names fix the random numbers, whatever is drawn elsewhere."""

from hashlib import sha256

import numpy as np
import pytest

from unmask.seeding import generator_for, seed_for


def test_a_seed_follows_from_its_definition() -> None:
    digest = sha256(b"7\x1fself_blend\x1fclips/a.mp4").digest()
    assert seed_for(7, "self_blend", "clips/a.mp4") == int.from_bytes(digest[:8], "big") // 2


def test_a_seed_is_the_same_in_every_release() -> None:
    assert seed_for(0, "self_blend", "a.mp4") == 8066669437287644905


def test_a_seed_fits_the_seed_column_of_a_catalog() -> None:
    assert all(0 <= seed_for(seed, "a") < 2**63 for seed in range(1000))


def test_seeds_of_different_names_differ() -> None:
    names = [(), ("a",), ("a", "b"), ("b", "a"), ("ab",), ("a", "b", ""), (1,), (12,), (1, 2)]
    assert len({seed_for(seed, *name) for seed in (0, 1) for name in names}) == 2 * len(names)


def test_a_number_and_its_text_are_one_name() -> None:
    assert seed_for(0, 1) == seed_for(0, "1")


def test_a_generator_draws_the_same_numbers_whatever_was_drawn_before() -> None:
    first = generator_for(3, "clip").random(5)
    generator_for(3, "other").random(100)
    np.random.default_rng(0).random(100)
    np.testing.assert_array_equal(generator_for(3, "clip").random(5), first)


def test_generators_of_different_names_are_not_correlated() -> None:
    draws = np.array([generator_for(0, name).standard_normal(1000) for name in range(50)])
    correlations = np.corrcoef(draws)[np.triu_indices(50, k=1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(1000)
    assert correlations.std() == pytest.approx(1 / np.sqrt(1000), rel=0.1)
