import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from unmask.detectors.create import create_detector
from unmask.detectors.foreign import load_foreign
from unmask.errors import InvalidInputError, NotFoundError
from unmask.torch_contracts import Detector

ORDER = ("real", "fake")


def donor(name: str = "timm:test_resnet") -> Detector:
    torch.manual_seed(1)
    return create_detector(name, size=64).eval()


def scores(detector: Detector) -> torch.Tensor:
    faces = torch.rand(3, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return detector.eval().scores(faces)


def test_the_same_order_of_classes_gives_the_same_scores(tmp_path: Path) -> None:
    theirs, ours = donor(), create_detector("timm:test_resnet", size=64)
    torch.save({"state_dict": theirs.state_dict()}, tmp_path / "w.pth")
    load_foreign(tmp_path / "w.pth", ours, classes=ORDER)
    assert torch.equal(scores(ours), scores(theirs))


@pytest.mark.parametrize("name", ["timm:test_resnet", "timm:test_vit", "meso4"])
def test_the_reversed_order_of_classes_reverses_the_scores(tmp_path: Path, name: str) -> None:
    theirs, ours = donor(name), create_detector(name, size=64)
    save_file(
        {key: tensor.contiguous() for key, tensor in theirs.state_dict().items()},
        tmp_path / "w.safetensors",
    )
    load_foreign(tmp_path / "w.safetensors", ours, classes=("fake", "real"))
    torch.testing.assert_close(scores(ours), 1 - scores(theirs))


def test_a_prefix_of_another_project_is_cut_off(tmp_path: Path) -> None:
    theirs, ours = donor(), create_detector("timm:test_resnet", size=64)
    state = theirs.get_submodule("network").state_dict()
    torch.save({f"module.backbone.{name}": one for name, one in state.items()}, tmp_path / "w.pth")
    load_foreign(tmp_path / "w.pth", ours, classes=ORDER)
    assert torch.equal(scores(ours), scores(theirs))


def test_without_the_order_of_the_classes_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"classes must be given for .*, got nothing"):
        load_foreign(tmp_path / "w.pth", donor())


def test_classes_that_the_detector_does_not_have_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"an order of \('real', 'fake'\), got \('live'"):
        load_foreign(tmp_path / "w.pth", donor(), classes=("live", "spoof"))


def test_a_pickled_module_is_refused_with_the_reason(tmp_path: Path) -> None:
    torch.save(donor("meso4"), tmp_path / "whole.p")
    with pytest.raises(InvalidInputError, match=r"got a pickled object in .* may run any code"):
        load_foreign(tmp_path / "whole.p", donor("meso4"), classes=ORDER)


def test_a_plain_pickle_runs_nothing(tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (Path(tmp_path / "was-run"),)  # type: ignore[return-value]

    (tmp_path / "w.p").write_bytes(pickle.dumps(Hostile()))
    with pytest.raises(InvalidInputError):
        load_foreign(tmp_path / "w.p", donor("meso4"), classes=ORDER)
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
@pytest.mark.parametrize("content", [b"PK\x03\x04 and then nothing", b"", b"half"])
def test_bytes_that_are_no_weights_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInputError, match="must be safetensors or saved by torch"):
        load_foreign(tmp_path / name, donor("meso4"), classes=ORDER)


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "w.pth")
    with pytest.raises(InvalidInputError, match="must hold a state dict of tensors, got list"):
        load_foreign(tmp_path / "w.pth", donor("meso4"), classes=ORDER)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="the weight file must exist, got"):
        load_foreign(tmp_path / "w.pth", donor("meso4"), classes=ORDER)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("network.head.4.bias"), "lacks 'head.4.bias'"),
        (lambda state: state.update(extra=torch.zeros(1)), "also has 'extra'"),
        (
            lambda state: state.update({"network.head.1.weight": torch.zeros(16, 4)}),
            "has another shape of 'head.1.weight'",
        ),
    ],
)
def test_tensors_of_another_network_are_refused(
    tmp_path: Path, change: object, message: str
) -> None:
    state = donor("meso4").state_dict()
    change(state)  # type: ignore[operator]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(InvalidInputError, match=message):
        load_foreign(tmp_path / "w.pth", donor("meso4"), classes=ORDER)
