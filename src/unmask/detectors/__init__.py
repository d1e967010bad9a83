"""Networks that tell real faces from fakes, each found by its name."""

from unmask.families import Family
from unmask.torch_contracts import Detector

DETECTORS = Family("unmask.detectors", Detector)  # type: ignore[type-abstract]
