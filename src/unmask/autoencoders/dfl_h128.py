"""DeepFaceLab's autoencoder for half faces of 128 pixels, "DFL-H128" of the DFDM data set."""

from torch import Tensor, nn

from unmask.autoencoders.layers import Bottleneck, Up, convs, decoder, scaled
from unmask.torch_contracts import Autoencoder


class DflH128(Autoencoder):
    """One encoder for both persons, and a decoder for each; 128 pixels to 128.

    Args:
        width: share of the published channels.
        lowmem: half of the bottleneck and of the decoder.

    Reference:
        The model `dfl_h128` of https://github.com/deepfakes/faceswap (commit 183aee37).
    """

    def __init__(self, *, width: float = 1.0, lowmem: bool = False) -> None:
        def wide(*channels: int) -> list[int]:
            return [scaled(one, width) for one in channels]

        encoder = [3, *wide(128, 256, 512, 1024)]
        (inner,) = wide(256 if lowmem else 512)
        ups = wide(256, 128, 64) if lowmem else wide(512, 256, 128)
        own = [decoder([inner, *ups]) for _ in range(2)]
        super().__init__(input_size=128, output_size=128, own=own)
        self.shared = nn.Sequential(
            convs(encoder), Bottleneck(encoder[-1], 8, inner, inner, 8), Up(inner, inner)
        )

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        """Return faces (N, 3, 128, 128) as those of the person whose decoder is given."""
        return own(self.shared(faces))  # type: ignore[no-any-return]
