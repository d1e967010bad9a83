import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unmask.autoencoders.layers import (
    Bottleneck,
    Conv,
    Out,
    Residual,
    Up,
    UpResidual,
    scaled,
)
from unmask.errors import InvalidInputError

Array = NDArray[np.float64]


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def given(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def with_biases(layer: nn.Module) -> nn.Module:
    """Return a layer in double precision whose biases are not 0."""
    for name, parameter in layer.double().named_parameters():
        if name.endswith("bias"):
            nn.init.uniform_(parameter, -1, 1)
    return layer


def arrays(layer: nn.Conv2d | nn.Linear) -> tuple[Array, Array]:
    return layer.weight.detach().numpy(), layer.get_parameter("bias").detach().numpy()


def convolved(image: Array, kernel: Array, bias: Array, *, stride: int, before: int) -> Array:
    """Return the convolution by its definition, (C, H, W), with so many zeros before the image."""
    size, window = image.shape[1], kernel.shape[2]
    padded = np.zeros((len(image), size + 2 * window, size + 2 * window))
    padded[:, before : before + size, before : before + size] = image
    places = range(0, size, stride)
    return np.array(
        [
            [
                [(one * padded[:, y : y + window, x : x + window]).sum() + offset for x in places]
                for y in places
            ]
            for one, offset in zip(kernel, bias, strict=True)
        ]
    )


def leaky(values: Array, slope: float) -> Array:
    return np.where(values > 0, values, slope * values)


def same(found: Tensor, wanted: Array) -> None:
    np.testing.assert_allclose(found.detach().numpy()[0], wanted, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [8, 10])
def test_conv_pads_as_tensorflow_does_one_before_and_two_behind(size: int) -> None:
    layer, image = with_biases(Conv(3, 2)), given(1, 3, size, size)
    assert isinstance(layer, Conv)
    # "same": ceil(size / 2) results need (ceil(size / 2) - 1) * 2 + 5 - size = 3 zeros, 3 // 2
    # of them before.
    before = ((size // 2 - 1) * 2 + 5 - size) // 2
    assert before == 1
    wanted = convolved(image[0].numpy(), *arrays(layer), stride=2, before=before)
    same(layer(image), leaky(wanted, 0.1))


@pytest.mark.parametrize("is_linear", [False, True])
def test_up_lays_four_channels_beside_and_below_each_other(is_linear: bool) -> None:
    layer, image = with_biases(Up(3, 2, is_linear=is_linear)), given(1, 3, 4, 4)
    assert isinstance(layer, Up)
    found = convolved(image[0].numpy(), *arrays(layer), stride=1, before=1)
    wanted = np.empty((2, 8, 8))
    for channel, row, column in np.ndindex(2, 2, 2):
        wanted[channel, row::2, column::2] = found[4 * channel + 2 * row + column]
    same(layer(image), leaky(wanted, 1.0 if is_linear else 0.1))


def test_residual_adds_what_comes_in_to_two_convolutions() -> None:
    layer, image = with_biases(Residual(3)), given(1, 3, 5, 5)
    assert isinstance(layer, Residual)
    start = image[0].numpy()
    first = leaky(convolved(start, *arrays(layer.first), stride=1, before=1), 0.2)
    second = convolved(first, *arrays(layer.second), stride=1, before=1)
    same(layer(image), leaky(second + start, 0.2))


def test_up_residual_has_the_residual_blocks_slope() -> None:
    layer, image = with_biases(UpResidual(3, 2)), given(1, 3, 4, 4)
    assert isinstance(layer, UpResidual)
    up, residual = layer[0], layer[2]
    doubled = torch.nn.functional.leaky_relu(up(image), 0.2)
    assert up.is_linear
    torch.testing.assert_close(layer(image), residual(doubled))


def test_out_is_a_picture_in_single_precision() -> None:
    layer, image = with_biases(Out(4)), given(1, 4, 6, 6)
    assert isinstance(layer, Out)
    found = convolved(image[0].numpy(), *arrays(layer), stride=1, before=2)
    made = layer(image)
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.detach().numpy()[0], 1 / (1 + np.exp(-found)), atol=1e-6)


def test_bottleneck_is_two_products_without_a_relu_between() -> None:
    layer, image = with_biases(Bottleneck(3, 4, 5, 2, 3)), given(2, 3, 4, 4)
    assert isinstance(layer, Bottleneck)
    (inner, first), (outer, second) = arrays(layer.inner), arrays(layer.outer)
    wanted = (image[0].numpy().ravel() @ inner.T + first) @ outer.T + second
    same(layer(image), wanted.reshape(2, 3, 3))
    assert layer(image).shape == (2, 2, 3, 3)


def spread(parameter: Tensor) -> tuple[float, float]:
    """Return the largest absolute value and the standard deviation."""
    return parameter.abs().max().item(), parameter.std().item()


def test_weights_begin_as_published() -> None:
    convolution, residual, bottleneck = Conv(16, 64), Residual(64), Bottleneck(8, 4, 32, 8, 4)
    for layer, bound in (
        (convolution, (6 / (25 * 16)) ** 0.5),  # He, uniform
        (Up(16, 32), (6 / (9 * 16)) ** 0.5),
        (Out(64), (6 / (25 * 64)) ** 0.5),
        (residual.second, (3 * 0.2 / (9 * 64)) ** 0.5),  # a fifth of the variance of one input
        (bottleneck.inner, (6 / (128 + 32)) ** 0.5),  # Glorot, uniform
        (bottleneck.outer, (6 / (128 + 32)) ** 0.5),
    ):
        assert spread(layer.weight) == pytest.approx((bound, bound / 3**0.5), rel=0.03)
        assert not layer.get_parameter("bias").any()
    assert spread(residual.first.weight)[1] == pytest.approx(0.02, rel=0.02)
    assert not residual.first.get_parameter("bias").any()


@pytest.mark.parametrize("width", [0.01, 0.05, 0.25, 0.3, 0.5])
def test_narrow_layers_have_multiples_of_eight_channels_near_the_share(width: float) -> None:
    for channels in (64, 128, 256, 512, 1024):
        narrow = scaled(channels, width)
        assert narrow % 8 == 0
        assert narrow == 8 or abs(narrow - channels * width) <= 4


@pytest.mark.parametrize("width", [0, -1, 1.1])
def test_width_beyond_the_published_network_is_refused(width: float) -> None:
    with pytest.raises(InvalidInputError, match=r"width must lie in \(0, 1\], got "):
        scaled(64, width)
