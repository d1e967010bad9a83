"""Which attacks a defence is put to, and with which settings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from math import isfinite

from unmask.attack_contracts import Attack
from unmask.attacks import ATTACKS
from unmask.attacks.presets import create_attack
from unmask.benchmark.attack_settings import parse_attack
from unmask.benchmark.defence_results import COMPARED, Role, is_within
from unmask.errors import InvalidInputError
from unmask.options import Value

ADAPTIVE, UNBOUNDED = "adaptive", "unbounded"
ONE_STEP = ("fgsm",)

# What an attack without a bound sets, where it has such a setting: it starts from the face itself,
# since noise alone fools many a detector, and goes far in small steps.
ENOUGH = {"random_start": "false", "restarts": "1", "iterations": "100", "lead": "0.9"}
# Radii that any change of a face fits in, and steps that cross the face in less than 100. In L2 it
# hangs on the size: 1000 is from black to white on 577 pixels each way.
WIDEST = {
    "linf": {"epsilon": "1", "step_ratio": "0.02"},
    "l2": {"epsilon": "1000", "step_ratio": "0.01"},
}


@dataclass(frozen=True)
class Trial:
    """One attack with its settings.

    Args:
        name: that it goes by: its method where no other attack has the same, else its text.
        role: what it is made for.
        method: the attack's part.
        options: `name=value` each, over the attack's `paper` preset.
    """

    name: str
    role: Role
    method: str
    options: tuple[str, ...]

    def create(self) -> tuple[Attack, dict[str, Value]]:
        """Return the attack, and all its settings.

        Raises:
            NotFoundError: if there is no such attack or option.
            InvalidInputError: if an option has a wrong value.
        """
        return create_attack(self.method, "paper", self.options)

    @property
    def radius(self) -> float | None:
        """The largest change of a value, of 255; None where the attack has another bound."""
        attack, _ = self.create()
        bounded = attack.norm == "linf" and isfinite(attack.epsilon)
        return round(attack.epsilon * 255, 6) if bounded else None

    @property
    def black_box(self) -> bool:
        """Whether it sees scores only."""
        return ATTACKS[self.method].black_box

    @property
    def one_step(self) -> bool:
        """Whether it follows the gradient only once."""
        return self.method in ONE_STEP or self.create()[1].get("iterations") == 1

    @property
    def is_unbounded(self) -> bool:
        """Whether it knows the defence and may change a face as far as it likes."""
        by_nature = self.role == "adaptive" and not isfinite(self.create()[0].epsilon)
        return self.role == "unbounded" or by_nature


def planned(attacks: Sequence[str], adaptive: str, levels: float) -> tuple[Trial, ...]:
    """Return every trial of a defence: the attacks, and the adaptive one at several radii.

    An adaptive attack without a radius of its own has no other radii, and one that nothing bounds
    is its own attack without a bound.

    Args:
        attacks: texts such as `pgd` or `nes:iterations=20:pairs=10`, one at least.
        adaptive: the text of the attack that knows the defence.
        levels: radius, of 255, of each attack whose text gives none.

    Raises:
        NotFoundError: if there is no such attack or option.
        InvalidInputError: if a text is empty, a value wrong, or two attacks have one name.

    Example:
        >>> [one.name for one in planned(["fgsm"], "pgd", 4)]
        ['fgsm', 'adaptive', 'adaptive at 2', 'adaptive at 8', 'unbounded']
        >>> planned(["nes:iterations=20"], "pgd", 4)[0].options
        ('epsilon=0.01568627450980392', 'iterations=20')
    """
    trials = [_trial(text, "own") for text in attacks]
    methods = [one.method for one in trials]
    trials = [
        replace(one, name=one.method) if methods.count(one.method) == 1 else one for one in trials
    ]
    if not trials:
        raise InvalidInputError("attacks must name one attack or more, got none; pgd is one")
    best = replace(_trial(adaptive, "adaptive"), name=ADAPTIVE)
    found = [_at(one, levels) for one in (*trials, best)]
    best = found[-1]
    if best.radius is not None:
        found += [
            replace(_at(best, other, over=True), name=f"{ADAPTIVE} at {other:g}", role="radius")
            for other in (best.radius / 2, 2 * best.radius)
        ]
    if not best.is_unbounded:
        found.append(_unbounded(best))
    names = [one.name for one in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InvalidInputError(
            f"each attack must have a name of its own, got {twice[0]!r} more than once; leave one "
            "out"
        )
    return tuple(found)


def common_radius(trials: Sequence[Trial], levels: float) -> float | None:
    """Return the radius, of 255, up to which attacks count towards the worst case.

    It is that of the adaptive attack, or `levels` where that has none. None, which counts all,
    where no attack would be left.

    Example:
        >>> common_radius(planned(["pgd:epsilon=64/255"], "pgd:epsilon=8/255", 4), 4)
        8.0
    """
    compared = [one for one in trials if one.role in COMPARED]
    best = next(one.radius for one in compared if one.role == "adaptive")
    limit = levels if best is None else best
    return limit if any(is_within(one.radius, limit) for one in compared) else None


def with_draws(trial: Trial, draws: int) -> Trial:
    """Return the trial with so many draws of the defence's randomness, where it can take them."""
    if "draws" not in _takes(trial.method) or _says(trial, "draws"):
        return trial
    return replace(trial, options=(*trial.options, f"draws={draws}"))


def _trial(text: str, role: Role) -> Trial:
    spec = parse_attack(text)
    found = Trial(spec.name, role, spec.method, spec.options)
    found.create()
    return found


def _at(trial: Trial, levels: float, *, over: bool = False) -> Trial:
    """Return the trial with a radius, unless it has one of its own or a bound of another kind."""
    attack, _ = trial.create()
    if "epsilon" not in _takes(trial.method) or attack.norm != "linf":
        return trial
    if _says(trial, "epsilon") and not over:
        return trial
    return replace(trial, options=(f"epsilon={levels / 255!r}", *_without(trial, "epsilon")))


def _unbounded(trial: Trial) -> Trial:
    known = _takes(trial.method)
    told = WIDEST[trial.create()[0].norm] | ENOUGH
    kept = [one for one in trial.options if one.partition("=")[0] not in told]
    enough = [f"{name}={value}" for name, value in told.items() if name in known]
    return replace(trial, name=UNBOUNDED, role="unbounded", options=(*kept, *enough))


def _takes(method: str) -> Sequence[str]:
    return list(signature(ATTACKS[method]).parameters)


def _says(trial: Trial, name: str) -> bool:
    return any(option.startswith(f"{name}=") for option in trial.options)


def _without(trial: Trial, name: str) -> Iterator[str]:
    return (option for option in trial.options if not option.startswith(f"{name}="))
