"""The mean of each pixel's neighbours."""

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from unmask.torch_contracts import Purifier


class BoxBlur(Purifier):
    """Replace each value by the mean of a square window; the edge pixels repeat outwards.

    Args:
        reach: pixels on each side of the middle one.
    """

    def __init__(self, reach: int = 1) -> None:
        self.reach = reach

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return the blurred faces (N, T, 3, H, W)."""
        around = pad(faces.flatten(0, 1), [self.reach] * 4, mode="replicate")
        return avg_pool2d(around, 2 * self.reach + 1, stride=1).clamp(0, 1).view(faces.shape)
