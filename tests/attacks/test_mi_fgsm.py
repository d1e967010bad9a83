import warnings
from typing import Any

import pytest
import torch

from makers.known_detectors import SIZE, Curved, Tint, tinted
from makers.peers import Flat
from unmask.attack_contracts import GREY
from unmask.attacks.iterative_fgsm import IterativeFGSM
from unmask.attacks.mi_fgsm import MIFGSM
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError

EPSILON = 8 * GREY


def test_the_steps_are_those_of_art() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from art.attacks.evasion import MomentumIterativeMethod
        from art.estimators.classification import PyTorchClassifier
    detector = Curved().eval()
    faces = torch.rand(4, 1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    peer = PyTorchClassifier(
        Flat(detector), torch.nn.CrossEntropyLoss(), (3, SIZE, SIZE), 3, clip_values=(0, 1)
    )
    method = MomentumIterativeMethod(
        peer, eps=EPSILON, eps_step=EPSILON / 10, decay=0.7, max_iter=10, verbose=False
    )
    wanted = method.generate(faces[:, 0].numpy(), torch.ones(4, dtype=torch.int64).numpy())
    attack = MIFGSM(epsilon=EPSILON, decay=0.7)
    attacked = attack(detector, faces, torch.full((4,), REAL), eight_bit=False)
    found = torch.stack(attacked.faces)[:, 0]
    torch.testing.assert_close(found, torch.from_numpy(wanted), rtol=0, atol=1e-6)
    plain = IterativeFGSM(epsilon=EPSILON, step=EPSILON / 10, iterations=10, lead=1.0)
    other = plain(detector, faces, torch.full((4,), REAL), eight_bit=False)
    assert (torch.stack(other.faces)[:, 0] - found).abs().max() > GREY  # the momentum matters


def test_without_decay_it_is_iterative_fgsm() -> None:
    faces = torch.rand(2, 1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2)).double()
    labels = torch.tensor([FAKE, REAL])
    ways = (
        MIFGSM(epsilon=EPSILON, iterations=8, decay=0),
        IterativeFGSM(epsilon=EPSILON, step=GREY, iterations=8, lead=1.0),
    )
    one, two = (way(Curved().double(), faces, labels, eight_bit=False).faces for way in ways)
    torch.testing.assert_close(one, two, rtol=0, atol=1e-9)


def test_all_its_steps_together_reach_the_edge_of_the_ball() -> None:
    attacked = MIFGSM(epsilon=EPSILON)(
        Tint(), tinted(torch.tensor([0.5])), torch.tensor([FAKE]), eight_bit=False
    )
    assert attacked.iterations.item() == 10
    assert attacked.linf.item() == pytest.approx(EPSILON, abs=1e-6)
    assert attacked.scores_after.logit().item() == pytest.approx(0.5 - 60 * EPSILON, abs=1e-4)


def test_it_stops_early_where_that_is_asked_for() -> None:
    faces = torch.cat([tinted(torch.tensor([0.3])), tinted(torch.tensor([9.0]))])
    attacked = MIFGSM(epsilon=EPSILON, lead=0.0)(Tint(), faces, torch.tensor([FAKE, FAKE]))
    # A step of 0.8 grey levels moves the odds by 0.19.
    assert attacked.iterations.tolist() == [2, 10]
    assert attacked.queries.tolist() == [3, 10]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iterations": 0}, "iterations must be above 0 and finite, got 0"),
        ({"decay": 1.5}, r"decay must lie in \[0, 1\], got 1.5"),
        ({"epsilon": float("inf")}, "epsilon must be above 0 and finite, got inf"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        MIFGSM(**settings)
