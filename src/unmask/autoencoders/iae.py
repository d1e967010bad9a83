"""The face-swap autoencoder with intermediate layers, "IAE" of the DFDM data set."""

import torch
from torch import Tensor, nn

from unmask.autoencoders.layers import Bottleneck, convs, decoder, scaled
from unmask.torch_contracts import Autoencoder


class IAE(Autoencoder):
    """One encoder and one decoder for both persons; each has a bottleneck, and both have one.

    The decoder takes the person's own map beside the common one: a swap takes the other's map.
    64 pixels to 64.

    Args:
        width: share of the published channels.

    Reference:
        The model `iae` of https://github.com/deepfakes/faceswap (commit 183aee37).
    """

    def __init__(self, *, width: float = 1.0) -> None:
        def wide(*channels: int) -> list[int]:
            return [scaled(one, width) for one in channels]

        encoder = [3, *wide(128, 256, 512, 1024)]
        inner, half = wide(1024, 512)

        def bottleneck() -> Bottleneck:
            return Bottleneck(encoder[-1], 4, inner, half, 4)

        super().__init__(input_size=64, output_size=64, own=[bottleneck(), bottleneck()])
        self.encoder = convs(encoder)
        self.both = bottleneck()
        self.decoder = decoder([2 * half, *wide(512, 256, 128, 64)])

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        """Return faces (N, 3, 64, 64) as those of the person whose bottleneck is given."""
        features = self.encoder(faces)
        maps = torch.cat([own(features), self.both(features)], dim=1)
        return self.decoder(maps)  # type: ignore[no-any-return]
