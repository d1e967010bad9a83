import json
from inspect import signature

import pytest

from unmask.attack_contracts import GREY
from unmask.attacks import ATTACKS
from unmask.attacks.presets import PRESETS, create_attack
from unmask.attacks.robust import Robust
from unmask.errors import InvalidInputError, NotFoundError


@pytest.mark.parametrize("name", list(ATTACKS))
def test_every_attack_is_made_by_its_name_with_all_settings_told(name: str) -> None:
    attack, settings = create_attack(name, "paper", [])
    assert type(attack) is ATTACKS[name]
    assert list(settings) == list(signature(ATTACKS[name]).parameters)
    assert json.loads(json.dumps(settings)) == settings


@pytest.mark.parametrize("method", list(PRESETS["paper"]))
def test_the_paper_preset_names_settings_that_there_are(method: str) -> None:
    _, settings = create_attack(method, "paper")
    assert settings.items() >= PRESETS["paper"][method].items()


def test_the_suites_attacks_have_its_published_settings() -> None:
    for method in ("iterative_fgsm", "robust", "nes", "robust_nes"):
        if method in ATTACKS:
            _, settings = create_attack(method)
            assert settings["epsilon"] == 16 * GREY
            assert settings["step"] == GREY
            assert settings["iterations"] == 100


def test_options_win_over_the_preset() -> None:
    attack, settings = create_attack("robust", "paper", ["transforms=random", "epsilon=8/255"])
    assert isinstance(attack, Robust)
    assert attack.transforms == settings["transforms"] == "random"
    assert attack.epsilon == settings["epsilon"] == 8 / 255
    assert settings["kappa"] == 10.0


def test_misspelt_names_are_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match=r"unmask\.attacks has no 'fgms'; did you mean 'fgsm'"):
        create_attack("fgms")
    with pytest.raises(NotFoundError, match="preset has no 'papr'; did you mean 'paper'"):
        create_attack("fgsm", "papr")
    with pytest.raises(NotFoundError, match="PGD has no 'restart'; did you mean 'restarts'"):
        create_attack("pgd", "paper", ["restart=2"])


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="iterations must be a whole number, got 'ten'"):
        create_attack("pgd", "paper", ["iterations=ten"])
