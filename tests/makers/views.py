"""Frames that lie in memory."""

from dataclasses import dataclass

from unmask.contracts import Image


@dataclass
class Still:
    """A frame of a made clip, which counts how often it is asked for as a whole."""

    picture: Image
    number: int = 0
    time: float = 0.0
    asked: int = 0

    @property
    def width(self) -> int:
        """Its width in pixels."""
        return int(self.picture.shape[1])

    @property
    def height(self) -> int:
        """Its height in pixels."""
        return int(self.picture.shape[0])

    def image(self) -> Image:
        """Return the whole picture."""
        self.asked += 1
        return self.picture

    def crop(self, left: int, top: int, right: int, bottom: int) -> Image:
        """Return a part of it, which must lie inside."""
        assert 0 <= left < right <= self.width
        assert 0 <= top < bottom <= self.height
        return self.picture[top:bottom, left:right]
