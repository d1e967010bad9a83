"""A detector with a guard: what was tampered with to fool the detector is no real face either."""

import torch
from torch import Tensor

from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector

CLEAN = "clean"  # the class of a guard; every other is a kind of attack


class Guarded(Detector):
    """A face is real if the detector says real and the guard says clean, both independently.

    P(fake) = 1 - (1 - P(fake by the detector)) (1 - P(attacked by the guard)). So an attack has to
    fool both at once, and what the guard takes for attacked without cause is called fake.

    Faces go in at the size of the larger of the two; the smaller one shrinks them further.

    Args:
        detector: which tells real faces from fakes.
        guard: which tells clean faces from attacked ones.

    Raises:
        InvalidInputError: if the detector has no class `real`, or the guard no class `clean`.
    """

    def __init__(self, detector: Detector, guard: Detector) -> None:
        for one, needed, role in ((detector, "real", "detector"), (guard, CLEAN, "guard")):
            if needed not in one.classes:
                raise InvalidInputError(
                    f"the {role} must have the class {needed!r}, got {one.classes}; choose another"
                )
        super().__init__(size=max(detector.size, guard.size))
        self.detector, self.guard = detector, guard

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, 2) of faces (N, T, 3, size, size) in [0, 1]."""
        each = faces.flatten(0, 1).unsqueeze(1)
        fake, attacked = self.detector.odds(each), self.guard.odds(each)
        # With odds a and b against each, those against both are (1 + a)(1 + b) - 1 = a + b + ab.
        against = torch.stack([fake, attacked, fake + attacked]).logsumexp(0)
        return torch.stack([torch.zeros_like(against), against], -1).view(*faces.shape[:2], 2)
