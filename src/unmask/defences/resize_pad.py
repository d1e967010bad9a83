"""Random resizing and padding."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from unmask.degrade.image import in_range
from unmask.torch_contracts import Purifier


class ResizePad(Purifier):
    """Shrink the faces by chance, and put them at a random place among zeros.

    The published defence enlarges images of 299 pixels to 299 to 330 and pads to 331. Here the
    shape stays: the larger side of what goes in plays the part of 331.

    Args:
        smallest: the smallest side after shrinking, as a share of the full one.

    Raises:
        InvalidInputError: if the share does not lie between 0.1 and 1.

    Reference:
        Xie et al., "Mitigating Adversarial Effects Through Randomization", ICLR 2018, section 3.
        https://arxiv.org/abs/1711.01991
    """

    is_random = True

    def __init__(self, smallest: float = 0.9) -> None:
        in_range("smallest", smallest, 0.1, 1, "0.9 is the published 299 of 331 pixels")
        self.smallest = smallest

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return the faces after one draw of the size and the place."""
        height, width = faces.shape[-2:]
        share = self.smallest + (1 - self.smallest) * float(torch.rand((), generator=random))
        size = max(1, round(share * height)), max(1, round(share * width))
        small = interpolate(faces.flatten(0, 1), size, mode="bilinear", antialias=True)
        top, left = (
            int(torch.randint(full - part + 1, (), generator=random))
            for full, part in zip((height, width), size, strict=True)
        )
        around = (left, width - size[1] - left, top, height - size[0] - top)
        return pad(small.clamp(0, 1), around).view(faces.shape)
