"""Defences of detectors: purifiers, each found by its name, and detectors made of detectors."""

from unmask.families import Family
from unmask.torch_contracts import Purifier

PURIFIERS = Family("unmask.defences", Purifier)  # type: ignore[type-abstract]
