"""Pictures as faces and back, and how far an attack has moved one."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.contracts import Image
from unmask.metrics.likeness import WINDOW, psnr, ssim


def as_face(image: Image) -> Tensor:
    """Return a picture (H, W, 3) uint8 as a face (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255


def as_image(face: Tensor) -> Image:
    """Return a face (1, 3, H, W) in [0, 1] as a picture (H, W, 3) uint8."""
    levels = (face[0] * 255).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())


def difference(clean: Image, attacked: Image) -> dict[str, float | None]:
    """Return what the attack table says of a change: `linf`, `l2`, `psnr` and `ssim`.

    Args:
        clean: (H, W, 3) uint8.
        attacked: of the same shape.
    """
    change: NDArray[np.float64] = (attacked.astype(np.float64) - clean) / 255
    ratio = psnr(clean, attacked)
    return {
        "linf": float(np.abs(change).max()),
        "l2": float(np.linalg.norm(change)),
        "psnr": ratio if math.isfinite(ratio) else None,
        "ssim": ssim(clean, attacked) if min(clean.shape[:2]) >= WINDOW else None,
    }
