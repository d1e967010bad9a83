"""Makers of forged videos and of the demo's people, each found by its name."""

from unmask.contracts import Generator
from unmask.families import Family

GENERATORS = Family("unmask.generators", Generator)  # type: ignore[type-abstract]
