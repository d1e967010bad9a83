"""Fewer grey levels."""

import torch
from torch import Tensor

from unmask.defences.straight_through import straight_through
from unmask.degrade.image import in_range
from unmask.torch_contracts import Purifier


class BitDepth(Purifier):
    """Round each value to the nearest of 2 ** bits levels; the gradient is the identity's.

    Args:
        bits: of each channel, 1 to 8.

    Raises:
        InvalidInputError: if the bits lie outside that range.

    Reference:
        Xu et al., "Feature Squeezing", NDSS 2018, section IV-A. https://arxiv.org/abs/1704.01155
    """

    def __init__(self, bits: int = 4) -> None:
        in_range("bits", bits, 1, 8, "4 is common, and 8 is what an image has")
        self.bits = bits

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return the faces in fewer levels."""
        highest = 2**self.bits - 1
        return straight_through((faces * highest).round() / highest, faces)
