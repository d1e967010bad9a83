"""A face-swap autoencoder for small machines, "Lightweight" of the DFDM data set."""

from torch import Tensor, nn

from unmask.autoencoders.layers import Bottleneck, Up, convs, decoder, scaled
from unmask.torch_contracts import Autoencoder


class Lightweight(Autoencoder):
    """One encoder for both persons, and a decoder for each; 64 pixels to 64.

    Args:
        width: share of the published channels.

    Reference:
        The model `lightweight` of https://github.com/deepfakes/faceswap (commit 183aee37).
    """

    def __init__(self, *, width: float = 1.0) -> None:
        def wide(*channels: int) -> list[int]:
            return [scaled(one, width) for one in channels]

        encoder = [3, *wide(128, 256, 512)]
        inner, middle, half = wide(512, 512, 256)
        own = [decoder([half, *wide(512, 256, 128)]) for _ in range(2)]
        super().__init__(input_size=64, output_size=64, own=own)
        self.shared = nn.Sequential(
            convs(encoder), Bottleneck(encoder[-1], 8, inner, middle, 4), Up(middle, half)
        )

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        """Return faces (N, 3, 64, 64) as those of the person whose decoder is given."""
        return own(self.shared(faces))  # type: ignore[no-any-return]
