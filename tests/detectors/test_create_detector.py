import sys
from pathlib import Path

import pytest
import torch

from unmask.detectors import timm_model
from unmask.detectors.create import create_detector, read_options
from unmask.detectors.meso4 import Meso4
from unmask.detectors.timm_model import TimmModel, WeightsUnavailableError
from unmask.detectors.xception import Xception
from unmask.errors import InvalidInputError, MissingDependencyError, NotFoundError


def test_an_own_part_comes_before_timms_network_of_that_name() -> None:
    assert isinstance(create_detector("xception"), Xception)


@pytest.mark.parametrize("name", ["resnet50", "resnet101", "resnet152", "efficientnet_b4"])
def test_any_other_name_is_a_network_of_timm(name: str) -> None:
    with torch.device("meta"):  # no memory and no time for the weights
        detector = create_detector(name)
    assert isinstance(detector, TimmModel)
    assert detector.classes == ("real", "fake")


def test_timms_size_mean_and_deviation_go_into_the_detector() -> None:
    detector = create_detector("timm:test_vit")
    assert detector.size == 160
    assert detector.get_buffer("mean").flatten().tolist() == [0.5, 0.5, 0.5]
    assert create_detector("timm:test_vit", size=64).size == 64


def test_a_misspelt_detector_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="has no 'mezo4'; did you mean 'meso4'"):
        create_detector("mezo4")
    with pytest.raises(NotFoundError, match="has no 'resnt50'; did you mean 'resnet50'"):
        create_detector("resnt50")


def test_a_name_like_no_other_is_answered_with_a_few() -> None:
    with pytest.raises(NotFoundError, match="timm has no '@'") as error:
        create_detector("timm:@")
    assert len(str(error.value)) < 400


def test_an_unknown_tag_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="timm's resnet50 has no 'a1_in2k'; did you mean"):
        create_detector("resnet50.a1_in2k")


def test_a_misspelt_setting_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="meso4 has no 'sise'; did you mean 'size'"):
        create_detector("meso4", sise=64)


def test_a_setting_that_is_needed_is_asked_for() -> None:
    with pytest.raises(InvalidInputError, match="architecture must be given to detector timm_mod"):
        create_detector("timm_model")


def test_settings_reach_the_detector() -> None:
    assert create_detector("meso4", size=64).size == 64


def test_settings_are_read_as_text() -> None:
    assert read_options("phase_resnet", ["depth=20"]) == {"depth": 20}
    assert read_options("timm:resnet18", []) == {}
    with pytest.raises(NotFoundError, match="has no 'deph'; did you mean 'depth'"):
        read_options("phase_resnet", ["deph=20"])


def test_weights_from_a_file_leave_out_its_head(tmp_path: Path) -> None:
    donor = create_detector("timm:test_resnet", classes=("a", "b", "c"))
    torch.save(donor.get_submodule("network").state_dict(), tmp_path / "w.pth")
    detector = create_detector("timm:test_resnet", weights=tmp_path / "w.pth")
    own, theirs = detector.state_dict(), donor.state_dict()
    assert all(torch.equal(own[name], theirs[name]) for name in own if ".fc." not in name)
    assert own["network.fc.weight"].shape[0] == 2


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    torch.save(create_detector("meso4").state_dict(), tmp_path / "w.pth")
    with pytest.raises(InvalidInputError, match="must be those of test_resnet, got"):
        create_detector("timm:test_resnet", weights=tmp_path / "w.pth")


def test_weights_are_not_given_twice(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="must not be given with pretrained=True"):
        create_detector("timm:test_resnet", weights=tmp_path / "w.pth", pretrained=True)


def test_offline_a_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    create_detector("timm:test_resnet")  # imports timm
    monkeypatch.setattr("timm.create_model", unreachable)
    with pytest.raises(WeightsUnavailableError, match="got ConnectionError; go online, or give"):
        create_detector("resnet50", pretrained=True)


def test_without_timm_own_detectors_work_and_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    timm_model._timm.cache_clear()
    try:
        assert isinstance(create_detector("meso4"), Meso4)
        with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[timm\]'"):
            create_detector("timm:resnet50")
        with pytest.raises(NotFoundError, match=r"unmask\.detectors has no 'resnet50'"):
            create_detector("resnet50")
    finally:
        timm_model._timm.cache_clear()
