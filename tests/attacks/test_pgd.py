from math import inf
from typing import Any

import pytest
import torch
from torch import Tensor

from makers.known_detectors import GAIN, SIGNS, SIZE, Curved, Tint, tinted
from makers.peers import by_foolbox, foolbox
from unmask.attack_contracts import GREY, Attack, Norm, Victim
from unmask.attacks.fgsm import FGSM
from unmask.attacks.iterative_fgsm import IterativeFGSM
from unmask.attacks.pgd import PGD
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector

EPSILON = 8 * GREY
L2 = 0.8


def faces_of(items: int, *, size: int = 12) -> Tensor:
    random = torch.Generator().manual_seed(2)
    return torch.rand(items, 1, 3, size, size, generator=random, dtype=torch.float64)


PEERS = [
    (
        FGSM(epsilon=EPSILON),
        foolbox.attacks.LinfBasicIterativeAttack(rel_stepsize=1.0, steps=1),
        EPSILON,
    ),
    (
        IterativeFGSM(epsilon=EPSILON, step=GREY, iterations=12, lead=1.0),
        foolbox.attacks.LinfBasicIterativeAttack(abs_stepsize=GREY, steps=12),
        EPSILON,
    ),
    (
        PGD(epsilon=EPSILON, step_ratio=0.2, iterations=9, random_start=False),
        foolbox.attacks.LinfProjectedGradientDescentAttack(
            rel_stepsize=0.2, steps=9, random_start=False
        ),
        EPSILON,
    ),
    (
        PGD(epsilon=L2, norm="l2", step_ratio=0.2, iterations=9, random_start=False),
        foolbox.attacks.L2ProjectedGradientDescentAttack(
            rel_stepsize=0.2, steps=9, random_start=False
        ),
        L2,
    ),
]


@pytest.mark.parametrize("label", [REAL, FAKE])
@pytest.mark.parametrize(
    ("ours", "theirs", "epsilon"), PEERS, ids=["fgsm", "iterative", "pgd-linf", "pgd-l2"]
)
def test_the_steps_are_those_of_foolbox(
    ours: Attack, theirs: Any, epsilon: float, label: int
) -> None:
    detector, faces = Curved().double(), faces_of(4)
    attacked = ours(detector, faces, torch.full((4,), label), eight_bit=False)
    wanted = by_foolbox(theirs, detector, faces, label, epsilon=epsilon)
    torch.testing.assert_close(torch.stack(attacked.faces), wanted, rtol=0, atol=1e-6)
    assert (wanted - faces).abs().max() > GREY


def test_the_end_on_a_linear_detector_is_the_corner_of_the_ball() -> None:
    faces = tinted(torch.tensor([1.0, -1.0]))
    attacked = PGD(epsilon=EPSILON)(Tint(), faces, torch.tensor([FAKE, REAL]), eight_bit=False)
    wanted = faces + EPSILON * SIGNS * torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1, 1)
    torch.testing.assert_close(torch.stack(attacked.faces), wanted.clamp(0, 1))


def test_the_end_on_a_linear_detector_is_along_its_weights_in_l2() -> None:
    faces = tinted(torch.tensor([1.0]))
    attack = PGD(epsilon=L2, norm="l2", iterations=60, step_ratio=0.2)
    attacked = attack(Tint(), faces, torch.tensor([FAKE]), eight_bit=False)
    wanted = faces - L2 * SIGNS / (3 * SIZE**2) ** 0.5
    torch.testing.assert_close(torch.stack(attacked.faces), wanted, rtol=0, atol=2e-3)
    odds = attacked.scores_after.logit().item()
    assert odds == pytest.approx(1 - GAIN * L2 / (3 * SIZE**2) ** 0.5, abs=0.01)


class _Spy(PGD):
    """Keeps where its walks start."""

    starts: Tensor

    def _start(
        self, victim: Victim, clean: Tensor, items: Tensor, random: torch.Generator
    ) -> Tensor:
        self.starts = super()._start(victim, clean, items, random)
        return self.starts


@pytest.mark.parametrize(("norm", "radius"), [("linf", EPSILON), ("l2", L2)])
def test_starts_fill_the_ball_and_leave_the_padding(norm: Norm, radius: float) -> None:
    spy = _Spy(epsilon=radius, norm=norm, iterations=1)
    faces = [torch.full((1, 3, size, size), 0.5) for size in (8, 5)] * 100
    spy(Tint(size=4), faces, torch.full((200,), FAKE))
    change = spy.starts - 0.5
    large, small = change[::2], change[1::2, ..., :5, :5]
    padding = spy.starts[1::2].clone()
    padding[..., :5, :5] = 0
    assert (padding == 0).all()
    assert abs(large.mean()) < 0.01 * radius
    if norm == "linf":
        assert large.abs().max() <= radius + 1e-6
        assert large.std() == pytest.approx(radius / 3**0.5, rel=0.02)
    for part in (large, small):
        if norm == "l2":  # the mean distance from the middle of a ball of n dimensions
            n = part[0].numel()
            lengths = part.flatten(1).norm(dim=1)
            assert lengths.max() <= radius + 1e-6
            assert lengths.mean() == pytest.approx(radius * n / (n + 1), rel=0.005)


