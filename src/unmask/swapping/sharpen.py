"""Sharpening a face that the network's few pixels left blurred."""

import cv2
import numpy as np

from unmask.swapping.swap_colour import Levels

SHARPENINGS = ("none", "box", "gaussian", "unsharp")


def sharpened(
    image: Levels,
    kind: str,
    *,
    amount: float = 1.5,
    radius: int = 2,
    threshold: int = 5,
    paper_quirks: bool = False,
) -> Levels:
    """Return a picture plus `amount` times what its blurred copy lacks.

    Args:
        image: (H, W, 3) float32 in [0, 255]; what comes out may leave that range.
        kind: what blurs: `box` or `gaussian`; `unsharp` is `gaussian` but for places of less
            contrast than the threshold, whose noise it leaves alone. `none` changes nothing.
        amount: how much is added.
        radius: of the blur's window in pixels.
        threshold: of unsharp, in grey levels.
        paper_quirks: whether unsharp changes just the places below the threshold, as the
            published converter does: it sharpens noise and leaves edges as they are.
    """
    if kind == "none" or radius < 1:
        return image
    window = (2 * radius + 1, 2 * radius + 1)
    blurred = cv2.blur(image, window) if kind == "box" else cv2.GaussianBlur(image, window, 0)
    sharp = np.asarray(cv2.addWeighted(image, 1 + amount, blurred, -amount, 0), np.float32)
    if kind != "unsharp":
        return sharp
    contrast = cv2.absdiff(image, np.asarray(blurred, np.float32))
    chosen = contrast < threshold if paper_quirks else contrast >= threshold
    return np.where(chosen, sharp, image)
