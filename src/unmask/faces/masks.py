"""The mask of a forged video, which tells its forged face from the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.faces.mtcnn import Box
from unmask.faces.track import Track

HALF = 127  # masks come as 0 and 255, often through a lossy codec; some data sets write 0 and 1


@dataclass(frozen=True)
class Forged:
    """What the masks of a video say about its faces.

    Args:
        shares: for each track the mean share of the mask inside its box, over its frames with a
            mask.
        empty: the numbers of the frames whose mask is empty.
    """

    shares: list[float]
    empty: frozenset[int]


def compare_to_masks(
    tracks: Sequence[Track], masks: Iterable[tuple[int, Image]], width: int, height: int
) -> Forged:
    """Return how much of the masks lies in the boxes of each track.

    Args:
        tracks: the faces of the video.
        masks: (number of the frame, mask), the mask not always as large as the frame.
        width: of the frames.
        height: of the frames.
    """
    shares: list[list[float]] = [[] for _ in tracks]
    empty = set()
    for number, mask in masks:
        forged = is_forged(mask)
        if not forged.any():
            empty.add(number)
            continue
        for track, own in zip(tracks, shares, strict=True):
            if number in track.faces:
                own.append(share_inside(forged, track.faces[number].box, width, height))
    return Forged([float(np.mean(own)) if own else 0.0 for own in shares], frozenset(empty))


def is_forged(mask: Image) -> NDArray[np.bool_]:
    """Return where a mask (H, W, 3) or (H, W) says that the picture was changed: (H, W)."""
    values = mask[..., 1] if mask.ndim == 3 else mask
    forged: NDArray[np.bool_] = values > (HALF if values.max() > 1 else 0)
    return forged


def share_inside(forged: NDArray[np.bool_], box: Box, width: int, height: int) -> float:
    """Return the share of a mask's area that lies in a box, 0 where the mask is empty.

    Args:
        forged: (rows, columns), not always as large as the frame.
        box: in pixels of the frame.
        width: of the frame.
        height: of the frame.

    Example:
        >>> mask = np.zeros((10, 10), bool)
        >>> mask[2:4, 2:6] = True
        >>> share_inside(mask, (0.0, 0.0, 40.0, 100.0), width=100, height=100)
        0.5
    """
    whole = int(np.count_nonzero(forged))
    rows, columns = forged.shape
    left, right = (max(round(x * columns / width), 0) for x in (box[0], box[2]))
    top, bottom = (max(round(y * rows / height), 0) for y in (box[1], box[3]))
    return int(np.count_nonzero(forged[top:bottom, left:right])) / whole if whole else 0.0
