"""Decoded faces, kept in memory at the size that a network takes."""

from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import torch
from torch.nn.functional import interpolate

from unmask.contracts import Image
from unmask.errors import InvalidInputError, UnreadableMediaError

GIB = 1 << 30


class FaceStore:
    """Faces by file and size, decoded once while they fit the memory.

    One store can serve several trainings and scorings in a process. Reading is safe from threads.

    Args:
        gib: how much memory to use at most; faces beyond that are decoded each time.

    Raises:
        InvalidInputError: if it is negative.
    """

    def __init__(self, *, gib: float = 2.0) -> None:
        if gib < 0:
            raise InvalidInputError(f"gib must be 0 or more, got {gib}; 0 keeps nothing")
        self._left = int(gib * GIB)
        self._kept: dict[tuple[str, int], Image] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def face(self, path: str, size: int) -> Image:
        """Return a crop (size, size, 3) uint8 RGB, resized as a detector resizes it.

        Raises:
            UnreadableMediaError: if the file cannot be read.
        """
        kept = self._kept.get((path, size))
        if kept is not None:
            return kept
        image = read_face(path, size)
        with self._lock:
            if (path, size) not in self._kept and image.nbytes <= self._left:
                self._left -= image.nbytes
                self._kept[path, size] = image
        return image


def read_face(path: str, size: int) -> Image:
    """Return a crop (size, size, 3) uint8 RGB, resized as a detector resizes it.

    Raises:
        UnreadableMediaError: if the file cannot be read.
    """
    content = np.fromfile(path, np.uint8) if Path(path).is_file() else np.empty(0, np.uint8)
    decoded = cv2.imdecode(content, cv2.IMREAD_COLOR_RGB) if len(content) else None
    if decoded is None:
        raise UnreadableMediaError(
            f"a crop must be a readable image, got {path}; prepare the faces again"
        )
    if decoded.shape[:2] == (size, size):
        return decoded  # type: ignore[return-value]
    batch = torch.from_numpy(decoded).permute(2, 0, 1)[None]
    smaller = size < max(decoded.shape[:2])
    # Integer resampling stays within one grey level of what Detector.forward does in floats.
    resized = interpolate(batch, (size, size), mode="bilinear", antialias=smaller)
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())
