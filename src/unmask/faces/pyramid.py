"""A picture at half, a quarter ... of its size, from which small copies of its parts are cheap."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.boxes import Boxes


class Halves:
    """A picture and its halvings, each made when it is first needed.

    OpenCV averages 2x2 pixels ten times faster than any other window, and averages of averages
    are the averages: of anything shrunk, all but the last factor of two costs next to nothing.

    Args:
        image: (H, W, 3) uint8.
    """

    def __init__(self, image: Image) -> None:
        self._levels = [image]

    @property
    def height(self) -> int:
        """Rows of the whole picture."""
        return int(self._levels[0].shape[0])

    @property
    def width(self) -> int:
        """Columns of the whole picture."""
        return int(self._levels[0].shape[1])

    def scaled(self, scale: float) -> tuple[Image, tuple[float, float]]:
        """Scale the whole picture by a factor of at most 1.

        Returns:
            The small picture, and how many pixels of the whole one its pixels are wide and high.
        """
        level, factor = self.level(1 / scale)
        size = (math.ceil(self.width * scale), math.ceil(self.height * scale))
        height, width = (length * factor for length in level.shape[:2])
        return _resized(level, size), (width / size[0], height / size[1])

    def crops(self, boxes: Boxes, side: int) -> tuple[Image, Boxes]:
        """Cut out square boxes, black where they leave the picture, all at one size.

        Args:
            boxes: (N, 4), square; they are rounded to whole pixels.
            side: of the cut-outs.

        Returns:
            (N, side, side, 3) uint8, and the boxes (N, 4) after rounding.
        """
        crops = np.empty((len(boxes), side, side, 3), np.uint8)
        rounded = np.empty_like(boxes)
        for index, (left, top, right, _) in enumerate(boxes.tolist()):
            level, factor = self.level((right - left) / side)
            x, y = round(left / factor), round(top / factor)
            length = max(round(right / factor) - x, 1)
            crops[index] = _resized(_cut(level, x, y, length), (side, side))
            rounded[index] = x, y, x + length, y + length
            rounded[index] *= factor
        return crops, rounded

    def level(self, shrinking: float) -> tuple[Image, int]:
        """Return the smallest level that need not be enlarged, and by how much it is shrunk."""
        wanted = max(math.frexp(shrinking)[1] - 1, 0)
        while len(self._levels) <= wanted:
            last = self._levels[-1]
            height, width = last.shape[0] // 2, last.shape[1] // 2
            if not height or not width:
                break
            # An odd last row or column is left out: all others stay exactly where they are.
            self._levels.append(_resized(last[: 2 * height, : 2 * width], (width, height)))
        found = min(wanted, len(self._levels) - 1)
        return self._levels[found], 2**found


def _resized(image: Image, size: tuple[int, int]) -> Image:
    resized: NDArray[np.uint8] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return resized


def _cut(image: Image, left: int, top: int, length: int) -> Image:
    height, width = image.shape[:2]
    if left >= 0 and top >= 0 and left + length <= width and top + length <= height:
        return image[top : top + length, left : left + length]
    whole = np.zeros((length, length, image.shape[2]), np.uint8)
    inside = image[max(top, 0) : max(top + length, 0), max(left, 0) : max(left + length, 0)]
    rows, columns = inside.shape[:2]
    if rows and columns:
        whole[max(-top, 0) :, max(-left, 0) :][:rows, :columns] = inside
    return whole
