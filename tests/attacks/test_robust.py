from functools import partial
from math import log
from typing import Any

import pytest
import torch
from torch import Tensor

from makers.known_detectors import SIZE, Curved, Tint, tinted
from unmask.attack_contracts import GREY, Change, Victim
from unmask.attacks.fgsm import FGSM
from unmask.attacks.iterative_fgsm import IterativeFGSM
from unmask.attacks.robust import Robust
from unmask.attacks.transforms import identity, shift, shrink, transforms_of
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError, NotFoundError
from unmask.torch_contracts import Detector

LARGE = 40
FAKES = torch.tensor([FAKE])


def curved_faces(items: int) -> Tensor:
    return torch.rand(items, 1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(3))


def steps_of(attack: Robust, transforms: list[Any], faces: Tensor) -> tuple[Tensor, Tensor]:
    """Return the worst margins and the slope of the attack's loss under these transforms."""
    victim = Victim(Curved(), torch.full((len(faces),), FAKE), [(SIZE, SIZE)] * 9, black_box=False)
    return attack._slope(victim, faces, torch.arange(len(faces)), transforms)


@pytest.mark.parametrize("per_pass", [1, 3, 8, 100])
def test_the_slope_is_that_of_the_mean_of_the_margin_losses(per_pass: int) -> None:
    faces = curved_faces(2).requires_grad_()
    transforms: list[Change] = [
        identity,
        partial(shift, right=1, down=2),
        partial(shrink, factor=0.5),
    ]
    kappa = 0.01
    labels = torch.tensor([FAKE, FAKE])
    victim = Victim(Curved(), labels, [(SIZE, SIZE)] * 2, black_box=False)
    items = torch.arange(2)
    margins = torch.stack([victim.margin(change(faces), items) for change in transforms])
    loss = torch.maximum(margins + kappa, torch.zeros(())).mean(0).sum()
    (wanted,) = torch.autograd.grad(loss, faces)
    assert ((margins + kappa) > 0).float().mean() not in (0, 1)  # the corner of the loss is in play
    worst, slope = steps_of(Robust(kappa=kappa, per_pass=per_pass), transforms, faces)
    torch.testing.assert_close(slope, wanted)
    torch.testing.assert_close(worst, margins.detach().amax(0))


def test_each_item_gets_each_transform_at_its_own_size() -> None:
    seen: list[tuple[str, int, int]] = []

    def spy(name: str, faces: Tensor) -> Tensor:
        seen.extend([(name, *faces.shape[-2:])] * len(faces))
        return faces

    sizes = [(4, 6), (9, 5), (4, 6)]
    victim = Victim(Tint(size=4), torch.full((3,), FAKE), sizes, black_box=False)
    Robust()._slope(
        victim, torch.rand(3, 1, 3, 9, 6), torch.arange(3), [partial(spy, "a"), partial(spy, "b")]
    )
    assert sorted(seen) == sorted((name, *size) for name in "ab" for size in sizes)


def test_an_item_is_done_when_all_transforms_are_at_least_as_sure() -> None:
    detector, faces = Tint(), tinted(torch.tensor([1.0]), height=LARGE, width=LARGE)
    attacked = Robust(epsilon=32 * GREY)(detector, faces, FAKES)
    assert attacked.queries.item() == 17 * (attacked.iterations.item() + 1)
    assert detector.faces_seen == attacked.queries.item() + 2
    random = torch.Generator().manual_seed(0)
    face = attacked.faces[0][None]

    def worst(face: Tensor) -> float:
        return max(
            float(detector.odds(change(face))) for change in transforms_of("published", random)()
        )

    assert worst(face) <= -log(19) + 0.01
    # One step less, which moves the odds by 0.24, was not enough.
    back = (face - (face - faces).sign() * GREY).clamp(0, 1)
    assert worst(back) > -log(19)


def test_a_real_face_that_black_borders_make_real_for_good_walks_to_the_end() -> None:
    faces = tinted(torch.tensor([-1.0]), height=LARGE, width=LARGE)
    attacked = Robust(iterations=20)(Tint(), faces, torch.tensor([REAL]))
    assert attacked.iterations.item() == 20
    assert attacked.queries.item() == 20 * 17
    assert attacked.fooled.all()


class _Centre(Detector):
    """Two ways to fool it: a fine pattern that blur takes away, and a tint that stays."""

    def __init__(self) -> None:
        super().__init__(size=LARGE)

    def logits(self, faces: Tensor) -> Tensor:
        across = torch.arange(LARGE)
        board = ((across + across[:, None]) % 2 * 2 - 1).to(faces)
        fine = 400 * (faces * board).mean((2, 3, 4))
        coarse = 100 * (faces.mean((2, 3, 4)) - 0.5)
        odds = 2 + fine + coarse
        return torch.stack([torch.zeros_like(odds), odds], -1)


@pytest.mark.parametrize("transforms", ["published", "symmetric", "random"])
def test_what_it_finds_holds_where_a_plain_attack_is_washed_out(transforms: Any) -> None:
    detector, faces = _Centre(), torch.full((1, 1, 3, LARGE, LARGE), 0.5)
    plain = IterativeFGSM()(detector, faces, FAKES).faces[0][None]
    robust = Robust(transforms=transforms)(detector, faces, FAKES).faces[0][None]
    washes = [partial(shrink, factor=factor) for factor in (0.15, 0.25, 0.45)]
    assert all(detector.odds(wash(plain)).item() > 0 for wash in washes)
    assert all(detector.odds(wash(robust)).item() < 0 for wash in washes)


def test_draws_ask_that_often() -> None:
    attack = Robust(draws=3, iterations=2)
    attacked = attack(Tint(), tinted(torch.tensor([29.0]), contrast=0), FAKES)
    assert attacked.queries.item() == 2 * 17 * 3


def test_one_step_under_the_identity_is_fgsm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "unmask.attacks.robust.transforms_of", lambda *_: lambda: [identity, identity]
    )
    faces, labels = curved_faces(3), torch.full((3,), REAL)
    ways = (Robust(epsilon=4 * GREY, step=4 * GREY, iterations=1), FGSM(epsilon=4 * GREY))
    one, two = (way(Curved(), faces, labels).faces for way in ways)
    torch.testing.assert_close(one, two)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sure": 1.0}, r"sure must lie in \[0.5, 1\), got 1.0"),
        ({"kappa": -1.0}, "kappa must be above 0 and finite, got -1"),
        ({"per_pass": 0}, "per_pass must be above 0 and finite, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Robust(**settings)


def test_a_misspelt_choice_of_transforms_is_refused_at_once() -> None:
    with pytest.raises(NotFoundError, match="has no 'symetric'; did you mean 'symmetric'"):
        Robust(transforms="symetric")  # type: ignore[arg-type]
