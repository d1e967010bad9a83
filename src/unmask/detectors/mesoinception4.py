"""MesoInception4: Meso4 with two inception modules in front."""

import torch
from torch import Tensor, nn

from unmask.detectors.meso_layers import (
    PUBLISHED_SIZE,
    MesoNetwork,
    activated,
    class_logits,
    stage,
)
from unmask.torch_contracts import Detector


class MesoInception4(Detector):
    """Two inception modules with dilated branches, then two convolutions: 29 thousand parameters.

    Its output is that of Meso4: the sigmoid of z is P(**real**), the logits here are (z, 0).

    Args:
        size: side of the input, a multiple of 32; the published weights need 256.
        classes: names of the outputs in order; the published weights tell two.

    Reference:
        Afchar et al., "MesoNet: a Compact Facial Video Forgery Detection Network", WIFS 2018,
        section 2.2. https://arxiv.org/abs/1809.00888
    """

    def __init__(
        self, *, size: int = PUBLISHED_SIZE, classes: tuple[str, ...] = ("real", "fake")
    ) -> None:
        super().__init__(size=size, classes=classes)
        stages = [
            stage(_Inception(3, (1, 4, 4, 2)), 11, pool=2),
            stage(_Inception(11, (2, 4, 4, 2)), 12, pool=2),
            stage(activated(12, 16, 5), 16, pool=2),
            stage(activated(16, 16, 5), 16, pool=4),
        ]
        self.network = MesoNetwork(stages, size, len(classes))

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, classes) of faces (N, T, 3, size, size)."""
        return class_logits(self.network, faces, self.classes)


class _Inception(nn.Module):
    """Four branches side by side: 1x1, and 1x1 before 3x3 with dilation 1, 2 and 3.

    Args:
        inputs: channels that come in.
        branches: channels of each branch.
    """

    def __init__(self, inputs: int, branches: tuple[int, int, int, int]) -> None:
        super().__init__()
        first, *others = branches
        self.branches = nn.ModuleList([activated(inputs, first, 1)])
        for dilation, channels in enumerate(others, start=1):
            wide = activated(channels, channels, 3, dilation=dilation)
            self.branches.append(nn.Sequential(activated(inputs, channels, 1), wide))

    def forward(self, images: Tensor) -> Tensor:
        """Return the branches' outputs, one after the other along the channels."""
        return torch.cat([branch(images) for branch in self.branches], 1)
