"""The first face-swap autoencoder, "Faceswap" of the DFDM data set: 64 pixels to 64."""

from torch import Tensor, nn

from unmask.autoencoders.layers import Bottleneck, Up, convs, decoder, scaled
from unmask.torch_contracts import Autoencoder


class Original(Autoencoder):
    """One encoder for both persons, and a decoder for each.

    Args:
        width: share of the published channels.
        lowmem: one convolution and half of the bottleneck fewer.

    Reference:
        The model `original` of https://github.com/deepfakes/faceswap (commit 183aee37).
    """

    def __init__(self, *, width: float = 1.0, lowmem: bool = False) -> None:
        def wide(*channels: int) -> list[int]:
            return [scaled(one, width) for one in channels]

        encoder = [3, *wide(128, 256, 512), *([] if lowmem else wide(1024))]
        inner, middle, half = wide(512 if lowmem else 1024, 1024, 512)
        own = [decoder([half, *wide(256, 128, 64)]) for _ in range(2)]
        super().__init__(input_size=64, output_size=64, own=own)
        self.shared = nn.Sequential(
            convs(encoder),
            Bottleneck(encoder[-1], 8 if lowmem else 4, inner, middle, 4),
            Up(middle, half),
        )

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        """Return faces (N, 3, 64, 64) as those of the person whose decoder is given."""
        return own(self.shared(faces))  # type: ignore[no-any-return]
