"""Xception, the detector of FaceForensics++."""

from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.detectors.layers import checked_size, per_face
from unmask.detectors.states import State, read_state, without_prefix
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector


class Xception(Detector):
    """Depthwise separable convolutions with residuals: 21 million parameters.

    Modules bear the names of the published weight files. `weights` takes the ImageNet file
    `xception-b5690688.pth`, whose head is left out; `load_foreign` takes FaceForensics++ weights.

    Args:
        size: side of the input.
        weights: a file with ImageNet weights to start from.
        classes: names of the outputs in order.

    Raises:
        InvalidInputError: if the weights are those of another network.

    Reference:
        Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017,
        figure 5, https://arxiv.org/abs/1610.02357; Roessler et al., "FaceForensics++", ICCV 2019.
    """

    def __init__(
        self,
        *,
        size: int = 299,
        weights: Path | None = None,
        classes: tuple[str, ...] = ("real", "fake"),
    ) -> None:
        half = (0.5, 0.5, 0.5)
        size = checked_size(size, smallest=64)
        super().__init__(size=size, mean=half, deviation=half, classes=classes)
        self.network = _Network(len(classes))
        if weights is not None:
            _start_from(self.network, self.published_state(read_state(weights)))

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, classes) of faces (N, T, 3, size, size)."""
        return per_face(self.network, faces)

    @staticmethod
    def published_state(state: State) -> State:
        """Return the tensors of a published file under our names and in our shapes.

        The ImageNet file has two axes less in its pointwise kernels and calls the head `fc`;
        FaceForensics++ wraps the network in `model` and, with dropout, the head in a sequence.
        """
        plain = without_prefix(state, "conv1.weight")
        renamed = {
            name.replace("last_linear.1.", "last_linear.")
            if not name.startswith("fc.")
            else f"last_linear.{name.removeprefix('fc.')}": tensor
            for name, tensor in plain.items()
        }
        return {
            name: tensor[..., None, None] if "pointwise" in name and tensor.ndim == 2 else tensor
            for name, tensor in renamed.items()
        }


class _Network(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 32, 3, stride=2, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, bias=False)
        self.bn2 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.block1 = _Block([64, 128, 128], stride=2, activate_first=False)
        self.block2 = _Block([128, 256, 256], stride=2)
        self.block3 = _Block([256, 728, 728], stride=2)
        for number in range(4, 12):
            self.add_module(f"block{number}", _Block([728, 728, 728, 728]))
        self.block12 = _Block([728, 728, 1024], stride=2)
        self.conv3 = _Separable(1024, 1536)
        self.bn3 = nn.BatchNorm2d(1536)
        self.conv4 = _Separable(1536, 2048)
        self.bn4 = nn.BatchNorm2d(2048)
        self.last_linear = nn.Linear(2048, outputs)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, outputs) of images (N, 3, size, size)."""
        images = self.relu(self.bn1(self.conv1(images)))
        images = self.relu(self.bn2(self.conv2(images)))
        for number in range(1, 13):
            images = self.get_submodule(f"block{number}")(images)
        images = self.relu(self.bn3(self.conv3(images)))
        images = self.relu(self.bn4(self.conv4(images)))
        logits: Tensor = self.last_linear(images.mean((2, 3)))
        return logits


class _Separable(nn.Module):
    """A 3x3 filter for each channel, then a 1x1 mixture of them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        mixed: Tensor = self.pointwise(self.conv1(images))
        return mixed


class _Block(nn.Module):
    """Separable convolutions from width to width, beside a shortcut."""

    def __init__(self, widths: list[int], *, stride: int = 1, activate_first: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [nn.ReLU(), _Separable(inputs, outputs), nn.BatchNorm2d(outputs)]
        if stride > 1:
            layers.append(nn.MaxPool2d(3, stride, padding=1))
        self.rep = nn.Sequential(*(layers if activate_first else layers[1:]))
        self.straight = stride == 1 and widths[0] == widths[-1]
        if not self.straight:
            self.skip = nn.Conv2d(widths[0], widths[-1], 1, stride, bias=False)
            self.skipbn = nn.BatchNorm2d(widths[-1])

    def forward(self, images: Tensor) -> Tensor:
        shortcut = images if self.straight else self.skipbn(self.skip(images))
        result: Tensor = self.rep(images) + shortcut
        return result


def _start_from(network: _Network, state: State) -> None:
    own = network.state_dict()
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    needed = {name for name in own if not name.startswith("last_linear.")} - counters
    missing = sorted(name for name in needed if name not in state)
    if missing:
        raise InvalidInputError(
            f"the weights must be those of Xception, got a file without {missing[0]!r} and "
            f"{len(missing) - 1} more; give xception-b5690688.pth"
        )
    network.load_state_dict(own | {name: state[name] for name in needed})
