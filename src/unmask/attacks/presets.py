"""Attacks by name, with published settings."""

from collections.abc import Mapping, Sequence

from unmask.attack_contracts import GREY, Attack
from unmask.attacks import ATTACKS
from unmask.errors import unknown_name
from unmask.options import Value, parse_options

# Those of the Adversarial Deepfakes suite; where it has no such attack, those of its own paper.
PAPER: Mapping[str, Mapping[str, Value]] = {
    "fgsm": {"epsilon": 16 * GREY},
    "iterative_fgsm": {"epsilon": 16 * GREY, "step": GREY, "iterations": 100, "lead": 0.99},
    "robust": {
        "epsilon": 16 * GREY,
        "step": GREY,
        "iterations": 100,
        "transforms": "published",
        "kappa": 10.0,
        "sure": 0.95,
    },
    "carlini_wagner": {
        "step": 0.005,
        "iterations": 500,
        "searches": 5,
        "weight": 1e-3,
        "largest_weight": 1.0,
        "kappa": 20.0,
    },
    "nes": {
        "epsilon": 16 * GREY,
        "step": GREY,
        "iterations": 100,
        "pairs": 20,
        "sigma": 0.001,
        "sure": 0.999999,
    },
    "robust_nes": {
        "epsilon": 16 * GREY,
        "step": GREY,
        "iterations": 100,
        "pairs": 20,
        "sigma": 0.001,
        "sure": 0.9,
        "warm_start": True,
    },
    "pgd": {"epsilon": 8 * GREY, "step_ratio": 0.25, "iterations": 20, "restarts": 1},
    "mi_fgsm": {"epsilon": 16 * GREY, "iterations": 10, "decay": 1.0},
}

PRESETS: Mapping[str, Mapping[str, Mapping[str, Value]]] = {"paper": PAPER}


def create_attack(
    method: str, preset: str = "paper", options: Sequence[str] = ()
) -> tuple[Attack, dict[str, Value]]:
    """Return an attack and all settings that it was made with.

    Args:
        method: a part of `unmask.attacks` or of an installed package.
        preset: a set of settings; where it says nothing of the method, the part's own count.
        options: `name=value` each; they win over the preset.

    Raises:
        NotFoundError: if there is no such method, preset or option; the message has the closest.
        InvalidInputError: if a value is of another type or out of its range.

    Example:
        >>> attack, settings = create_attack("pgd", "paper", ["epsilon=4/255"])
        >>> round(attack.epsilon * 255, 6), settings["iterations"]
        (4.0, 20)
    """
    part = ATTACKS[method]
    if preset not in PRESETS:
        raise unknown_name("the choice of preset", preset, PRESETS)
    chosen = [f"{name}={value}" for name, value in PRESETS[preset].get(method, {}).items()]
    settings = parse_options(part, [*chosen, *options])
    return part(**settings), settings  # type: ignore[arg-type]  # each part has its own
