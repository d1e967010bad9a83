"""Pictures: reading any, and writing PNG files with the synthetic mark."""

from collections.abc import Iterator
from pathlib import Path
from struct import pack, unpack_from
from zlib import crc32

import cv2

from unmask.contracts import Image
from unmask.errors import InvalidInputError, NotFoundError, UnreadableMediaError
from unmask.files import write_whole
from unmask.video.write import MARK_KEY

PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = len(_SIGNATURE) + 25  # bytes before the place where texts may stand
# Level 1 with the plain filter `up` takes half the time of OpenCV's choice at the same size.
_SETTINGS = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)


def read_picture(path: Path) -> Image:
    """Return a picture (H, W, 3) uint8 RGB.

    Raises:
        NotFoundError: if there is no such file.
        UnreadableMediaError: if it is no picture.
    """
    if not path.exists():
        raise NotFoundError(f"path must be an existing file, got {path}; check its spelling")
    read = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if read is None:
        raise UnreadableMediaError(
            f"path must be an image that OpenCV can read, got {path}; convert it to PNG"
        )
    return read  # type: ignore[return-value]


def write_png(path: Path, image: Image, *, synthetic: str | None = None) -> Path:
    """Write a picture without loss, whole or not at all; the same one gives the same bytes.

    Args:
        path: the file; its folder is made if need be.
        image: (H, W, 3) uint8 RGB.
        synthetic: how it was made; puts the synthetic mark of videos into its texts.

    Returns:
        The path.

    Raises:
        InvalidInputError: if the image has another shape or type.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> import numpy as np
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "grey.png"
        ...     picture = write_png(path, np.full((4, 4, 3), 9, np.uint8), synthetic="by hand")
        ...     read_picture(picture).max().item(), read_png_mark(picture)
        (9, 'by hand')
    """
    if image.dtype != "uint8" or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise InvalidInputError(
            f"image must be uint8 RGB of shape (H, W, 3), got {image.dtype} {image.shape}; "
            "convert it first"
        )
    # OpenCV takes blue first: without the swap red and blue would be exchanged.
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), _SETTINGS)
    content = encoded.tobytes()
    if synthetic is not None:
        texts = {"Comment": f"Synthetic media: {synthetic}", MARK_KEY: synthetic}
        told = b"".join(_text(key, value) for key, value in texts.items())
        content = content[:_HEADER] + told + content[_HEADER:]
    return write_whole(path, content)


def read_png_mark(path: Path) -> str | None:
    """Return how a picture was made, as its synthetic mark says; None if it carries no mark.

    Only the texts that `write_png` writes are read: any other file carries no mark.

    Raises:
        NotFoundError: if there is no such file.
    """
    if not path.exists():
        raise NotFoundError(f"path must be an existing file, got {path}; check its spelling")
    start = MARK_KEY.encode() + b"\0\0\0\0\0"
    texts = (data for kind, data in _chunks(path.read_bytes()) if kind == b"iTXt")
    marks = (text.removeprefix(start) for text in texts if text.startswith(start))
    return next((mark.decode(errors="replace") for mark in marks), None)


def _text(key: str, value: str) -> bytes:
    """Return a chunk `iTXt`: key, no compression, no language, no translation, UTF-8."""
    data = b"iTXt" + key.encode() + b"\0\0\0\0\0" + value.encode()
    return pack(">I", len(data) - 4) + data + pack(">I", crc32(data))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and data of each whole chunk of a PNG file; any other file has none."""
    place = len(_SIGNATURE) if content.startswith(_SIGNATURE) else len(content)
    while place + 12 <= len(content):
        (length,) = unpack_from(">I", content, place)
        yield content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        place += 12 + length
