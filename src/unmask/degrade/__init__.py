"""Losses of quality: codecs and image degradations, each found by its name."""

from unmask.contracts import Degradation
from unmask.families import Family

DEGRADATIONS = Family("unmask.degrade", Degradation)  # type: ignore[type-abstract]
