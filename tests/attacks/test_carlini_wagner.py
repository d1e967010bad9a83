from typing import Any

import pytest
import torch
from torch import Tensor

from makers.known_detectors import GAIN, SIZE, Curved, OnePixel, Tint, tinted
from makers.peers import by_foolbox, foolbox
from unmask.attack_contracts import GREY
from unmask.attacks.carlini_wagner import CarliniWagner
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector

LONGEST = (3 * SIZE**2) ** 0.5  # of a change of 1 in each value


def exact(**settings: Any) -> CarliniWagner:
    """Return the attack without rounding, with settings that take little time."""
    wanted = {"iterations": 60, "step": 0.02, "kappa": 0.0, "eight_bit": False} | settings
    return CarliniWagner(**wanted)


def test_the_change_of_a_linear_detector_is_the_shortest_that_crosses() -> None:
    odds = torch.tensor([0.6, -0.3, 1.2])
    labels = torch.tensor([FAKE, REAL, FAKE])
    attacked = exact()(Tint(), tinted(odds), labels, eight_bit=False)
    assert attacked.fooled.all()
    # The odds fall by 60 for a change of 1 in each value.
    shortest = odds.abs() / GAIN * LONGEST
    assert (attacked.l2 >= shortest - 1e-5).all()
    torch.testing.assert_close(attacked.l2, shortest, rtol=0.1, atol=0)
    torch.testing.assert_close(attacked.scores_after, torch.full((3,), 0.5), atol=0.03, rtol=0)


def test_kappa_is_beaten_and_not_by_much() -> None:
    attacked = exact(kappa=2.0)(
        Tint(), tinted(torch.tensor([0.5])), torch.tensor([FAKE]), eight_bit=False
    )
    odds = attacked.scores_after.logit().item()
    assert -2.2 < odds < -2


@pytest.mark.parametrize("label", [REAL, FAKE])
def test_success_and_length_are_those_of_foolbox(label: int) -> None:
    detector = Curved(classes=("fake", "real")).eval()
    faces = torch.rand(8, 1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():  # half of the faces on either side
        detector.network[-1].bias[1] += detector.odds(faces).median()  # type: ignore[index,operator]
        faces = faces[(detector.scores(faces) >= 0.5) == (label == FAKE)]
    assert len(faces) >= 3
    labels = torch.full((len(faces),), label)
    attacked = exact(weight=0.1, largest_weight=10.0)(detector, faces, labels, eight_bit=False)
    peer = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=5, steps=60, stepsize=0.02, initial_const=0.1, abort_early=False
    )
    theirs = (by_foolbox(peer, detector, faces, label, epsilon=None) - faces).flatten(1).norm(dim=1)
    assert attacked.fooled.all()
    assert (theirs > 0).all()
    torch.testing.assert_close(attacked.l2, theirs, rtol=0.05, atol=0.005)


@pytest.mark.parametrize("odds", [0.1, 0.6])
def test_a_success_survives_rounding_and_one_judged_exactly_need_not(odds: float) -> None:
    clean = tinted(torch.tensor([odds] * 4), contrast=0.3)
    clean = (clean * 255).round() / 255
    labels = torch.full((4,), FAKE)
    found = exact(eight_bit=True)(Tint(), clean, labels)
    assert found.fooled.all()
    short = odds / GAIN * LONGEST
    if short < 0.5 * GREY * LONGEST:  # half a level in each value, which rounding takes away
        assert not exact()(Tint(), clean, labels).fooled.all()
    # One level in one value moves the odds by 60 / 255 / 192: so many values make a level each.
    fewest = odds / (GAIN * GREY) * LONGEST**2
    assert (found.l2 < 1.6 * max(short, GREY * fewest**0.5)).all()


def test_each_item_has_a_weight_of_its_own() -> None:
    # The second needs a hundred times the weight of the first; alone each finds the same.
    faces = tinted(torch.tensor([0.2, 6.0]))
    labels = torch.tensor([FAKE, FAKE])
    attack = exact(searches=3)
    together = attack(Tint(), faces, labels, eight_bit=False)
    for i in range(2):
        alone = attack(Tint(), faces[i : i + 1], labels[:1], eight_bit=False)
        torch.testing.assert_close(alone.faces[0], together.faces[i], rtol=0, atol=1e-6)


