"""A face made unrecognisable by a blur."""

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np

from unmask.contracts import FaceFrame, ForgedFrame, Generator


class BlurredFace(Generator):
    """Blur what lies inside the outline of the landmarks.

    Args:
        sigma: of the blur, in pixels.
    """

    family = "attribute"
    needs_source = False

    def __init__(self, *, sigma: float = 9.0) -> None:
        self.sigma = sigma

    def forge(
        self,
        target: Iterable[FaceFrame],
        source: Sequence[FaceFrame],
        random: np.random.Generator,
    ) -> Iterator[ForgedFrame]:
        """Yield the target's frames with the face blurred."""
        for frame in target:
            assert frame.landmarks is not None  # the contract hands on no others
            outline = cv2.convexHull(frame.landmarks)
            mask = np.zeros(frame.image.shape[:2], np.uint8)
            cv2.fillConvexPoly(mask, outline.round().astype(np.int32), 255)
            blurred = cv2.GaussianBlur(frame.image, (0, 0), self.sigma)
            yield ForgedFrame(np.where(mask[..., None] > 0, blurred, frame.image), mask)
