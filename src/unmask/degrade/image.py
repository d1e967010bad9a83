"""What the degradations of single pictures share."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Degradation, Image
from unmask.errors import InvalidInputError

Value = TypeVar("Value")

# BT.601, as JPEG and OpenCV use it.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class ImageDegradation(Degradation):
    """A degradation that treats each frame by itself; a part fills in `degrade_image`."""

    @abstractmethod
    def degrade_image(self, image: Image, random: np.random.Generator) -> Image:
        """Return one frame (H, W, 3) uint8 RGB after the loss, in its own shape."""

    def degrade(self, frames: Iterator[Image], random: np.random.Generator) -> Iterator[Image]:
        """Yield each frame after the loss."""
        return (self.degrade_image(image, random) for image in frames)


def to_bytes(values: NDArray[Any]) -> Image:
    """Return values rounded to the nearest grey level and cut to 0..255."""
    rounded: Image = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return rounded


def at_level(values: Sequence[Value], level: int) -> Value:
    """Return the value of one of the five levels of DeeperForensics-1.0.

    Raises:
        InvalidInputError: if the level is not one of 1 to 5.
    """
    if not 1 <= level <= len(values):
        raise InvalidInputError(
            f"level must lie between 1 (weak) and {len(values)} (strong), got {level}; "
            "correct the number"
        )
    return values[level - 1]


def in_range(name: str, value: float, low: float, high: float, advice: str) -> None:
    """Refuse a number outside [low, high].

    Raises:
        InvalidInputError: if it lies outside, or is not a number at all.
    """
    if not low <= value <= high:
        raise InvalidInputError(
            f"{name} must lie between {low:g} and {high:g}, got {value:g}; {advice}"
        )
