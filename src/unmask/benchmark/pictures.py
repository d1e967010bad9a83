"""Small pictures that are part of a page."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from unmask.contracts import Image

LONGEST_SIDE = 224
JPEG_QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """A picture with its words.

    Args:
        image: (H, W, 3) uint8 RGB, an image file, or None where there is none to show.
        caption: what it is, in one line.
        detail: what is to be known about it.
        score: its score, drawn as a mark between real and fake; None leaves it out.
        label: 0 real, 1 fake; None leaves it out.
    """

    image: Image | Path | None
    caption: str
    detail: str = ""
    score: float | None = None
    label: int | None = None


def data_uri(image: Image | Path | None) -> str | None:
    """Return the picture as a small JPEG in text, or None where it cannot be read."""
    if isinstance(image, Path):
        read = (
            cv2.imdecode(np.fromfile(image, np.uint8), cv2.IMREAD_COLOR)
            if _is_file(image)
            else None
        )
    else:
        read = None if image is None else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    if read is None:
        return None
    scale = LONGEST_SIDE / max(read.shape[:2])
    if scale < 1:
        read = cv2.resize(read, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, coded = cv2.imencode(".jpg", read, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return f"data:image/jpeg;base64,{b64encode(coded.tobytes()).decode()}"


def _is_file(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0
