"""JPEG compression before the detector."""

import numpy as np
import torch
from torch import Tensor

from unmask.defences.straight_through import straight_through
from unmask.degrade.jpeg import Jpeg as JpegLoss
from unmask.errors import missing_extra
from unmask.torch_contracts import Purifier


class Jpeg(Purifier):
    """Compress each face as JPEG with 4:2:0 chroma, and decode it again.

    The values are the codec's own. The gradient is that of Kornia's differentiable JPEG: with it
    changes of one grey level fooled a Meso4 on 14 of 14 fakes, with the identity's on 3.

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
        """Return the faces after JPEG.

        Raises:
            MissingDependencyError: if a gradient is taken and Kornia is not installed.
        """
        coded = self._coded(faces.detach())
        if not (faces.requires_grad and torch.is_grad_enabled()):
            return coded
        return straight_through(coded, self._differentiable(faces))

    def _coded(self, faces: Tensor) -> Tensor:
        levels = (faces.flatten(0, 1) * 255).round().to(torch.uint8)
        images = np.ascontiguousarray(levels.permute(0, 2, 3, 1).cpu().numpy())
        unused = np.random.default_rng(0)
        coded = np.stack([self.loss.degrade_image(image, unused) for image in images])
        decoded = torch.from_numpy(coded).permute(0, 3, 1, 2).to(faces)
        return (decoded / 255).view(faces.shape)

    def _differentiable(self, faces: Tensor) -> Tensor:
        try:
            from kornia.enhance import jpeg_codec_differentiable
        except ImportError:
            raise missing_extra("kornia", "attacks", "the gradient of JPEG") from None
        quality = torch.tensor([float(self.loss.quality)], device=faces.device)
        coded: Tensor = jpeg_codec_differentiable(faces.flatten(0, 1), quality)
        return coded.view(faces.shape)
