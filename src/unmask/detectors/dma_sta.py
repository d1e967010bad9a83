"""DMA-STA, which tells by ten frames which model has made a fake."""

from math import sqrt
from pathlib import Path

import torch
from torch import Tensor, nn

from unmask.detectors.layers import checked_size
from unmask.detectors.states import State, read_state, without_prefix
from unmask.detectors.timm_model import TimmModel
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector

STAGES = (3, 4, 6, 3)  # bottlenecks
STEM = 64  # channels of the first layer at the published width
WIDENING = 4  # channels that leave a bottleneck over those inside it
MEAN, DEVIATION = (0.643, 0.466, 0.387), (0.259, 0.220, 0.203)
IMAGENET = "resnet50.tv_in1k"  # timm's copy of the published start


class DmaSta(Detector):
    """A ResNet-50 that attends to places in each frame, and to frames in each clip.

    In every bottleneck the mean and the maximum over the channels say where to look. The frames'
    features are then averaged by weights that the clip as a whole gives them. The network sees the
    middle seven eighths of the face.

    Where it learns, batch norm takes its statistics from each place in time by itself, as if the
    frames went through one after another. They go through together, which is faster.

    Args:
        size: side of the face in pixels, a multiple of 16.
        frames: of a clip; the published network has 10.
        width: channels of each convolution over the published ones.
        pretrained: whether timm may download the ImageNet weights of the published start.
        weights: a file with weights of torchvision's or timm's ResNet-50 to start from; its head
            is left out.
        classes: names of the outputs in order.

    Raises:
        InvalidInputError: if there is no such network, or the weights do not fit, or are asked for
            twice.
        MissingDependencyError: if the weights are to be downloaded and timm is not installed.
        WeightsUnavailableError: if they cannot be downloaded.

    Reference:
        Jia, Li and Lyu, "Model Attribution of Face-swap Deepfake Videos", ICIP 2022, and the
        authors' code. https://arxiv.org/abs/2202.12951
    """

    def __init__(
        self,
        *,
        size: int = 256,
        frames: int = 10,
        width: float = 1.0,
        pretrained: bool = False,
        weights: Path | None = None,
        classes: tuple[str, ...] = ("real", "fake"),
    ) -> None:
        size = checked_size(size, multiple=16, smallest=32)
        super().__init__(size=size, mean=MEAN, deviation=DEVIATION, classes=classes, frames=frames)
        if frames < 2:
            raise InvalidInputError(f"frames must be 2 or more, got {frames}; take 10")
        if not 1 / STEM <= width <= 1:
            raise InvalidInputError(f"width must lie in [1/{STEM}, 1], got {width}; take 1")
        self.network = _Network(round(STEM * width), frames, len(classes))
        if weights is not None or pretrained:
            _start_from(self.network, _imagenet(weights, pretrained=pretrained))
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, classes) of clips (N, frames, 3, size, size)."""
        features = self._features(faces)
        weights = self._weights(features)
        logits: Tensor = self.network.fc((features * weights.unsqueeze(-1)).sum(1))
        return logits

    def attention(self, faces: Tensor, *, stage: int = 4) -> tuple[Tensor, Tensor]:
        """Return where in clips (N, frames, 3, H, W) in [0, 1] the network looks.

        Args:
            faces: as `forward` takes them.
            stage: from 1, the earliest and finest, to 4; its last bottleneck tells.

        Returns:
            The weights of the frames (N, frames), which sum to 1, and those of the places
            (N, frames, h, w), each in (0, 1), over the middle seven eighths of the face.

        Raises:
            InvalidInputError: if there is no such stage, and as `forward` does.
        """
        if not 1 <= stage <= len(STAGES):
            raise InvalidInputError(f"stage must lie in 1 to {len(STAGES)}, got {stage}; take 4")
        told: list[Tensor] = []
        last = f"layer{stage}.{STAGES[stage - 1] - 1}.attention"
        hook = self.network.get_submodule(last).register_forward_hook(
            lambda module, given, maps: told.append(maps)
        )
        try:
            weights = self._weights(self._features(self.normalised(faces)))
        finally:
            hook.remove()
        places = told[0].view(self.frames, len(faces), *told[0].shape[2:])
        return weights, places.transpose(0, 1)

    def _features(self, faces: Tensor) -> Tensor:
        """Return the features (N, frames, C) of normalised faces (N, frames, 3, size, size)."""
        edge = self.size // 16
        seen = faces[..., edge : self.size - edge, edge : self.size - edge]
        features: Tensor = self.network(seen.transpose(0, 1).flatten(0, 1))  # frame by frame
        return features.view(self.frames, len(faces), -1).transpose(0, 1)

    def _weights(self, features: Tensor) -> Tensor:
        weights: Tensor = self.network.temporal(features.mean(-1))
        return weights / weights.sum(1, keepdim=True)


class _Network(nn.Module):
    """The layers; those of ResNet-50 bear the names of torchvision and timm."""

    def __init__(self, stem: int, frames: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 7, stride=2, padding=3, bias=False)
        self.bn1 = _Norm(stem, frames)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        inner = [stem * 2**stage for stage in range(len(STAGES))]
        inputs = [stem, *(WIDENING * channels for channels in inner)]
        self.layer1, self.layer2, self.layer3, self.layer4 = self.stages = [
            _stage(inputs[stage], channels, STAGES[stage], frames, stride=1 if stage == 0 else 2)
            for stage, channels in enumerate(inner)
        ]
        self.temporal = nn.Sequential(
            nn.Linear(frames, frames // 2, bias=False),
            nn.ReLU(),
            nn.Linear(frames // 2, frames, bias=False),
            nn.Sigmoid(),
        )
        self.fc = nn.Linear(inputs[-1], outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.kernel_size[0] ** 2 * module.out_channels
                nn.init.normal_(module.weight, std=sqrt(2 / fan_out))

    def forward(self, images: Tensor) -> Tensor:
        """Return the features (frames * N, C) of images (frames * N, 3, H, W), frame by frame."""
        images = images.contiguous(memory_format=torch.channels_last)
        images = self.pool(self.bn1(self.conv1(images)).relu())
        for stage in self.stages:
            images = stage(images)
        return images.mean((2, 3))


class _Norm(nn.BatchNorm2d):
    """Batch norm of images (frames * N, C, H, W) that learns of one frame after another."""

    def __init__(self, channels: int, frames: int) -> None:
        super().__init__(channels)
        self.frames = frames

    def forward(self, images: Tensor) -> Tensor:
        norm = super().forward
        if not self.training:
            return norm(images)
        return torch.cat([norm(one) for one in images.chunk(self.frames)])


def _stage(inputs: int, channels: int, blocks: int, frames: int, *, stride: int) -> nn.Sequential:
    first = _Bottleneck(inputs, channels, frames, stride=stride)
    rest = [_Bottleneck(WIDENING * channels, channels, frames) for _ in range(blocks - 1)]
    return nn.Sequential(first, *rest)


class _Bottleneck(nn.Module):
    """Three convolutions, what they say weighted by place, beside a shortcut."""

    def __init__(self, inputs: int, channels: int, frames: int, *, stride: int = 1) -> None:
        super().__init__()
        outputs = WIDENING * channels
        self.conv1 = nn.Conv2d(inputs, channels, 1, bias=False)
        self.bn1 = _Norm(channels, frames)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False)
        self.bn2 = _Norm(channels, frames)
        self.conv3 = nn.Conv2d(channels, outputs, 1, bias=False)
        self.bn3 = _Norm(outputs, frames)
        self.attention = _Places()
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            projection = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(projection, _Norm(outputs, frames))

    def forward(self, images: Tensor) -> Tensor:
        inner = self.bn1(self.conv1(images)).relu_()
        inner = self.bn2(self.conv2(inner)).relu_()
        inner = self.bn3(self.conv3(inner))
        result: Tensor = inner * self.attention(inner) + self.downsample(images)
        return result.relu_()


class _Places(nn.Module):
    """Weights (N, 1, H, W) in (0, 1) of the places of features (N, C, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        told = torch.stack([features.mean(1), features.amax(1)], 1)
        weights: Tensor = self.convolution(told).sigmoid()
        return weights


def _imagenet(path: Path | None, *, pretrained: bool) -> State:
    if path is None:
        network = TimmModel(architecture=IMAGENET, pretrained=True).network
        return network.state_dict()
    if pretrained:
        raise InvalidInputError(
            f"weights must not be given with pretrained=True, got {path}; choose one"
        )
    return without_prefix(read_state(path), "conv1.weight")


def _start_from(network: nn.Module, state: State) -> None:
    """Take over all that a ResNet-50 has but its head."""
    own = network.state_dict()
    start = {name: one for name, one in state.items() if not name.startswith("fc.")}
    # Files older than PyTorch 0.4.1, as the published start, have no counters.
    needed = {
        name for name in own if _is_of_resnet(name) and "num_batches_tracked" not in name
    } | set(start)
    wrong = sorted(
        name
        for name in needed
        if name not in start or name not in own or start[name].shape != own[name].shape
    )
    if wrong:
        raise InvalidInputError(
            f"the weights must be those of a ResNet-50 at width=1, got others: {wrong[0]!r} and "
            f"{len(wrong) - 1} more do not fit; give a file of that network"
        )
    network.load_state_dict(own | start)


def _is_of_resnet(name: str) -> bool:
    return not name.startswith(("temporal.", "fc.")) and ".attention." not in name
