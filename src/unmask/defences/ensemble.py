"""Several detectors as one."""

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor
from torch.nn import ModuleList
from torch.nn.functional import logsigmoid

from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector


class Ensemble(Detector):
    """The mean of the probabilities that several detectors give to each face.

    Faces go in at the size of the largest member. A smaller one shrinks them once more, so what it
    says in here is not quite what it says alone; members of one size say the same.

    Args:
        detectors: two or more, of any sizes and orders of classes.

    Raises:
        InvalidInputError: if there are fewer, or one of them has no class `real`.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        if len(detectors) < 2:
            raise InvalidInputError(
                f"an ensemble must have two members or more, got {len(detectors)}; add another"
            )
        for detector in detectors:
            if "real" not in detector.classes:
                raise InvalidInputError(
                    f"each member must have the class 'real', got {detector.classes}; leave it out"
                )
        super().__init__(size=max(detector.size for detector in detectors))
        self.detectors = ModuleList(detectors)

    def logits(self, faces: Tensor) -> Tensor:
        """Return log probabilities (N, T, 2) of real and fake for faces (N, T, 3, size, size)."""
        each = faces.flatten(0, 1).unsqueeze(1)
        odds = torch.stack([detector.odds(each) for detector in self.detectors])  # type: ignore[operator]
        members = torch.stack([logsigmoid(-odds), logsigmoid(odds)], -1)
        mean: Tensor = members.logsumexp(0) - log(len(self.detectors))
        return mean.view(*faces.shape[:2], 2)
