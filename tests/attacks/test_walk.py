import pytest
import torch
from torch import Tensor

from makers.known_detectors import SIZE, Tint, tinted
from unmask.attack_contracts import GREY, Victim
from unmask.attacks.fgsm import FGSM
from unmask.attacks.iterative_fgsm import IterativeFGSM
from unmask.attacks.walk import margin_of, slope, walk
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector


def victim_of(items: int) -> Victim:
    labels = torch.full((items,), FAKE)
    return Victim(Tint(), labels, [(SIZE, SIZE)] * items, black_box=False)


def test_each_item_walks_until_it_is_done_and_is_then_left_alone() -> None:
    victim, asked = victim_of(4), []

    def step(faces: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        asked.append(items.tolist())
        return faces + 1, faces.flatten(1)[:, 0] >= items  # item i is done at the value i

    start = torch.zeros(3, 1, 3, 2, 2)
    end = walk(victim, start, step, limit=2, items=torch.tensor([0, 1, 3]))
    assert asked == [[0, 1, 3], [1, 3]]
    assert end[:, 0, 0, 0, 0].tolist() == [0, 1, 2]
    assert victim.iterations.tolist() == [0, 1, 0, 2]
    assert (start == 0).all()


def test_the_slope_of_a_linear_detector_is_its_weights() -> None:
    faces = tinted(torch.tensor([0.5, 1.0]))
    margins, gradient = slope(victim_of(2), faces, torch.arange(2), draws=3)
    torch.testing.assert_close(margins, torch.tensor([0.5, 1.0]), atol=1e-5, rtol=0)
    wanted = 60 * torch.tensor([1.0, -1.0, 1.0]).view(3, 1, 1) / (3 * SIZE**2)
    torch.testing.assert_close(gradient, wanted.expand_as(gradient))


class _Steps(Detector):
    """Looks at whole grey levels only, without a gradient."""

    def logits(self, faces: Tensor) -> Tensor:
        odds = (faces.detach() * 255).round().mean((2, 3, 4))
        return torch.stack([odds, -odds], -1)


class _Deaf(Detector):
    """Learns, but does not look at the faces."""

    def __init__(self) -> None:
        super().__init__(size=SIZE)
        self.bias = torch.nn.Parameter(torch.zeros(2))

    def logits(self, faces: Tensor) -> Tensor:
        return self.bias.expand(*faces.shape[:2], 2)


@pytest.mark.parametrize("detector", [_Steps(size=SIZE), _Deaf()])
def test_a_victim_without_a_gradient_is_refused_by_a_white_box_attack(detector: Detector) -> None:
    with pytest.raises(InvalidInputError, match="victim must have a gradient for a white-box"):
        FGSM()(detector, tinted(torch.tensor([0.5])), torch.tensor([FAKE]))


def test_a_lead_is_a_difference_of_probabilities() -> None:
    for lead in (0.0, 0.5, 0.99):
        own = torch.tensor(margin_of(lead)).sigmoid().item()
        assert (1 - own) - own == pytest.approx(lead, abs=1e-6)


def test_iterative_fgsm_stops_where_the_published_test_holds() -> None:
    # A step moves the odds by 60 / 255 = 0.235; the lead of 0.99 is at -5.293.
    faces = tinted(torch.tensor([0.5, -0.5, -5.4]), contrast=0.1)
    attacked = IterativeFGSM(epsilon=40 * GREY)(Tint(), faces, torch.tensor([FAKE, REAL, FAKE]))
    assert attacked.iterations.tolist() == [25, 25, 0]
    assert attacked.queries.tolist() == [26, 26, 1]
    lead = (1 - 2 * attacked.scores_after).abs()
    assert (lead > 0.989).all()
