"""Square: its windows, its questions, and an independent program's success."""

import warnings

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from makers.known_detectors import SIZE, Curved, Tint, tinted
from unmask.attack_contracts import GREY
from unmask.attacks.square import Square
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector

EPSILON = 8 * GREY


class Recorder(Tint):
    """Keeps what it is asked about, and never yields."""

    def __init__(self, size: int) -> None:
        super().__init__(size=size)
        self.seen: list[Tensor] = []

    def logits(self, faces: Tensor) -> Tensor:
        self.seen.append(faces.clone())
        return super().logits(faces) + torch.tensor([0.0, 20.0])


def grey_levels(*shape: int) -> Tensor:
    return torch.randint(20, 235, shape, generator=torch.Generator().manual_seed(0)) / 255


def test_first_come_stripes_and_then_windows_that_halve_as_published() -> None:
    clean, queries = grey_levels(1, 1, 3, 20, 20), 1_000
    detector = Recorder(20)
    attacked = Square(epsilon=EPSILON, queries=queries, share=0.36)(
        detector, clean, torch.tensor([FAKE])
    )
    assert attacked.queries.tolist() == [queries]
    assert attacked.iterations.tolist() == [queries - 1]
    before, asked, after = detector.seen[0], detector.seen[:queries], detector.seen[-1]
    assert torch.equal(before, clean)
    stripes = asked[1] - clean
    torch.testing.assert_close(stripes.abs(), torch.full_like(stripes, EPSILON))
    assert torch.equal(stripes.sign(), stripes.sign()[..., :1, :].expand_as(stripes))
    best = asked[1]
    widths = []
    for tried in asked[2:]:
        torch.testing.assert_close((tried - clean).abs(), torch.full_like(clean, EPSILON))
        rows, columns = (tried != best)[0, 0].any(0).nonzero(as_tuple=True)
        assert len(rows)  # no question is asked twice
        widths.append(1 + int(max(rows.max() - rows.min(), columns.max() - columns.min())))
        best = tried if detector.odds(tried) < detector.odds(best) else best
    torch.testing.assert_close(after, best)
    # .36 of 400 pixels is a side of 12; the area halves after 1, 5, 20, 50 ... of 1,000 questions.
    # Number 0 is the stripes, and where a channel stays as it was less of a window is seen.
    sides = {(1, 1): 12, (2, 5): 8, (6, 20): 6, (21, 50): 4, (51, 100): 3, (101, 400): 2}
    for (first, last), side in sides.items():
        seen = widths[first - 1 : last]
        assert max(seen) <= side
        assert max(seen) == side or last == 1
    assert set(widths[400:]) == {1}


def test_queries_end_at_the_cap_and_each_item_stops_when_it_is_done() -> None:
    faces = tinted(torch.tensor([0.2, 1.0, -1.0, 8.0]))
    attacked = Square(queries=300, share=0.3)(Tint(), faces, torch.tensor([FAKE] * 4))
    assert attacked.queries[2] == 1  # the detector is wrong already
    assert attacked.iterations[2] == 0
    assert attacked.queries[0] < attacked.queries[1] < 300
    assert attacked.queries[3] == 300  # out of reach: at most 60 * 16 / 255
    assert torch.equal(attacked.iterations, attacked.queries - 1)


def test_items_of_several_sizes_are_attacked_as_if_alone() -> None:
    labels, odds = torch.tensor([FAKE, REAL]), torch.tensor([1.0, -0.8])
    faces = [
        tinted(odds[i : i + 1], height=height, width=width)[0]
        for i, (height, width) in enumerate([(8, 8), (10, 14)])
    ]
    attack, detector = Square(queries=60, share=0.3), Curved()
    together = attack(detector, faces, labels, seed=2)
    assert (together.iterations > 5).any()
    alone = attack(detector, faces[:1], labels[:1], seed=2)
    torch.testing.assert_close(alone.faces[0], together.faces[0])
    beside = attack(detector, [torch.full((1, 3, 9, 9), 0.1), faces[1]], labels, seed=2)
    torch.testing.assert_close(beside.faces[1], together.faces[1])


class Flat(nn.Module):
    """A detector as ART takes it: two logits of images (N, 3, H, W)."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Tensor:
        odds = self.detector.odds(images[:, None])
        return torch.stack([torch.zeros_like(odds), odds], -1)


def test_it_succeeds_as_often_as_the_independent_program() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from art.attacks.evasion import SquareAttack
        from art.estimators.classification import PyTorchClassifier
    detector = Curved(size=16).eval()
    faces, queries, share = grey_levels(120, 1, 3, 16, 16), 50, 0.3
    odds = detector.odds(faces)
    labels = (odds > odds.median()).long()
    last = detector.network[-1]
    assert isinstance(last, nn.Linear)
    last.bias.data[1] += odds.median().item()  # as many fakes as reals
    assert ((detector.scores(faces) > 0.5).long() == labels).float().mean() > 0.95
    ours = Square(epsilon=EPSILON, queries=queries, share=share)(detector, faces, labels)
    classifier = PyTorchClassifier(
        Flat(detector), nn.CrossEntropyLoss(), (3, 16, 16), 2, clip_values=(0, 1), device_type="cpu"
    )
    np.random.seed(0)
    theirs = SquareAttack(
        classifier, eps=EPSILON, max_iter=queries - 2, p_init=share, verbose=False
    ).generate(faces[:, 0].numpy(), labels.numpy())
    fooled = (detector.scores(torch.from_numpy(theirs)[:, None]) >= 0.5).long() != labels
    rates = [ours.fooled.float().mean().item(), fooled.float().mean().item()]
    assert 0.2 < rates[0] < 0.8  # or nothing would be compared
    assert abs(rates[0] - rates[1]) < 3 * (2 * 0.25 / len(faces)) ** 0.5


@pytest.mark.parametrize("setting", ["queries", "share"])
def test_settings_that_try_nothing_are_refused(setting: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{setting} must be above 0 and finite, got 0"):
        Square(**{setting: 0})


def test_a_face_narrower_than_its_window_takes_one_that_fits() -> None:
    face = tinted(torch.tensor([0.5]), height=4, width=40)
    attacked = Square(queries=30, share=1.0, sure=0.9)(Tint(size=SIZE), face, torch.tensor([FAKE]))
    assert attacked.linf.item() <= 16 * GREY + 1e-6
