"""Robust NES: its draws, its warm start, and its questions."""

import pytest
import torch
from torch import Tensor

from makers.known_detectors import Tint, tinted
from unmask.attacks.robust_nes import RobustNES, drawn_transforms
from unmask.contracts import FAKE, REAL
from unmask.torch_contracts import Detector

SIZE = 24
GREY_FACE = torch.full((1, 1, 3, SIZE, SIZE), 0.5)


class SeesShifts(Detector):
    """Says fake wherever a value is black, which a shift brings in, and else what it is told."""

    def __init__(self, otherwise: float) -> None:
        super().__init__(size=SIZE)
        self.otherwise = otherwise

    def logits(self, faces: Tensor) -> Tensor:
        shifted = (faces == 0).flatten(2).any(-1)
        odds = torch.where(shifted, 5.0, self.otherwise)
        return torch.stack([torch.zeros_like(odds), odds], -1)


def test_draws_lie_in_the_published_ranges_and_reach_their_ends() -> None:
    random = torch.Generator().manual_seed(0)
    drawn = [drawn_transforms(random) for _ in range(1_000)]
    assert {len(one) for one in drawn} == {4}
    seen = [
        {tuple(sorted(one[place].keywords.items())) for one in drawn}  # type: ignore[attr-defined]
        for place in (1, 2, 3)
    ]
    assert {dict(one)["kernel"] for one in seen[0]} == {3, 5}
    assert {dict(one)["sigma"] for one in seen[0]} == {5.0, 6.0}
    for way in ("right", "down"):
        assert {dict(one)[way] for one in seen[1]} == set(range(-20, 20))
    assert {dict(one)["factor"] for one in seen[2]} == {0.4, 0.5, 0.6}
    # Of the draws 3, 4 and 5 the even one is lowered: 3 comes twice as often as 5.
    threes = sum(one[1].keywords["kernel"] == 3 for one in drawn)  # type: ignore[attr-defined]
    assert abs(threes / 1_000 - 2 / 3) < 5 * (2 / 9 / 1_000) ** 0.5


def test_while_it_is_warming_it_asks_without_transforms() -> None:
    attacked = RobustNES(iterations=3)(SeesShifts(-2.1), GREY_FACE, torch.tensor([FAKE]))
    assert attacked.queries.tolist() == [3 * (1 + 40)]  # sigmoid(2.1) is .891


def test_an_item_that_is_warm_costs_164_questions_a_step_and_never_cools() -> None:
    attacked = RobustNES(iterations=3)(SeesShifts(-2.3), GREY_FACE, torch.tensor([FAKE]))
    assert attacked.iterations.tolist() == [3]
    # One for the warm start, once; published: 100 * 164 at most.
    assert attacked.queries.tolist() == [1 + 3 * (4 + 160)]
    cold = RobustNES(iterations=3, warm_start=False)
    assert cold(SeesShifts(2.0), GREY_FACE, torch.tensor([FAKE])).queries.tolist() == [3 * 164]


def test_what_holds_behind_all_four_is_done_after_five_questions() -> None:
    class Fooled(SeesShifts):
        def logits(self, faces: Tensor) -> Tensor:
            return super().logits(faces.clamp_min(0.1))

    attacked = RobustNES()(Fooled(-2.3), GREY_FACE, torch.tensor([FAKE]))
    assert attacked.queries.tolist() == [1 + 4]
    assert attacked.iterations.tolist() == [0]


@pytest.mark.parametrize(("most", "steps"), [(164, 0), (165, 1), (328, 1), (330, 2)])
def test_no_step_is_taken_that_might_not_be_paid(most: int, steps: int) -> None:
    attacked = RobustNES(most_queries=most)(SeesShifts(-2.3), GREY_FACE, torch.tensor([FAKE]))
    assert attacked.iterations.tolist() == [steps]
    assert attacked.queries.tolist() == [steps * 164 + min(steps, 1)]


def test_items_of_several_sizes_share_the_draws_and_walk_as_if_alone() -> None:
    labels, odds = torch.tensor([REAL, REAL]), torch.tensor([0.25, -0.1])
    faces = [
        tinted(odds[i : i + 1], height=height, width=width)[0]
        for i, (height, width) in enumerate([(24, 24), (28, 32)])
    ]
    attack = RobustNES(iterations=6, pairs=5, sure=0.55)
    together = attack(Tint(), faces, labels, seed=2)
    alone = attack(Tint(), faces[:1], labels[:1], seed=2)
    torch.testing.assert_close(alone.faces[0], together.faces[0])
    assert alone.queries[0] == together.queries[0]
    assert together.queries[0] > 6 * 11  # it did leave the warm start
