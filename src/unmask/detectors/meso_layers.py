"""What Meso4 and MesoInception4 share: stages, the head, and the start values of Keras."""

import torch
from torch import Tensor, nn

from unmask.detectors.layers import checked_size, per_face

PUBLISHED_SIZE = 256
POOLED = 32  # the side of the input over the side of the last feature map


def activated(inputs: int, outputs: int, kernel: int, *, dilation: int = 1) -> nn.Sequential:
    """Return a convolution that keeps the size, and its ReLU."""
    padding = dilation * (kernel // 2)
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=padding, dilation=dilation)
    return nn.Sequential(convolution, nn.ReLU(inplace=True))


def stage(layer: nn.Module, channels: int, pool: int) -> nn.Sequential:
    """Return an activated layer, **then** batch norm with Keras's numbers, then the pool."""
    norm = nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)
    return nn.Sequential(layer, norm, nn.MaxPool2d(pool))


class MesoNetwork(nn.Module):
    """Four stages and the head that both networks have.

    Args:
        stages: they leave 16 channels at 1/32 of the input's side.
        size: side of the input in pixels.
        classes: how many there are; two have the one published output z.

    Raises:
        InvalidInputError: if the size is no multiple of 32.
    """

    def __init__(self, stages: list[nn.Sequential], size: int, classes: int) -> None:
        super().__init__()
        side = checked_size(size, multiple=POOLED, smallest=POOLED) // POOLED
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(
            nn.Dropout(0.5),
            nn.Linear(16 * side * side, 16),
            nn.LeakyReLU(0.1),
            nn.Dropout(0.5),
            nn.Linear(16, 1 if classes == 2 else classes),
        )
        self.apply(_start_as_keras_does)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Return z (N, 1), or logits (N, classes), of images (N, 3, size, size)."""
        features: Tensor = self.stages(images)
        # The published dense layer reads the features in the order height, width, channel.
        outputs: Tensor = self.head(features.permute(0, 2, 3, 1).flatten(1))
        return outputs


def class_logits(network: nn.Module, faces: Tensor, classes: tuple[str, ...]) -> Tensor:
    """Return logits (N, T, classes) of normalised faces (N, T, 3, size, size).

    Of two classes `real`, else the first, has z and the other 0: their softmax is the published
    sigmoid(z).
    """
    outputs = per_face(network, faces)
    if len(classes) > 2:
        return outputs
    both = [outputs, torch.zeros_like(outputs)]
    return torch.cat(both[::-1] if classes[1] == "real" else both, -1)


def _start_as_keras_does(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]  # every layer here has one
