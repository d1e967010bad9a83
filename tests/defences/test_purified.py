"""A detector behind purifiers: the same judgement, repeatable scores, and gradients to average."""

import pytest
import torch
from torch import Tensor, nn

from unmask.attacks.iterative_fgsm import IterativeFGSM
from unmask.contracts import FAKE
from unmask.defences.bit_depth import BitDepth
from unmask.defences.purified import Purified
from unmask.defences.resize_pad import ResizePad
from unmask.detectors import DETECTORS
from unmask.torch_contracts import Detector, Purifier

SIZE = 8


class Weighed(Detector):
    """Its odds of fake are a weighted sum of the normalised pixels."""

    def __init__(self, classes: tuple[str, ...] = ("fake", "real"), scale: float = 1.0) -> None:
        super().__init__(
            size=SIZE, mean=(0.4, 0.5, 0.6), deviation=(0.2, 0.3, 0.5), classes=classes
        )
        random = torch.Generator().manual_seed(5)
        self.weight = nn.Parameter(torch.randn(3, SIZE, SIZE, generator=random) * scale)

    def logits(self, faces: Tensor) -> Tensor:
        odds = (faces * self.weight).sum((-3, -2, -1))
        return torch.stack([odds if one == "fake" else -odds for one in self.classes], -1)


class Identity(Purifier):
    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        return faces


class Brighter(Purifier):
    """Add what it draws, from 0 to `most`."""

    is_random = True

    def __init__(self, most: float = 0.1) -> None:
        self.most = most

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        return (faces + self.most * torch.rand((), generator=random)).clamp(0, 1)


class Zeroed(Purifier):
    """Rounding as a defender who trusts in it would write it: its gradient is zero."""

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        return (faces * 7).round() / 7


def some_faces(items: int = 3, times: int = 1, side: int = SIZE) -> Tensor:
    random = torch.Generator().manual_seed(0)
    return torch.rand(items, times, 3, side, side, generator=random) * 0.8 + 0.1


@pytest.mark.parametrize("side", [SIZE, 13])
def test_behind_a_purifier_that_does_nothing_a_detector_says_the_same(side: int) -> None:
    detector, faces = Weighed(), some_faces(2, 3, side)
    defended = Purified(detector, [Identity()])
    assert (defended.classes, defended.size) == (detector.classes, detector.size)
    assert torch.equal(defended(faces), detector(faces))


def test_the_detector_sees_the_purified_faces() -> None:
    detector, faces, purifier = Weighed(), some_faces(), BitDepth(2)
    assert torch.equal(Purified(detector, [purifier])(faces), detector(purifier(faces)))
    assert not torch.equal(detector(purifier(faces)), detector(faces))


def test_purifiers_are_used_from_left_to_right() -> None:
    class Halved(Purifier):
        def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
            return faces / 2

    class Inverse(Purifier):
        def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
            return 1 - faces

    shown = Purified(Weighed(), [Halved(), Inverse()]).purified(some_faces())
    torch.testing.assert_close(shown, 1 - some_faces() / 2)


def test_a_wrapper_is_no_detector_that_can_be_made_by_name() -> None:
    assert not {"purified", "ensemble"} & set(DETECTORS)


def test_the_same_faces_have_the_same_score_whatever_was_drawn_before() -> None:
    defended, faces = Purified(Weighed(), [Brighter()]), some_faces()
    before = defended.scores(faces)
    torch.manual_seed(1)
    assert torch.equal(defended.scores(faces), before)


def test_scoring_leaves_torchs_generator_alone() -> None:
    state = torch.get_rng_state()
    Purified(Weighed(), [Brighter()]).scores(some_faces())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_random_score_does_not_depend_on_the_rest_of_the_batch() -> None:
    defended, faces = Purified(Weighed(), [ResizePad(0.5)]), some_faces()
    alone = torch.cat([defended.scores(face[None]) for face in faces])
    torch.testing.assert_close(defended.scores(faces), alone)


def test_each_item_and_each_change_of_it_has_a_draw_of_its_own() -> None:
    defended, grey = Purified(Weighed(), [Brighter()]), torch.full((1, 1, 3, SIZE, SIZE), 0.5)
    near = grey + torch.linspace(0, 1e-4, 200).view(-1, 1, 1, 1, 1)
    added = (defended.purified(near) - near)[:, 0, 0, 0, 0]
    # 200 even draws from 0 to 0.1: mean 0.05 +- 0.002, deviation 0.0289.
    assert abs(added.mean() - 0.05) < 0.008
    assert abs(added.std() - 0.0289) < 0.004


def test_gradients_are_of_fresh_draws_so_that_they_can_be_averaged() -> None:
    defended = Purified(Weighed(), [ResizePad(0.5)])
    faces = some_faces(1).requires_grad_()

    def gradient() -> Tensor:
        return torch.autograd.grad(defended.odds(faces).sum(), faces)[0]

    torch.manual_seed(0)
    first, second = gradient(), gradient()
    assert not torch.equal(first, second)
    torch.manual_seed(0)
    assert torch.equal(gradient(), first)


def test_items_that_repeat_in_a_batch_are_drawn_for_apart_under_a_gradient() -> None:
    defended = Purified(Weighed(), [Brighter()])
    same = some_faces(1).repeat(4, 1, 1, 1, 1)
    assert len(set(defended.odds(same).tolist())) == 1
    assert len(set(defended.odds(same.requires_grad_()).tolist())) == 4


def test_an_attack_through_the_defence_breaks_what_a_zero_gradient_only_hides() -> None:
    detector = Weighed(scale=0.1)
    faces = (some_faces(12) * 7).round() / 7
    fakes = faces[detector.scores(faces) >= 0.5]
    labels = torch.full((len(fakes),), FAKE)
    attack = IterativeFGSM(epsilon=32 / 255, step=4 / 255, iterations=20, lead=0.5)

    hidden = attack(Purified(detector, [Zeroed()]), fakes, labels, eight_bit=False)
    adaptive = attack(Purified(detector, [BitDepth(3)]), fakes, labels)

    assert len(fakes) >= 3
    assert torch.equal(hidden.scores_before, adaptive.scores_before)  # the same defence
    assert not hidden.fooled.any()
    assert hidden.linf.max() == 0
    assert adaptive.fooled.all()
