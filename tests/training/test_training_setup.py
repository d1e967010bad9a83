"""The optimisers against their definitions, and the published recipe against its numbers."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import SGD, AdamW

from unmask.detectors.create import create_detector
from unmask.settings import load_settings
from unmask.torch_contracts import Detector
from unmask.training.schedule import learning_rate
from unmask.training.settings import TrainSettings
from unmask.training.setup import new_optimiser

ROOT = Path(__file__).parent.parent.parent
CPU = torch.device("cpu")


def settings(**changes: Any) -> TrainSettings:
    return TrainSettings(*(Path(),) * 3, **changes)


@pytest.fixture
def detector() -> Detector:
    torch.manual_seed(0)
    return create_detector("phase_resnet", size=16, depth=8)


@pytest.mark.parametrize("quirks", [False, True])
def test_sgd_moves_by_its_definition_and_norms_decay_only_as_published(
    detector: Detector, quirks: bool
) -> None:
    told = settings(
        optimiser="sgd", learning_rate=0.1, momentum=0.8, weight_decay=0.5, paper_quirks=quirks
    )
    optimiser = new_optimiser(detector, told, CPU)
    assert isinstance(optimiser, SGD)
    now = {name: one.detach().clone() for name, one in detector.named_parameters()}
    speed = {name: torch.zeros_like(one) for name, one in now.items()}
    for step in range(3):
        for name, one in detector.named_parameters():
            one.grad = torch.full_like(one, 0.01 * (step + 1))
            decay = 0.5 if one.ndim > 1 or quirks else 0.0
            speed[name] = 0.8 * speed[name] + one.grad + decay * now[name]
            now[name] -= 0.1 * speed[name]
        optimiser.step()
    for name, one in detector.named_parameters():
        torch.testing.assert_close(one.detach(), now[name])


def test_without_a_word_it_is_adamw(detector: Detector) -> None:
    optimiser = new_optimiser(detector, settings(weight_decay=0.3), CPU)
    assert isinstance(optimiser, AdamW)
    decays = {
        id(one): group["weight_decay"]
        for group in optimiser.param_groups
        for one in group["params"]
    }
    for parameter in detector.parameters():
        assert decays[id(parameter)] == (0.3 if parameter.ndim > 1 else 0.0)


def test_the_recipe_of_dma_sta_has_the_published_numbers() -> None:
    file = ROOT / "docs/examples/dma_sta.toml"
    assert f"```toml\n{file.read_text()}```" in (ROOT / "docs/training.md").read_text()
    paths = dict.fromkeys(("catalog", "faces", "out"), Path("x"))
    told = load_settings(TrainSettings, paths, file)
    rates = [
        learning_rate(told, epoch * 10, steps=2990, steps_per_epoch=10)
        for epoch in range(told.epochs)
    ]
    assert rates == pytest.approx([1e-3] * 39 + [1e-4] * 260)
    assert (told.batch, told.momentum, told.weight_decay) == (20, 0.9, 5e-4)
    assert told.chosen_by == "accuracy"
    assert told.detector_settings == {"pretrained": True}
