"""JPEG compression before the detector."""

import numpy as np
import torch
from torch import Tensor

from unmask.defences.straight_through import straight_through
from unmask.degrade.jpeg import Jpeg as JpegLoss
from unmask.torch_contracts import Purifier


class Jpeg(Purifier):
    """Compress each face as JPEG with 4:2:0 chroma, and decode it again.

    The values are the codec's own; the gradient is the identity's.

    Args:
        quality: of libjpeg, 1 (worst) to 100.

    Raises:
        InvalidInputError: if the quality lies outside that range.

    Reference:
        Dziugaite et al., "A Study of the Effect of JPG Compression on Adversarial Images", 2016,
        section 3. https://arxiv.org/abs/1608.00853
    """

    def __init__(self, quality: int = 75) -> None:
        self.loss = JpegLoss(quality)

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        """Return the faces after JPEG."""
        return straight_through(self._coded(faces.detach()), faces)

    def _coded(self, faces: Tensor) -> Tensor:
        levels = (faces.flatten(0, 1) * 255).round().to(torch.uint8)
        images = np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())
        unused = np.random.default_rng(0)
        coded = np.stack([self.loss.degrade_image(image, unused) for image in images])
        decoded = torch.from_numpy(coded).permute(0, 3, 1, 2).to(faces)
        return (decoded / 255).view(faces.shape)
