"""A detector behind purifiers."""

from collections.abc import Sequence
from hashlib import sha256

import torch
from torch import Tensor

from unmask.torch_contracts import Detector, Purifier


class Purified(Detector):
    """A detector that sees its faces only after they were purified, at its input's size.

    Random purifiers draw for each item. Where a gradient with respect to the faces is taken, as a
    white-box attacker does, they draw anew each time from torch's generator, so that he can
    average. Everywhere else the draw is a function of the item's own faces: the same faces have
    the same score, in any batch, and the smallest change of them makes an independent draw.

    Args:
        detector: the one to be defended.
        purifiers: used from left to right.
    """

    def __init__(self, detector: Detector, purifiers: Sequence[Purifier]) -> None:
        super().__init__(size=detector.size, classes=detector.classes)
        self.detector = detector
        self.purifiers = tuple(purifiers)

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, classes) of faces (N, T, 3, size, size) in [0, 1]."""
        purified = self.purified(faces)
        normal = purified - self.detector.get_buffer("mean")
        return self.detector.logits(normal / self.detector.get_buffer("deviation"))

    def purified(self, faces: Tensor) -> Tensor:
        """Return what the defended detector is shown of faces (N, T, 3, size, size) in [0, 1]."""
        if not any(purifier.is_random for purifier in self.purifiers):
            return self._through(faces, torch.default_generator)
        fresh = faces.requires_grad and torch.is_grad_enabled()
        return torch.cat(
            [
                self._through(item, torch.default_generator if fresh else _drawn_by(item))
                for item in faces.unsqueeze(1)  # each (1, T, 3, size, size)
            ]
        )

    def _through(self, faces: Tensor, random: torch.Generator) -> Tensor:
        for purifier in self.purifiers:
            faces = purifier(faces, random)
        return faces


def _drawn_by(item: Tensor) -> torch.Generator:
    content = item.detach().float().cpu().contiguous().numpy()
    digest = sha256(content.tobytes()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7]))
