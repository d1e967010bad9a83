"""The network against builds of its parts by others: torchvision's ResNet-50, NumPy, and words."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import conv2d

from unmask.detectors import timm_model
from unmask.detectors.create import create_detector, read_options
from unmask.detectors.dma_sta import DmaSta
from unmask.detectors.timm_model import TimmModel, WeightsUnavailableError
from unmask.detectors.torchvision_shim import import_torchvision
from unmask.errors import InvalidInputError

MAKERS = ("original", "lightweight", "iae", "dfaker", "dfl_h128")


def clips(count: int = 2, *, size: int, frames: int = 10) -> Tensor:
    return torch.rand(count, frames, 3, size, size, generator=torch.Generator().manual_seed(0))


def small(size: int = 32, **settings: object) -> DmaSta:
    torch.manual_seed(0)
    return DmaSta(size=size, width=0.125, classes=MAKERS, **settings)  # type: ignore[arg-type]


def resnet50(**settings: object) -> nn.Module:
    """Return torchvision's, whose batch norm has run over something, so that it matters."""
    import_torchvision()
    from torchvision.models import resnet50

    torch.manual_seed(0)
    network: nn.Module = resnet50(**settings)
    with torch.no_grad():
        network.train()(torch.rand(4, 3, 64, 64))
    return network.eval()


def test_it_has_the_published_parameters() -> None:
    with torch.device("meta"):
        detector = DmaSta(classes=MAKERS)
    assert sum(one.numel() for one in detector.parameters()) == 23_519_945
    kernels = [one for one in detector.modules() if isinstance(one, nn.Conv2d)]
    assert len([one for one in kernels if one.kernel_size == (7, 7) and one.in_channels == 2]) == 16
    strides = {one.kernel_size for one in kernels if one.stride == (2, 2)}
    assert strides == {(7, 7), (3, 3), (1, 1)}  # the stem, the middle, and the shortcut
    assert not any(one.stride == (2, 2) for name, one in _named(detector) if "conv1" in name[6:])


def _named(detector: DmaSta) -> list[tuple[str, nn.Conv2d]]:
    every = detector.get_submodule("network").named_modules()
    return [(name, one) for name, one in every if isinstance(one, nn.Conv2d)]


def test_new_layers_start_as_published() -> None:
    torch.manual_seed(0)
    network = DmaSta().get_submodule("network")
    for name in ("conv1", "layer2.1.conv2", "layer4.0.conv3"):
        kernel = network.get_parameter(f"{name}.weight")
        fan_out = kernel.shape[0] * kernel.shape[2] * kernel.shape[3]
        assert kernel.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.05)
        assert abs(kernel.mean().item()) < 0.05 * kernel.std().item()
    assert (network.get_parameter("layer3.2.bn3.weight") == 1).all()
    assert not network.get_parameter("layer3.2.bn3.bias").any()


def by_numpy(features: NDArray[np.float64], first: Tensor, second: Tensor) -> NDArray[np.float64]:
    """Return the weights (N, T) of the frames of features (N, T, C)."""
    squeezed = np.maximum(features.mean(2) @ first.numpy().T.astype(np.float64), 0)
    weights = 1 / (1 + np.exp(-squeezed @ second.numpy().T.astype(np.float64)))
    return np.asarray(weights / weights.sum(1, keepdims=True))


