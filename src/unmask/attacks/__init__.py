"""Attacks on detectors, each found by its name."""

from unmask.attack_contracts import Attack
from unmask.families import Family

ATTACKS = Family("unmask.attacks", Attack)  # type: ignore[type-abstract]
