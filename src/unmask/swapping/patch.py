"""Where the patch of a face lies in its frame: cutting it out, and putting it back."""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.topology import Points, moved
from unmask.faces.window import Window, corner_of, window_around
from unmask.swapping.alignment import PADDING, cut_face, face_matrix

Value = TypeVar("Value", np.uint8, np.float32)

# The share of the aligned picture's side that the networks see: its middle.
COVERAGE = 0.875
# Pixels of the patch beyond its border that sampling and halving reach.
MARGIN = 3

CORNERS = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float64)


@dataclass(frozen=True)
class Patch:
    """A square of a frame, upright about a face.

    Args:
        matrix: (2, 3), from the frame's pixels to the patch, which spans [0, 1] in both.
    """

    matrix: NDArray[np.float64]

    def to_pixels(self, side: int) -> NDArray[np.float64]:
        """Return the (2, 3) matrix from the frame's pixels to those of the patch."""
        matrix = self.matrix * side
        matrix[:, 2] -= 0.5  # whole numbers are pixel centres
        return matrix

    def landmarks(self, points: Points, side: int) -> Points:
        """Return landmarks of the frame in pixels of the patch."""
        return moved(points, self.to_pixels(side))

    def cut(self, image: Image, side: int) -> Image | None:
        """Return the patch, (side, side, 3), or None if it lies outside of the frame."""
        matrix = self.to_pixels(side)
        pixel = max(1 / float(np.hypot(*matrix[:, 0])), 1.0)
        window = window_around(self._in_frame(CORNERS), MARGIN * pixel, image)
        if window is None:
            return None
        return cut_face(image[window], _from(window, matrix), side)

    def window(self, mask: Image, image: Image, *, margin: float = 1.0) -> Window | None:
        """Return the rows and columns of a frame that a mask (side, side) of the patch covers."""
        left, top, width, height = cv2.boundingRect(mask)
        if not width:
            return None
        box = (CORNERS * [width + 2, height + 2] + [left - 1, top - 1]) / mask.shape[0]
        return window_around(self._in_frame(box), margin, image)

    def drawn(self, patch: NDArray[Value], window: Window) -> NDArray[Value]:
        """Return a picture or a mask of the patch as it lies in a window of the frame.

        Args:
            patch: (side, side, 3), which goes on as at its border, or a mask (side, side), which
                is 0 beyond it.
            window: rows and columns of the frame.
        """
        rows, columns = window
        size = columns.stop - columns.start, rows.stop - rows.start
        is_mask = patch.ndim == 2
        drawn = cv2.warpAffine(
            patch,
            cv2.invertAffineTransform(_from(window, self.to_pixels(patch.shape[0]))),
            size,
            flags=cv2.INTER_LINEAR if is_mask else cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_CONSTANT if is_mask else cv2.BORDER_REPLICATE,
        )
        return np.asarray(drawn, patch.dtype)

    def _in_frame(self, places: NDArray[np.float64]) -> NDArray[np.float32]:
        return moved(places.astype(np.float32), cv2.invertAffineTransform(self.matrix))


def patch_of(landmarks: Points, *, padding: float = PADDING, coverage: float = COVERAGE) -> Patch:
    """Return the patch that a network sees of a face.

    Args:
        landmarks: (K, 2) pixels of the frame with K of 478, 68 or 5.
        padding: see `unmask.swapping.alignment.face_matrix`.
        coverage: the share of the aligned picture's side that is seen.

    Raises:
        InvalidInputError: if the landmarks are not finite or all in one place.
    """
    matrix = face_matrix(landmarks, 1, padding=padding) / coverage
    matrix[:, 2] += 0.5  # the middle of a picture of one pixel is at 0
    return Patch(matrix)


def _from(window: Window, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a matrix that takes pixels of a window instead of those of the frame."""
    inner = matrix.copy()
    inner[:, 2] += matrix[:, :2] @ corner_of(window)
    return inner
