import pytest
import torch

from unmask.benchmark.defence_trials import common_radius, planned, with_draws
from unmask.errors import InvalidInputError, NotFoundError


def test_every_attack_gets_the_radius_unless_it_has_its_own() -> None:
    trials = planned(["fgsm", "nes:epsilon=8/255", "carlini_wagner:iterations=5"], "pgd", 4)
    assert [one.radius for one in trials[:3]] == [4, 8, None]
    assert [one.black_box for one in trials[:3]] == [False, True, False]


def test_adaptive_attack_is_made_at_half_and_twice_the_radius_and_without_bound() -> None:
    trials = planned(["fgsm"], "pgd:restarts=2", 3)
    assert [(one.name, one.role, one.radius) for one in trials] == [
        ("fgsm", "own", 3),
        ("adaptive", "adaptive", 3),
        ("adaptive at 1.5", "radius", 1.5),
        ("adaptive at 6", "radius", 6),
        ("unbounded", "unbounded", 255),
    ]
    assert all(one.create()[1]["restarts"] == 2 for one in trials[1:4])


def test_attack_without_bound_starts_from_the_face_itself() -> None:
    *_, unbounded = planned(["fgsm"], "pgd", 4)
    settings = unbounded.create()[1]
    assert settings["random_start"] is False
    assert settings["iterations"] == 100


def test_radii_of_the_adaptive_attack_are_half_and_twice_its_own() -> None:
    trials = planned(["fgsm"], "pgd:epsilon=16/255", 4)
    told = [(one.name, one.radius) for one in trials[1:4]]
    assert told == [("adaptive", 16), ("adaptive at 8", 8), ("adaptive at 32", 32)]


@pytest.mark.parametrize(
    ("attacks", "adaptive", "radius"),
    [
        (["fgsm", "pgd:epsilon=64/255"], "pgd", 4),
        (["fgsm"], "pgd:epsilon=16/255", 16),
        (["fgsm"], "carlini_wagner", 4),
        (["carlini_wagner:searches=2"], "carlini_wagner", None),
    ],
)
def test_worst_case_counts_attacks_up_to_the_radius_of_the_adaptive_one_or_the_levels(
    attacks: list[str], adaptive: str, radius: float | None
) -> None:
    assert common_radius(planned(attacks, adaptive, 4), 4) == radius


def test_adaptive_attack_in_l2_has_no_radii_and_its_unbounded_one_covers_every_face() -> None:
    _, best, unbounded = planned(["fgsm"], "pgd:norm=l2:epsilon=3", 4)
    assert (best.radius, best.create()[0].epsilon) == (None, 3)
    attack, settings = unbounded.create()
    black = torch.zeros(1, 1, 3, 512, 512)
    assert torch.equal(attack.inside_ball(black + 1, black), black + 1)
    assert settings["iterations"] == 100


def test_adaptive_attack_that_nothing_bounds_keeps_its_settings_and_is_made_once() -> None:
    trials = planned(["fgsm"], "carlini_wagner:searches=2", 4)
    assert [(one.name, one.is_unbounded) for one in trials] == [("fgsm", False), ("adaptive", True)]
    assert trials[1].create()[1]["iterations"] == 500


def test_attacks_of_one_method_go_by_their_options() -> None:
    trials = planned(["pgd", "nes:iterations=2", "nes:iterations=5"], "pgd", 4)
    assert [one.name for one in trials[:3]] == ["pgd", "nes-iterations=2", "nes-iterations=5"]


def test_draws_are_given_to_attacks_that_can_take_them() -> None:
    trials = planned(["square", "iterative_fgsm"], "pgd:draws=3", 4)
    drawn = [with_draws(one, 8).create()[1].get("draws") for one in trials[:3]]
    assert drawn == [None, 8, 3]


def test_one_attack_twice_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="a name of its own, got 'pgd' more than once"):
        planned(["pgd", "pgd"], "pgd", 4)


def test_no_attack_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="attacks must name one attack or more, got none"):
        planned([], "pgd", 4)


def test_misspelt_attack_or_option_is_refused_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'fgsm'"):
        planned(["fgms"], "pgd", 4)
    with pytest.raises(NotFoundError, match="did you mean 'restarts'"):
        planned(["fgsm"], "pgd:restart=2", 4)
