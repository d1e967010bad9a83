"""The median of each pixel's neighbours."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from unmask.degrade.image import in_range
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Purifier


class Median(Purifier):
    """Replace each value by the median of a window about it, its channel's own.

    Beyond the edge the outermost pixels repeat, as OpenCV's filter has it. The gradient is the
    true one: it goes to the pixel that was the median.

    Args:
        window: side in pixels, odd.

    Raises:
        InvalidInputError: if the window is not odd and from 3 to 15.

    Reference:
        Xu et al., "Feature Squeezing", NDSS 2018, section IV-B. https://arxiv.org/abs/1704.01155
    """

    def __init__(self, window: int = 3) -> None:
        in_range("window", window, 3, 15, "3 is common, 5 is strong")
        if window % 2 == 0:
            raise InvalidInputError(f"window must be odd, got {window}; take {window + 1}")
        self.window = window

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return the faces after the filter."""
        reach = self.window // 2
        wide = pad(faces.flatten(0, 1), (reach, reach, reach, reach), mode="replicate")
        windows = wide.unfold(-2, self.window, 1).unfold(-2, self.window, 1)
        return windows.flatten(-2).median(-1).values.view(faces.shape)
