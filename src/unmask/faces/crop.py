"""Which part of a frame a crop shows, for each profile, and how it is cut out and written."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.align import align, seen_by
from unmask.faces.mtcnn import Box
from unmask.faces.track import View

Profile = Literal["square", "aligned", "clip"]
CropFormat = Literal["png", "jpg"]
Region = tuple[int, int, int, int]  # left, top, right, bottom in whole pixels

MARGIN = 1.3
SIZES: dict[Profile, int] = {"square": 256, "aligned": 256, "clip": 350}

# Level 1 with the plain filter `up` takes half the time of OpenCV's choice at the same size.
_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 95)


def square_region(box: Box, width: int, height: int) -> Region | None:
    """Return the square about a face by the rule of FaceForensics++, None if nothing is left.

    The side is 1.3 times the longer side of the box. A square that begins outside of the frame is
    moved in, and one that ends outside is made smaller; it is never padded.

    Source:
        Rössler et al., "FaceForensics++", ICCV 2019, and the rule as its users clamp it: box in
        whole pixels, centre and side rounded down.

    Example:
        >>> square_region((100, 100, 200, 220), width=640, height=480)
        (72, 82, 228, 238)
        >>> square_region((-10, 400, 90, 500), width=640, height=480)
        (0, 385, 95, 480)
    """
    left, top, right, bottom = map(round, box)
    side = int(max(right - left, bottom - top) * MARGIN)
    x = max((left + right) // 2 - side // 2, 0)
    y = max((top + bottom) // 2 - side // 2, 0)
    side = min(side, width - x, height - y)
    return (x, y, x + side, y + side) if side > 0 else None


def median_box(boxes: Iterable[Box]) -> Box:
    """Return the median of each edge."""
    left, top, right, bottom = np.median(np.array(list(boxes)), axis=0).tolist()
    return left, top, right, bottom


def steady_region(box: Box, width: int, height: int) -> Region:
    """Return the square for all frames of a clip, about its median box, moved into the frame.

    Source:
        The Homologous data set keeps one place a clip. It states neither median nor margin.
    """
    left, top, right, bottom = box
    side = min(math.ceil(max(right - left, bottom - top) * MARGIN), width, height)
    x = min(max(round((left + right - side) / 2), 0), width - side)
    y = min(max(round((top + bottom - side) / 2), 0), height - side)
    return x, y, x + side, y + side


def cut(frame: View, region: Region, size: int) -> Image:
    """Return a part of a frame at a size, or as it is where the size is 0."""
    part = frame.crop(*region)
    if size in (0, part.shape[0]):
        return part
    way = cv2.INTER_AREA if size < part.shape[0] else cv2.INTER_CUBIC
    resized: Image = cv2.resize(part, (size, size), interpolation=way)  # type: ignore[assignment]
    return resized


def cut_aligned(frame: View, landmarks: NDArray[np.float32], size: int) -> Image | None:
    """Return a face upright, None if none of it is inside the frame."""
    left, top, right, bottom = seen_by(landmarks, size=size)
    x, y = max(math.floor(left) - 2, 0), max(math.floor(top) - 2, 0)
    right, bottom = min(math.ceil(right) + 2, frame.width), min(math.ceil(bottom) + 2, frame.height)
    if x >= right or y >= bottom:
        return None
    return align(frame.crop(x, y, right, bottom), landmarks - np.array([x, y]), size=size)


def write_crop(image: Image, path: Path) -> None:
    """Write a crop as PNG or JPEG, as the file's name says; RGB stays RGB.

    Raises:
        InvalidInputError: if it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    options = _PNG if path.suffix == ".png" else _JPEG
    # OpenCV takes blue first: without the swap every file would have red and blue exchanged.
    if not cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options):
        raise InvalidInputError(f"path must be a file that can be written, got {path}; free it")