class _TwoValleys(Detector):
    """The odds fall on both sides of mid-red, and deeper on the brighter one."""

    def __init__(self) -> None:
        super().__init__(size=1)

    def logits(self, faces: Tensor) -> Tensor:
        red = faces[:, :, 0].mean((2, 3)) - 0.5
        odds = 1 - 100 * torch.where(red > 0.001, 3 * (red - 0.001), -red)
        return torch.stack([torch.zeros_like(odds), odds], -1)


def test_of_several_starts_the_one_with_the_lowest_margin_is_kept() -> None:
    faces, labels = torch.full((20, 1, 3, 1, 1), 0.5), torch.full((20,), FAKE)
    one, many = (
        PGD(epsilon=EPSILON, restarts=restarts)(_TwoValleys(), faces, labels, eight_bit=False)
        for restarts in (1, 12)
    )
    reds = torch.stack(one.faces)[:, 0, 0, 0, 0]
    assert (reds < 0.5).any()
    torch.testing.assert_close(
        torch.stack(many.faces)[:, 0, 0, 0, 0], torch.full((20,), 0.5 + EPSILON)
    )
    assert (many.queries == 12 * 21).all()  # of each walk 20 steps, and where it has ended
    assert (one.queries == 20).all()


def test_items_that_are_done_need_no_further_start() -> None:
    faces = torch.cat([tinted(torch.tensor([0.5])), tinted(torch.tensor([20.0]))])
    attack = PGD(epsilon=EPSILON, restarts=3, lead=0.0)
    attacked = attack(Tint(), faces, torch.tensor([FAKE, FAKE]))
    assert attacked.fooled.tolist() == [True, False]
    assert attacked.queries[1] == 3 * 21
    assert attacked.iterations[1] == 3 * 20
    assert attacked.queries[0] < 21


def test_early_stop_ends_at_the_first_success() -> None:
    faces = tinted(torch.tensor([0.3]))
    full = PGD(epsilon=EPSILON, random_start=False)
    early = PGD(epsilon=EPSILON, random_start=False, lead=0.0)
    long, short = (one(Tint(), faces, torch.tensor([FAKE])) for one in (full, early))
    assert (long.iterations, long.queries) == (torch.tensor([20]), torch.tensor([20]))
    # A step of 2 grey levels moves the odds by 60 * 2 / 255 = 0.47.
    assert (short.iterations, short.queries) == (torch.tensor([1]), torch.tensor([2]))
    assert short.linf < long.linf


class _Dice(Detector):
    """Adds or takes, by chance, more to its slope than the slope itself has."""

    def __init__(self) -> None:
        super().__init__(size=SIZE)
        self.random = torch.Generator().manual_seed(0)

    def logits(self, faces: Tensor) -> Tensor:
        weights = 1 + 3 * torch.randn(faces.shape[2:], generator=self.random)
        odds = GAIN * ((faces - 0.5) * weights).mean((2, 3, 4))
        return torch.stack([torch.zeros_like(odds), odds], -1)


class Watched(Tint):
    """Tint that notes whether it is asked for a gradient; where it is, a random victim draws."""

    def logits(self, faces: Tensor) -> Tensor:
        self.asked = [*getattr(self, "asked", []), faces.requires_grad]
        return super().logits(faces)


def test_the_choice_between_restarts_averages_over_fresh_draws() -> None:
    detector = Watched()
    attack = PGD(epsilon=EPSILON, iterations=1, restarts=2, draws=3)
    attack(detector, torch.full((1, 1, 3, 8, 8), 0.5), torch.tensor([FAKE]))
    # Two walks of one step, and where each has ended; then the clean and the attacked face.
    assert detector.asked == [True] * (2 * 3 + 2 * 3) + [False] * 2


def test_draws_follow_the_expectation_of_a_random_victim() -> None:
    faces = torch.full((1, 1, 3, SIZE, SIZE), 0.5)
    ends = {}
    for draws in (1, 64):
        attack = PGD(epsilon=EPSILON, iterations=4, random_start=False, draws=draws)
        attacked = attack(_Dice(), faces, torch.tensor([FAKE]), eight_bit=False)
        ends[draws] = (attacked.faces[0] - 0.5).mean().item() / EPSILON
        assert attacked.queries.item() == 4 * draws
    assert ends[64] < -0.95  # the mean weight is 1: all values should fall
    assert ends[1] > -0.8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iterations": 0}, "iterations must be above 0 and finite, got 0"),
        ({"restarts": 0}, "restarts must be above 0 and finite, got 0"),
        ({"draws": 0}, "draws must be above 0 and finite, got 0"),
        ({"step_ratio": -1.0}, "step_ratio must be above 0 and finite, got -1"),
        ({"epsilon": inf}, "epsilon must be above 0 and finite, got inf"),
        ({"lead": -0.5}, "lead must be at least 0, got -0.5"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        PGD(**settings)