def test_where_every_place_counts_a_half_it_is_a_resnet50_and_weighted_frames() -> None:
    """Attention of 1/2 everywhere equals halved scales and shifts of the last norms."""
    ours, theirs = DmaSta(size=64, classes=MAKERS).eval(), resnet50()
    network = ours.get_submodule("network")
    state = {name: one for name, one in theirs.state_dict().items() if not name.startswith("fc.")}
    network.load_state_dict(network.state_dict() | state)
    for name, one in network.named_parameters():
        if ".attention." in name:
            nn.init.zeros_(one)
    for name, one in theirs.named_parameters():
        if ".bn3." in name:
            one.data /= 2
    theirs.fc = nn.Identity()
    faces = clips(size=64)
    mean = torch.tensor([0.643, 0.466, 0.387]).view(3, 1, 1)
    deviation = torch.tensor([0.259, 0.220, 0.203]).view(3, 1, 1)
    seen = ((faces - mean) / deviation)[..., 4:60, 4:60]  # 56 of 64, as 224 of 256
    with torch.no_grad():
        features = theirs(seen.flatten(0, 1)).view(2, 10, 2048).double().numpy()
        state = network.state_dict()
        weights = by_numpy(features, state["temporal.0.weight"], state["temporal.2.weight"])
        pooled = (features * weights[..., np.newaxis]).sum(1)
        wanted = pooled @ state["fc.weight"].double().numpy().T + state["fc.bias"].numpy()
        np.testing.assert_allclose(ours(faces).numpy(), wanted, rtol=1e-4, atol=1e-5)
        over_frames, over_places = ours.attention(faces)
    np.testing.assert_allclose(over_frames.numpy(), weights, rtol=1e-4)
    assert over_places.shape == (2, 10, 2, 2)
    assert (over_places == 0.5).all()


def test_places_are_weighted_by_the_mean_and_the_maximum_over_the_channels() -> None:
    network = small().get_submodule("network")
    attention = network.get_submodule("layer1.0.attention")
    features = torch.randn(3, 8, 9, 5, generator=torch.Generator().manual_seed(0))
    told = torch.stack([features.mean(1), features.max(1).values], 1)
    kernel = attention.get_parameter("convolution.weight")
    torch.testing.assert_close(attention(features), conv2d(told, kernel, padding=3).sigmoid())


def test_places_are_weighted_after_the_last_norm_and_before_the_shortcut() -> None:
    block = small().get_submodule("network").get_submodule("layer2.1").eval()
    images = torch.randn(2, 64, 6, 6, generator=torch.Generator().manual_seed(0))
    parts = {name: block.get_submodule(name) for name in ("conv1", "conv2", "conv3")}
    inner = images
    for number, name in enumerate(parts, 1):
        inner = block.get_submodule(f"bn{number}")(parts[name](inner))
        inner = inner.relu() if number < 3 else inner
    wanted = (inner * block.get_submodule("attention")(inner) + images).relu()
    torch.testing.assert_close(block(images), wanted)


def test_frames_count_equally_where_nothing_was_learned_of_them() -> None:
    detector, faces = small().eval(), clips(size=32)
    nn.init.zeros_(detector.get_submodule("network").get_parameter("temporal.2.weight"))
    seen = detector.normalised(faces)[..., 2:30, 2:30]
    features = detector.get_submodule("network")(seen.flatten(0, 1)).view(2, 10, -1).mean(1)
    torch.testing.assert_close(detector(faces), detector.get_submodule("network.fc")(features))
    shown, _ = detector.attention(faces)
    torch.testing.assert_close(shown, torch.full((2, 10), 0.1))


@pytest.mark.parametrize(("stage", "side"), [(1, 14), (2, 7), (3, 4), (4, 2)])
def test_attention_tells_of_every_frame_and_place_at_the_stage_that_was_asked_for(
    stage: int, side: int
) -> None:
    detector, faces = small(64, frames=3).eval(), clips(size=64, frames=3)
    over_frames, over_places = detector.attention(faces, stage=stage)
    torch.testing.assert_close(over_frames.sum(1), torch.ones(2))
    assert over_places.shape == (2, 3, side, side)
    alone = detector.attention(faces.flip(0).flip(1), stage=stage)[1].flip(0).flip(1)
    torch.testing.assert_close(over_places, alone)


def test_a_stage_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="stage must lie in 1 to 4, got 5; take 4"):
        small().attention(clips(size=32), stage=5)


def test_only_the_middle_of_a_face_is_seen() -> None:
    detector, faces = small(64).eval(), clips(size=64)
    changed = faces.clone()
    changed[..., :4, :] = changed[..., 60:] = 0
    assert torch.equal(detector(changed), detector(faces))
    changed[..., 4, 30] = 0
    assert not torch.equal(detector(changed), detector(faces))


