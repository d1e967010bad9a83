"""Meso4, four small convolutions on the face."""

from torch import Tensor

from unmask.detectors.meso_layers import (
    PUBLISHED_SIZE,
    MesoNetwork,
    activated,
    class_logits,
    stage,
)
from unmask.torch_contracts import Detector


class Meso4(Detector):
    """Four convolutions with large pools: 28 thousand parameters.

    The published network has one output whose sigmoid is P(**real**); its logits here are (z, 0)
    for (real, fake). `unmask.detectors.keras_weights` loads the published weights.

    Args:
        size: side of the input, a multiple of 32; the published weights need 256.
        classes: names of the outputs in order; the published weights tell two.

    Reference:
        Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network", WIFS 2018,
        section 2.1. https://arxiv.org/abs/1809.00888
    """

    def __init__(
        self, *, size: int = PUBLISHED_SIZE, classes: tuple[str, ...] = ("real", "fake")
    ) -> None:
        super().__init__(size=size, classes=classes)
        stages = [
            stage(activated(3, 8, 3), 8, pool=2),
            stage(activated(8, 8, 5), 8, pool=2),
            stage(activated(8, 16, 5), 16, pool=2),
            stage(activated(16, 16, 5), 16, pool=4),
        ]
        self.network = MesoNetwork(stages, size, len(classes))

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, classes) of faces (N, T, 3, size, size)."""
        return class_logits(self.network, faces, self.classes)
