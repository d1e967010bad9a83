"""Adversarial training: known answers for a linear network, and steps taken by hand."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from unmask.seeding import seed_for
from unmask.torch_contracts import Detector
from unmask.training.adversary import Adversary, examiner, trainer
from unmask.training.batches import Batch, as_faces
from unmask.training.learner import Learner
from unmask.training.settings import TrainSettings
from unmask.training.setup import new_detector, new_optimiser

SIDE = 4


class Linear(Detector):
    """The logit of fake is a weighted sum of the values; the norm behind it changes nothing."""

    def __init__(self) -> None:
        super().__init__(size=SIDE)
        self.weights = nn.Parameter(torch.randn(3, SIDE, SIDE))
        self.norm = nn.BatchNorm1d(1, affine=False)

    def logits(self, faces: Tensor) -> Tensor:
        fake = self.norm((faces * self.weights).sum((2, 3, 4)))
        return torch.stack([torch.zeros_like(fake), fake], -1)


def linear() -> Linear:
    torch.manual_seed(0)
    return Linear()


def random(seed: int = 3) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_faces(count: int = 6) -> Tensor:
    return torch.rand(count, 1, 3, SIDE, SIDE, generator=random(9))


def settings(**given: Any) -> TrainSettings:
    return TrainSettings(Path(), Path(), Path(), device="cpu", **given)


@pytest.mark.parametrize("steps", [1, 3])
def test_each_step_goes_along_the_known_sign_of_a_linear_networks_gradient(steps: int) -> None:
    detector, faces, targets = linear(), some_faces(), torch.tensor([0, 1] * 3)
    adversary = Adversary(0.1, 0.04, steps)
    found = adversary.attacked(detector, faces, targets, random())
    uphill = detector.weights.sign() * (1 - 2 * targets).view(-1, 1, 1, 1, 1)  # up for a real
    change = adversary.start(faces, random()).values
    for _ in range(steps):
        change = (change + 0.04 * uphill).clamp(-0.1, 0.1)
    torch.testing.assert_close(found, (faces + change).clamp(0, 1).detach())


@pytest.mark.parametrize("kind", ["pgd", "fast"])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_only_a_share_of_the_batch_is_changed_and_stays_in_the_ball_and_the_range(
    kind: str, share: float
) -> None:
    adversary = trainer(settings(adversarial=kind, adversarial_share=share))
    assert adversary is not None
    faces, count = some_faces(), round(6 * share)
    found = adversary.attacked(linear(), faces, torch.tensor([0, 1] * 3), random())
    change = (found - faces).abs().flatten(1).amax(1)
    assert int((change > 3.9 / 255).sum()) == count
    assert int((change == 0).sum()) == 6 - count
    assert change.max() <= 4 / 255 + 1e-7
    assert found.min() >= 0
    assert found.max() <= 1


def test_of_a_batch_of_one_that_one_is_attacked() -> None:
    assert len(Adversary(0.1, 0.1, 1, share=0.1).start(some_faces(1), random()).places) == 1


@pytest.mark.parametrize("batch", [2, 6])
def test_each_place_of_a_batch_is_attacked_equally_often(batch: int) -> None:
    adversary, generator = Adversary(0.1, 0.1, 1, share=0.5), random()
    times = torch.zeros(batch)
    for _ in range(600):
        times[adversary.start(some_faces(batch), generator).places] += 1
    assert ((times - 300).abs() < 4 * 150**0.5).all()  # four standard deviations


def test_the_attacked_network_is_left_as_it_was() -> None:
    detector, faces = linear().train(), some_faces()
    detector(faces)
    before = {name: one.clone() for name, one in detector.state_dict().items()}
    Adversary(0.1, 0.05, 2).attacked(detector, faces, torch.zeros(6, dtype=torch.int64), random())
    assert detector.training
    assert all(one.grad is None for one in detector.parameters())
    assert all(torch.equal(one, before[name]) for name, one in detector.state_dict().items())


@pytest.mark.parametrize(
    ("given", "step", "steps"),
    [
        ({"adversarial": "pgd"}, 2.5 / 7, 7),
        ({"adversarial": "pgd", "adversarial_steps": 5}, 0.5, 5),
        ({"adversarial": "fast"}, 1.25, 1),
        ({"adversarial": "free"}, 1.0, 4),
        ({"adversarial": "free", "adversarial_steps": 8}, 1.0, 8),
        ({"adversarial": "pgd", "adversarial_step": 0.02}, 0.2, 7),
    ],
)
def test_each_variant_takes_the_published_steps(
    given: dict[str, Any], step: float, steps: int
) -> None:
    adversary = trainer(settings(adversarial_epsilon=0.1, **given))
    assert adversary is not None
    assert adversary.step == pytest.approx(0.1 * step)
    assert adversary.steps == steps


def test_without_adversarial_training_nobody_attacks_unless_asked_for() -> None:
    assert trainer(settings()) is None
    assert examiner(settings()) is None
    assert examiner(settings(selection="robust_auc")) == Adversary(4 / 255, 1 / 255, 10)


def test_a_gradient_that_overflows_moves_nothing() -> None:
    change = torch.zeros(1, 1, 1, 1, 3)
    gradient = torch.tensor([torch.inf, torch.nan, -2.0]).view_as(change)
    Adversary(0.5, 0.25, 1).move(change, gradient)
    assert change.flatten().tolist() == [0, 0, -0.25]


def a_batch() -> Batch:
    pictures = torch.randint(0, 256, (4, 1, 16, 16, 3), dtype=torch.uint8, generator=random())
    return Batch(pictures.permute(0, 1, 4, 2, 3), torch.tensor([0, 1, 0, 1]))


def test_free_training_takes_the_gradient_of_each_replay_for_weights_and_faces_alike() -> None:
    given = settings(
        detector="phase_resnet", size=16, detector_options=("depth=8",), adversarial="free",
        adversarial_steps=3, adversarial_share=0.5, adversarial_epsilon=0.05,
    )  # fmt: skip
    learner = Learner(Fabric(accelerator="cpu", devices=1), given)
    loss = learner.step([a_batch()], 0, 1e-3, only_head=False)

    detector = new_detector(given, ("real", "fake"))
    optimiser = new_optimiser(detector, given, torch.device("cpu"))
    faces, targets = as_faces(a_batch().faces, torch.device("cpu")), a_batch().labels
    generator = random(seed_for(given.seed, "attack", 0, 0))
    some = torch.randperm(4, generator=generator)[:2].sort().values
    change = torch.empty_like(faces[:2]).uniform_(-0.05, 0.05, generator=generator)
    losses = []
    for _ in range(3):
        shown = faces.clone()
        shown[some] = (faces[some] + change).clamp(0, 1)
        shown.requires_grad_()
        one = cross_entropy(detector(shown), targets)
        optimiser.zero_grad()
        one.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        assert shown.grad is not None
        change = (change + 0.05 * shown.grad[some].sign()).clamp(-0.05, 0.05)
        losses.append(one.item())
    assert loss == pytest.approx(sum(losses) / 3, rel=1e-5)
    own = learner.detector.state_dict()
    for name, tensor in detector.state_dict().items():
        torch.testing.assert_close(own[name], tensor, rtol=1e-4, atol=1e-6)


def test_an_adversary_draws_anew_in_each_step_and_the_same_when_a_step_is_repeated() -> None:
    weights = []
    for number in (0, 0, 1):
        given = settings(detector="meso4", size=32, adversarial="fast")
        learner = Learner(Fabric(accelerator="cpu", devices=1), given)
        learner.step([a_batch()], number, 1e-3, only_head=False)
        weights.append(torch.cat([one.flatten() for one in learner.detector.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
