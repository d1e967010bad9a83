"""One convolution, the smallest network that learns anything."""

from torch import Tensor, nn

from unmask.torch_contracts import Detector


class OneConvolution(Detector):
    """One convolution whose outputs are averaged over the face.

    Args:
        size: side of the input.
    """

    def __init__(self, *, size: int = 64) -> None:
        super().__init__(size=size, mean=(0.5, 0.5, 0.5), deviation=(0.5, 0.5, 0.5))
        self.network = nn.Sequential(
            nn.Conv2d(3, 16, 5, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, len(self.classes)),
        )

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, 2) of faces (N, T, 3, size, size)."""
        items, times = faces.shape[:2]
        logits: Tensor = self.network(faces.flatten(0, 1))
        return logits.view(items, times, -1)