def frame_by_frame(detector: DmaSta, faces: Tensor) -> Tensor:
    """Return the logits of a network whose norms are PyTorch's and see one frame after another."""
    for module in detector.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.__class__ = nn.BatchNorm2d
    network = detector.get_submodule("network")
    seen = detector.normalised(faces)[..., 2:30, 2:30]
    features = torch.stack([network(one) for one in seen.unbind(1)], 1)
    weights = network.get_submodule("temporal")(features.mean(-1))
    pooled = (features * weights.unsqueeze(-1)).sum(1) / weights.sum(1, keepdim=True)
    logits: Tensor = network.get_submodule("fc")(pooled)
    return logits


@pytest.mark.parametrize("learns", [True, False])
def test_frames_together_say_and_learn_what_they_do_one_after_another(learns: bool) -> None:
    ours, theirs = (small(frames=3).double().train(learns) for _ in range(2))
    faces = clips(4, size=32, frames=3).double()
    wanted, found = frame_by_frame(theirs, faces), ours(faces)
    torch.testing.assert_close(found, wanted)
    for logits in (found, wanted):
        logits[:, 1].sum().backward()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    for name, one in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], one, msg=name)
    assert (ours.get_submodule("network.bn1").num_batches_tracked == 3) == learns


def without_counters(network: nn.Module) -> dict[str, Tensor]:
    """Return a state as files of the time of the published start hold it."""
    state = network.state_dict()
    return {name: one for name, one in state.items() if "num_batches" not in name}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_it_starts_from_any_resnet50_without_its_head(tmp_path: Path, prefix: str) -> None:
    donor = resnet50()
    state = {prefix + name: one for name, one in without_counters(donor).items()}
    torch.save(state, tmp_path / "w.pth")
    own = DmaSta(size=32, weights=tmp_path / "w.pth").get_submodule("network").state_dict()
    for name, one in without_counters(donor).items():
        assert name.startswith("fc.") or torch.equal(own[name], one), name
    assert own["fc.weight"].shape == (2, 2048)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    import_torchvision()
    from torchvision.models import resnet34, resnet101

    for make, name in ((resnet34, "layer1.0.bn3.bias"), (resnet101, "layer3.10.bn1.bias")):
        torch.save(make().state_dict(), tmp_path / "w.pth")
        with pytest.raises(InvalidInputError, match=f"ResNet-50 at width=1, got others: '{name}'"):
            DmaSta(size=32, weights=tmp_path / "w.pth")
    torch.save(resnet50().state_dict(), tmp_path / "w.pth")
    with pytest.raises(InvalidInputError, match="must be those of a ResNet-50 at width=1"):
        DmaSta(size=32, width=0.5, weights=tmp_path / "w.pth")


def test_weights_are_not_given_twice(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="must not be given with pretrained=True"):
        DmaSta(size=32, weights=tmp_path / "w.pth", pretrained=True)


def test_the_published_start_comes_from_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    donor = TimmModel(architecture="resnet50.tv_in1k").get_submodule("network")
    asked: list[tuple[str, bool]] = []

    def downloaded(timm: object, name: str, pretrained: bool, settings: object) -> nn.Module:
        asked.append((name, pretrained))
        return donor

    monkeypatch.setattr(timm_model, "_made", downloaded)
    own = DmaSta(size=32, pretrained=True).get_submodule("network").state_dict()
    assert asked == [("resnet50.tv_in1k", True)]
    assert torch.equal(own["layer4.2.conv3.weight"], donor.state_dict()["layer4.2.conv3.weight"])


def test_offline_a_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    TimmModel(architecture="test_resnet")  # imports timm
    monkeypatch.setattr("timm.create_model", unreachable)
    with pytest.raises(WeightsUnavailableError, match="got ConnectionError; go online, or give"):
        create_detector("dma_sta", pretrained=True)


def test_frames_width_and_size_can_be_made_smaller() -> None:
    given = read_options("dma_sta", ["frames=4", "width=0.25"])
    detector = create_detector("dma_sta", size=48, classes=MAKERS, **given)
    assert detector.frames == 4
    assert detector(clips(size=60, frames=4)).shape == (2, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 100}, "size must be 32 or more and a multiple of 16, got 100; take 96"),
        ({"frames": 1}, "frames must be 2 or more, got 1; take 10"),
        ({"width": 0.0}, r"width must lie in \[1/64, 1\], got 0.0; take 1"),
    ],
)
def test_a_network_that_is_none_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        create_detector("dma_sta", **settings)