class _Weights(CarliniWagner):
    """Keeps the weights that it tries."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.tried: list[list[float]] = []

    def _one_step(self, *args: Any) -> tuple[Tensor, Tensor]:
        self.tried.append(args[3].tolist())
        return super()._one_step(*args)


def test_the_weight_goes_halfway_to_the_bound_that_it_has_not_reached() -> None:
    spy = _Weights(iterations=1, searches=5, kappa=0.0)
    fooled, hopeless = tinted(torch.tensor([-1.0])), tinted(torch.tensor([10.0]))
    spy(Tint(), torch.cat([fooled, hopeless]), torch.tensor([FAKE, FAKE]))
    down, up = zip(*spy.tried, strict=True)
    assert down == pytest.approx([1e-3 / 2**i for i in range(5)])
    assert up == pytest.approx([0.001, 0.5005, 0.75025, 0.875125, 0.9375625])


def test_where_nothing_fools_the_lowest_margin_is_returned() -> None:
    attack = exact(iterations=5, searches=2, weight=1.0)
    attacked = attack(Tint(), tinted(torch.tensor([8.0])), torch.tensor([FAKE]), eight_bit=False)
    assert not attacked.fooled.any()
    assert 0.5 < attacked.scores_after.item() < torch.tensor(8.0).sigmoid().item()


def test_black_and_white_stay_finite_and_in_range() -> None:
    detector = OnePixel()
    faces = torch.zeros(2, 1, 3, SIZE, SIZE)
    faces[1] = 1
    attacked = exact(iterations=20)(detector, faces, torch.tensor([REAL, FAKE]))
    assert torch.stack(attacked.faces).isfinite().all()
    assert attacked.linf.max() <= 1


def test_steps_and_queries_are_searches_times_iterations() -> None:
    attacked = exact(iterations=7, searches=3)(
        Tint(), tinted(torch.tensor([0.5, 9.0])), torch.tensor([FAKE, FAKE])
    )
    assert attacked.iterations.tolist() == [21, 21]
    assert attacked.queries.tolist() == [21, 21]


class _Seen(Detector):
    """Keeps what it is shown; sure of nothing."""

    def __init__(self) -> None:
        super().__init__(size=SIZE)
        self.seen: list[Tensor] = []

    def logits(self, faces: Tensor) -> Tensor:
        self.seen.append(faces.detach().clone())
        odds = 0.0 * faces.mean((2, 3, 4))
        return torch.stack([odds, odds], -1)


@pytest.mark.parametrize(("quirks", "white", "grey"), [(False, 1.0, 0.5), (True, 0.8808, 0.4754)])
def test_the_published_change_of_variable_begins_at_another_picture(
    quirks: bool, white: float, grey: float
) -> None:
    faces = torch.full((1, 1, 3, SIZE, SIZE), 0.5)
    faces[..., 0, :, :] = 1
    detector = _Seen()
    exact(iterations=1, searches=1, paper_quirks=quirks)(detector, faces, torch.tensor([FAKE]))
    first = detector.seen[0]
    assert first[0, 0, 0].mean() == pytest.approx(white, abs=1e-4)
    assert first[0, 0, 1].mean() == pytest.approx(grey, abs=1e-4)


def test_the_published_searches_go_on_from_each_other_and_are_judged_at_their_end() -> None:
    faces, labels = tinted(torch.tensor([2.0])), torch.tensor([FAKE])
    settings = {"iterations": 20, "searches": 3, "weight": 0.5, "paper_quirks": True}
    detector = _Seen()
    exact(**settings)(detector, faces, labels)
    during = detector.seen[:-2]  # the last two are the base's: before and after
    assert len(during) == 60
    leap = (during[20] - during[19]).abs().max()
    assert 0 < leap < 0.02  # no search begins anew
    attacked = exact(**settings)(Tint(), faces, labels, eight_bit=False)
    assert attacked.fooled.all()
    assert attacked.l2 > 1.05 * exact()(Tint(), faces, labels, eight_bit=False).l2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kappa": -1.0}, "kappa must be at least 0, got -1"),
        ({"searches": 0}, "searches must be above 0 and finite, got 0"),
        ({"weight": 0.0}, "weight must be above 0 and finite, got 0"),
        ({"weight": 2.0}, r"weight must be at most largest_weight, 1.0, got 2.0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        CarliniWagner(**settings)


def test_each_step_asks_a_random_victim_as_often_as_it_is_told_to() -> None:
    attack = CarliniWagner(iterations=3, searches=2, draws=4)
    attacked = attack(Tint(), tinted(torch.tensor([1.0])), torch.tensor([FAKE]))
    assert attacked.queries.tolist() == [3 * 2 * 4]
    assert attacked.iterations.tolist() == [3 * 2]
