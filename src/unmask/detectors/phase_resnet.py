"""A small residual network on the phase of a face's spectrum: it tells attacked faces."""

import torch
from torch import Tensor, nn

from unmask.detectors.layers import checked_size, per_face
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector

# A coefficient that is smaller than this part of its channel's length is the rounding of the
# transform and has no phase. The rounding to 8 bits is a hundred times larger.
NOTHING = 3e-5
WIDTHS = (16, 32, 64)


def phase_picture(faces: Tensor) -> Tensor:
    """Return what the phases alone of a face's spectrum look like.

    Each channel is transformed over its height and width, every coefficient is given the length
    1 and keeps its phase, and the magnitude of the transform back is stretched over [0, 1], face
    by face. Smooth areas fade, while edges and weak regular patterns come forward. A coefficient
    of length 0 has no phase and stays 0; a face without any difference becomes 0 throughout.

    The picture does not change when a face gets brighter by a factor, and moves along when the
    face is moved around its edges. It is differentiable wherever it is defined.

    Args:
        faces: (..., 3, H, W).

    Returns:
        (..., 3, H, W) in [0, 1].

    Note:
        The published script leaves the phase out by a comment sign, so it shows the stretched
        face itself, and it transforms (H, W, 3) pictures over their last two axes, width and
        colour. This is what its description says instead.
    """
    height, width = faces.shape[-2:]
    spectrum = torch.fft.rfft2(faces)
    length = spectrum.abs()
    least = NOTHING * torch.linalg.vector_norm(faces, dim=(-2, -1), keepdim=True)
    has_phase = length > least
    phases = torch.where(has_phase, spectrum / torch.where(has_phase, length, 1.0), 0)
    picture = torch.fft.irfft2(phases, s=(height, width)).abs()
    lowest = picture.amin((-3, -2, -1), keepdim=True)
    span = picture.amax((-3, -2, -1), keepdim=True) - lowest
    stretched: Tensor = (picture - lowest) / torch.where(span > 0, span, 1.0)
    return stretched


class PhaseResnet(Detector):
    """A residual network on the phase picture, to be trained with `target=adversarial`.

    The steps of an attack are weak, but their sign pattern lies at frequencies where a face has
    little of its own, and in the phase picture all frequencies count the same. Faces that have to
    be resized to `size` lose part of that pattern: choose it near the side of the crops.

    Args:
        size: side of the input.
        depth: layers with weights, 6 n + 2: 8, 14, 20 and so on.
        classes: names of the outputs in order.

    Raises:
        InvalidInputError: if there is no network of that depth.

    Reference:
        He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2, for the
        network, which here halves the picture once more. https://arxiv.org/abs/1512.03385
    """

    def __init__(
        self, *, size: int = 128, depth: int = 14, classes: tuple[str, ...] = ("real", "fake")
    ) -> None:
        super().__init__(size=checked_size(size, smallest=16), classes=classes)
        if depth < 8 or depth % 6 != 2:
            nearest = max(8, 6 * round((depth - 2) / 6) + 2)
            raise InvalidInputError(f"depth must be 8, 14, 20, ..., got {depth}; take {nearest}")
        layers: list[nn.Module] = [_convolution(3, WIDTHS[0]), nn.ReLU(inplace=True)]
        inputs = WIDTHS[0]
        for outputs in WIDTHS:
            for number in range((depth - 2) // 6):
                layers.append(_Block(inputs, outputs, stride=2 if number == 0 else 1))
                inputs = outputs
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, len(classes))]
        self.network = nn.Sequential(nn.BatchNorm2d(3), *layers)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def logits(self, faces: Tensor) -> Tensor:
        """Return logits (N, T, classes) of faces (N, T, 3, size, size)."""
        return per_face(self.network, phase_picture(faces))


class _Block(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, stride=stride)
        self.second = _convolution(outputs, outputs)
        same = stride == 1 and inputs == outputs
        self.shortcut = (
            nn.Identity() if same else _convolution(inputs, outputs, kernel=1, stride=stride)
        )

    def forward(self, images: Tensor) -> Tensor:
        result: Tensor = self.second(self.first(images).relu()) + self.shortcut(images)
        return result.relu()


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))
