"""NES: its steps, its questions, and what it may see."""

import pytest
import torch
from torch import Tensor

from makers.known_detectors import SIZE, Tint, tinted
from unmask.attack_contracts import GREY, Attack
from unmask.attacks.estimate import Noise
from unmask.attacks.nes import NES
from unmask.attacks.robust_nes import RobustNES
from unmask.attacks.square import Square
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector

GREY_FACE = torch.full((1, 1, 3, SIZE, SIZE), 128 / 255)


class Fixed(Detector):
    """The same log-odds of fake, whatever it sees."""

    def __init__(self, odds: float) -> None:
        super().__init__(size=SIZE)
        self.odds_of_fake, self.faces_seen = odds, 0

    def logits(self, faces: Tensor) -> Tensor:
        assert not torch.is_grad_enabled()
        self.faces_seen += len(faces)
        odds = torch.full(faces.shape[:2], self.odds_of_fake)
        return torch.stack([torch.zeros_like(odds), odds], -1)


class Biased(Tint):
    """A `Tint` that is certain: its log-odds lie higher."""

    def __init__(self, odds: float) -> None:
        super().__init__()
        self.more = odds

    def logits(self, faces: Tensor) -> Tensor:
        return super().logits(faces) + torch.tensor([0.0, self.more])


def test_a_victim_that_never_yields_costs_41_questions_a_step() -> None:
    faces, labels = GREY_FACE.repeat(2, 1, 1, 1, 1), torch.tensor([FAKE, REAL])
    detector = Fixed(0.0)
    attacked = NES()(detector, faces, labels)
    assert attacked.iterations.tolist() == [100, 100]
    assert attacked.queries.tolist() == [4_100, 4_100]  # published: 100 * 42 at most
    assert detector.faces_seen == 2 * 4_100 + 2 * 2  # and before and after
    assert attacked.linf.tolist() == [0, 0]


def test_an_item_that_is_done_costs_the_question_that_tells_it() -> None:
    attacked = NES()(Fixed(-14.0), GREY_FACE.repeat(2, 1, 1, 1, 1), torch.tensor([FAKE, FAKE]))
    assert attacked.queries.tolist() == [1, 1]  # sigmoid(-14) is 8e-7
    assert attacked.iterations.tolist() == [0, 0]
    nearly = NES(iterations=3)(Fixed(-13.8), GREY_FACE, torch.tensor([FAKE]))
    assert nearly.queries.tolist() == [3 * 41]  # 1.01e-6


@pytest.mark.parametrize(("most", "steps"), [(40, 0), (41, 1), (100, 2), (123, 3)])
def test_no_step_is_taken_that_cannot_be_paid(most: int, steps: int) -> None:
    attacked = NES(most_queries=most)(Fixed(0.0), GREY_FACE, torch.tensor([FAKE]))
    assert attacked.iterations.tolist() == [steps]
    assert attacked.queries.tolist() == [steps * 41]


@pytest.mark.parametrize("label", [FAKE, REAL])
def test_it_is_the_loop_over_single_questions_that_was_published(label: int) -> None:
    detector = Tint()
    clean = tinted(torch.tensor([0.5 if label == FAKE else -0.5]))
    noise = Noise([(SIZE, SIZE)], torch.Generator().manual_seed(7))

    def other(face: Tensor) -> float:
        fake = detector.odds(face).double().sigmoid().item()
        return 1 - fake if label == FAKE else fake

    face, expected_queries, around = clean.clone(), 0, torch.empty(1, 3, SIZE, SIZE)
    for _ in range(30):
        expected_queries += 1
        if other(face) > 0.55:
            break
        slope = torch.zeros_like(face)
        for _ in range(20):
            noise.fill(around, 0)
            rise = other(face + 0.001 * around) - other(face - 0.001 * around)
            slope += rise * around
            expected_queries += 2
        moved = face + GREY * slope.sign()
        face = (clean + (moved - clean).clamp(-16 * GREY, 16 * GREY)).clamp(0, 1)
    attacked = NES(sure=0.55, iterations=30)(
        detector, clean, torch.tensor([label]), seed=7, eight_bit=False
    )
    torch.testing.assert_close(attacked.faces[0], face[0])
    assert attacked.queries.tolist() == [expected_queries]
    assert 1 < attacked.iterations.item() < 30


def test_a_detector_that_is_certain_in_32_bits_is_attacked_all_the_same() -> None:
    detector = Biased(25.0)
    face = tinted(torch.tensor([0.0]))
    assert detector.scores(face).item() == 1.0
    attacked = NES(iterations=16)(detector, face, torch.tensor([FAKE]))
    # Of 192 values, 20 pairs give .5 + asin(sqrt(20 / 212)) / pi = .6 the right sign. A step is
    # then worth (.6 - .4) * 60 / 255 = .047, with a deviation of 60 / 255 / sqrt(192) = .017.
    assert detector.odds(attacked.faces[0][None]).item() < 25 - 16 * 0.047 + 5 * 4 * 0.017


def test_where_64_bits_are_certain_too_it_stays_where_it_is() -> None:
    face = tinted(torch.tensor([0.0]))
    attacked = NES(iterations=2)(Biased(80.0), face, torch.tensor([FAKE]), eight_bit=False)
    torch.testing.assert_close(attacked.faces[0], face[0])
    assert attacked.queries.tolist() == [2 * 41]


def test_items_of_several_sizes_walk_as_if_alone() -> None:
    sizes = [(8, 8), (12, 16), (8, 10)]
    labels, odds = torch.tensor([FAKE, REAL, FAKE]), torch.tensor([0.1, -0.2, 0.3])
    faces = [
        tinted(odds[i : i + 1], height=height, width=width)[0]
        for i, (height, width) in enumerate(sizes)
    ]
    attack = NES(iterations=8, sure=0.55, per_pass=6)
    together = attack(Tint(size=4), faces, labels, seed=5)
    assert len(set(together.iterations.tolist())) > 1
    # What an item gets hangs on its number, so each is put into its place, in other company.
    for place in range(3):
        company = [torch.full((1, 3, 6, 6), 0.5)] * place + [faces[place]]
        own = torch.tensor([REAL] * place + [int(labels[place])])
        alone = attack(Tint(size=4), company, own, seed=5)
        torch.testing.assert_close(alone.faces[place], together.faces[place])
        assert alone.queries[place] == together.queries[place]


def test_each_face_in_time_moves() -> None:
    attacked = NES(iterations=3)(Tint(), tinted(torch.tensor([1.0]), times=2), torch.tensor([FAKE]))
    assert (attacked.faces[0] != tinted(torch.tensor([1.0]), times=2)[0]).any((1, 2, 3)).all()


@pytest.mark.parametrize(
    "attack",
    [NES(iterations=2, pairs=2), RobustNES(iterations=2, pairs=2), Square(queries=5)],
    ids=["nes", "robust_nes", "square"],
)
def test_a_black_box_attack_works_where_there_is_no_gradient_at_all(attack: Attack) -> None:
    assert attack.black_box
    attacked = attack(Fixed(1.0), torch.full((1, 1, 3, 24, 24), 0.5), torch.tensor([FAKE]))
    assert not attacked.fooled.any()


@pytest.mark.parametrize("part", [NES, RobustNES])
@pytest.mark.parametrize("setting", ["step", "iterations", "pairs", "sigma", "per_pass"])
def test_settings_that_estimate_nothing_are_refused(
    part: type[NES] | type[RobustNES], setting: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"{setting} must be above 0 and finite, got 0"):
        part(**{setting: 0})  # type: ignore[arg-type]
