"""What the Adversarial Deepfakes Defense Dataset calls its parts and its images."""

import re
from dataclasses import dataclass

METHODS = ("Deepfakes", "Face2Face", "FaceSwap", "NeuralTextures")

_MARK = re.compile(r"(?<![A-Za-z])([wb])_")
_PUBLISHED_MARK = re.compile("[wb]_")


@dataclass(frozen=True)
class Part:
    """One of the five parts.

    Args:
        name: of its folder, as published.
        mark: `w` for white-box, `b` for black-box, None for the clean faces.
        victim: `XceptionNet` or `MesoNet`; None for the clean faces.
    """

    name: str
    mark: str | None = None
    victim: str | None = None

    def is_called(self, folder: str) -> bool:
        """Return whether a folder's name means it; the README itself also says `MesonNet`."""
        return folder.lower().replace("mesonnet", "mesonet") == self.name.lower()


ORIGINAL = Part("original-dfvideos-faces")
PARTS = (
    ORIGINAL,
    *(
        Part(f"{mark}-adv-dfvideos-{victim}-faces", mark, victim)
        for victim in ("XceptionNet", "MesoNet")
        for mark in ("w", "b")
    ),
)


def mark_of(name: str) -> str | None:
    """Return `w` or `b` where a word of a file's name begins with `w_` or `b_`.

    Example:
        >>> mark_of("w_001_870_000050.png"), mark_of("new_001_000050.png")
        ('w', None)
    """
    match = _MARK.search(name)
    return match[1] if match else None


def without_mark(name: str) -> str:
    """Return a file's name without the letters that say how it was attacked.

    Example:
        >>> without_mark("w_001_870_000050.png")
        '001_870_000050.png'
    """
    return _MARK.sub("", name, count=1)


def says_attacked(name: str) -> bool:
    """Return whether the published rule takes a file for an attacked face, by its name alone.

    Source:
        The rule of the publishers' own detector: the name contains `w_` or `b_`.

    Example:
        >>> says_attacked("w_001_870_000050.png"), says_attacked("new_001_000050.png")
        (True, True)
    """
    return _PUBLISHED_MARK.search(name) is not None


def image_name(video: str, frame: int, mark: str | None = None) -> str:
    """Return the name of a face's file, which the published rule reads rightly.

    Args:
        video: the name of its video.
        frame: the number of its frame.
        mark: `w` or `b` if it is attacked.

    Example:
        >>> image_name("001_870", 50), image_name("001_870", 50, "w")
        ('001_870_000050.png', 'w_001_870_000050.png')
        >>> image_name("new_clip_b", 0, "b")
        'b_new-clip_b-000000.png'
    """
    clean = f"{video}_{frame:06d}"
    while says_attacked(clean):
        clean = _PUBLISHED_MARK.sub(lambda found: f"{found[0][0]}-", clean)
    return f"{mark}_{clean}.png" if mark else f"{clean}.png"
