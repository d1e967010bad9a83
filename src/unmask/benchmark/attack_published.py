"""Figures of the attacks' paper, recalled from memory: never verified, never to be tested on.

No source at hand holds the paper's tables. They are shown apart from ours, under their mark.
"""

from dataclasses import dataclass

MARK = (
    "recalled from memory, not verified; Xception on FaceForensics++ at c23, another data set "
    "and other weights than ours"
)
SOURCE = "Hussain et al., “Adversarial Deepfakes”, WACV 2021"


@dataclass(frozen=True)
class Recalled:
    """One recalled row, over all four methods.

    Args:
        attack: the name of the part that does the same.
        linf: mean largest change of a value, of 255.
        lossless: share of attacked frames judged real in the lossless file (SR-U).
        mjpeg: the same after Motion JPEG (SR-C).
    """

    attack: str
    linf: float
    lossless: float
    mjpeg: float


RECALLED = (
    Recalled("iterative_fgsm", 0.004 * 255, 0.9985, 0.5846),
    Recalled("robust", 0.013 * 255, 0.9992, 0.9823),
    Recalled("nes", 0.045 * 255, 0.9473, 0.6369),
    Recalled("robust_nes", 0.047 * 255, 0.9619, 0.8394),
)
