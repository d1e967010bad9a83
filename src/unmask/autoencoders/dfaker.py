"""The face-swap autoencoder with residual blocks, "Dfaker" of the DFDM data set."""

from torch import Tensor, nn

from unmask.autoencoders.layers import Bottleneck, Out, Up, UpResidual, convs, scaled
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Autoencoder


class Dfaker(Autoencoder):
    """One encoder for both persons, and a decoder for each; 64 pixels to 128, or 128 to 256.

    Args:
        width: share of the published channels.
        output_size: 128 or 256.

    Raises:
        InvalidInputError: if the output has another size.

    Reference:
        The model `dfaker` of https://github.com/deepfakes/faceswap (commit 183aee37).
    """

    def __init__(self, *, width: float = 1.0, output_size: int = 128) -> None:
        if output_size not in (128, 256):
            raise InvalidInputError(
                f"output_size must be 128 or 256, got {output_size}; choose one of them"
            )

        def wide(*channels: int) -> list[int]:
            return [scaled(one, width) for one in channels]

        is_large = output_size == 256
        encoder = [3, *wide(128, 256, 512, 1024)]
        inner, middle, half, quarter, eighth, last = wide(1024, 1024, 512, 256, 128, 64)

        def own() -> nn.Sequential:
            first = [UpResidual(half, middle)] if is_large else []
            return nn.Sequential(
                *first,
                UpResidual(middle if is_large else half, half),
                UpResidual(half, quarter),
                UpResidual(quarter, eighth),
                Up(eighth, last),
                Out(last),
            )

        super().__init__(input_size=output_size // 2, output_size=output_size, own=[own(), own()])
        self.shared = nn.Sequential(
            convs(encoder),
            Bottleneck(encoder[-1], output_size // 32, inner, middle, 4),
            Up(middle, half),
        )

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        """Return faces (N, 3, H, H) at twice their size, of the person whose decoder is given."""
        return own(self.shared(faces))  # type: ignore[no-any-return]
