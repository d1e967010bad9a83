from pathlib import Path

import pytest
import torch

from unmask.detectors.foreign import load_foreign
from unmask.detectors.torchvision_shim import import_torchvision
from unmask.detectors.xception import Xception
from unmask.errors import InvalidInputError

import_torchvision()
import timm  # noqa: E402  needs torchvision, see the shim


def published(outputs: int) -> dict[str, torch.Tensor]:
    """Return made weights of timm's Xception, which has the published layout (head `fc`)."""
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = timm.create_model(
        "legacy_xception", num_classes=outputs
    ).state_dict()
    for name, tensor in state.items():
        if name.endswith("running_mean"):
            tensor.normal_(0, 0.1)
        if name.endswith("running_var"):
            tensor.uniform_(0.2, 0.4)
    return state


def as_imagenet_file(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the state as `xception-b5690688.pth` holds it: pointwise kernels in two axes."""
    return {
        name: tensor.flatten(1) if "pointwise" in name else tensor
        for name, tensor in state.items()
        if "num_batches" not in name
    }


def as_faceforensics(state: dict[str, torch.Tensor], head: str) -> dict[str, torch.Tensor]:
    return {"model." + name.replace("fc.", head): tensor for name, tensor in state.items()}


@pytest.mark.parametrize("head", ["last_linear.", "last_linear.1."])
def test_faceforensics_weights_give_the_outputs_of_timms_network(tmp_path: Path, head: str) -> None:
    state = published(2)
    torch.save(as_faceforensics(state, head), tmp_path / "ff.pth")
    ours = Xception(size=96).eval()
    load_foreign(tmp_path / "ff.pth", ours, classes=("real", "fake"))
    theirs = timm.create_model("legacy_xception", num_classes=2).eval()
    theirs.load_state_dict(state)
    faces = torch.rand(2, 3, 96, 96)
    with torch.inference_mode():
        wanted = theirs((faces - 0.5) / 0.5)
        torch.testing.assert_close(ours(faces[:, None]), wanted, rtol=1e-3, atol=1e-4)
    assert (wanted[0] - wanted[1]).abs().max() > 1e-3  # the outputs do tell the images apart


def test_imagenet_weights_fill_the_backbone_and_leave_the_head(tmp_path: Path) -> None:
    state = published(1000)
    torch.save(as_imagenet_file(state), tmp_path / "xception-b5690688.pth")
    network = Xception(weights=tmp_path / "xception-b5690688.pth").network
    assert torch.equal(network.conv4.pointwise.weight, state["conv4.pointwise.weight"])
    assert torch.equal(
        network.get_parameter("block5.rep.4.pointwise.weight"),
        state["block5.rep.4.pointwise.weight"],
    )
    assert network.last_linear.out_features == 2


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InvalidInputError, match="must be those of Xception, got a file without"):
        Xception(weights=tmp_path / "other.pth")


def test_defaults_are_those_of_faceforensics() -> None:
    detector = Xception()
    assert detector.size == 299
    assert detector.get_buffer("mean").flatten().tolist() == [0.5] * 3
    assert detector.get_buffer("deviation").flatten().tolist() == [0.5] * 3


def test_too_small_a_size_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="size must be 64 or more, got 32; take 64"):
        Xception(size=32)
