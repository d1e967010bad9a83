"""What every attack promises, whatever its way."""

from inspect import signature
from math import isinf

import pytest
import torch
from torch import Tensor

from makers.known_detectors import SIZE, OnePixel, Tint, tinted
from unmask.attack_contracts import GREY, Attack, Attacked
from unmask.attacks import ATTACKS
from unmask.contracts import FAKE, REAL

every_attack = pytest.mark.parametrize("name", list(ATTACKS))
LABELS = torch.tensor([FAKE, REAL, FAKE, REAL])
ODDS = torch.tensor([0.5, -0.5, 1.0, -0.25])  # what Tint says of the clean faces: all right
QUICK = {"iterations": 6, "pairs": 8, "searches": 2}
QUICK_FOR: dict[str, dict[str, object]] = {
    "carlini_wagner": {"iterations": 25, "kappa": 0.0, "weight": 1.0},
    "nes": {"iterations": 25, "pairs": 20},
    "robust_nes": {"iterations": 25, "pairs": 20},
    "square": {"queries": 200, "share": 0.3, "sure": 0.6},
}


def quick(name: str, **settings: object) -> Attack:
    """Return the attack with settings that take little time; those it does not take are left."""
    part = ATTACKS[name]
    known = signature(part).parameters
    wanted = QUICK | QUICK_FOR.get(name, {}) | settings
    return part(**{key: value for key, value in wanted.items() if key in known})  # type: ignore[arg-type]


def on_the_grid(faces: Tensor) -> Tensor:
    return (faces * 255).round() / 255


def same(one: Attacked, other: Attacked, *, places: list[int] | None = None) -> None:
    """Check that `other` is what `one` has at these places."""
    places = list(range(len(one.faces))) if places is None else places
    for place, face in zip(places, other.faces, strict=True):
        torch.testing.assert_close(one.faces[place], face, rtol=0, atol=1e-6)
    for field in ("scores_before", "scores_after", "linf", "l2"):
        torch.testing.assert_close(getattr(one, field)[places], getattr(other, field))
    for field in ("fooled", "iterations", "queries"):
        assert torch.equal(getattr(one, field)[places], getattr(other, field)), field


@every_attack
def test_both_directions_end_at_the_other_label(name: str) -> None:
    attacked = quick(name)(Tint(), tinted(ODDS), LABELS)
    assert attacked.fooled.all()
    torch.testing.assert_close(attacked.scores_before, ODDS.sigmoid())
    assert torch.equal(attacked.scores_after < 0.5, LABELS == FAKE)
    assert (attacked.iterations >= 1).all()
    assert (attacked.queries >= 1).all()


@every_attack
@pytest.mark.parametrize("clean", [tinted(ODDS), on_the_grid(tinted(ODDS))])
@pytest.mark.parametrize("epsilon", [5.5 * GREY, 16 * GREY])
def test_what_comes_back_is_in_the_ball_the_range_and_256_levels(
    name: str, clean: Tensor, epsilon: float
) -> None:
    # Black and white values, which the range holds back.
    clean = clean.clone()
    clean[:, :, :, 0], clean[:, :, :, 1] = 0, 1
    attack = quick(name, epsilon=epsilon)
    attacked = attack(Tint(), clean, LABELS)
    faces = torch.stack(attacked.faces)
    assert torch.equal(faces, on_the_grid(faces))
    assert faces.min() >= 0
    assert faces.max() <= 1
    change = (faces - clean).flatten(1)
    torch.testing.assert_close(attacked.linf, change.abs().amax(1))
    torch.testing.assert_close(attacked.l2, change.norm(dim=1))
    length = attacked.linf if attack.norm == "linf" else attacked.l2
    assert isinf(attack.epsilon) or (length <= epsilon + 1e-5).all()


@every_attack
def test_without_rounding_it_stays_in_the_ball_as_well(name: str) -> None:
    attack = quick(name, epsilon=5.5 * GREY, eight_bit=False)
    attacked = attack(Tint(), tinted(ODDS), LABELS, eight_bit=False)
    length = attacked.linf if attack.norm == "linf" else attacked.l2
    assert (length <= attack.epsilon + 1e-6).all()


@every_attack
def test_queries_are_what_the_detector_counts(name: str) -> None:
    detector = Tint()
    attacked = quick(name)(detector, tinted(ODDS, times=2), LABELS)
    assert detector.faces_seen == attacked.queries.sum() + 2 * len(LABELS)  # before and after


@every_attack
def test_the_same_seed_finds_the_same(name: str) -> None:
    first, second = (quick(name)(Tint(), tinted(ODDS), LABELS, seed=3) for _ in range(2))
    same(first, second)


@every_attack
def test_an_item_in_a_batch_of_several_sizes_is_attacked_as_if_alone(name: str) -> None:
    attack = quick(name, random_start=False)
    sizes = [(8, 8), (14, 10), (6, 12), (8, 8)]
    faces = [
        tinted(ODDS[i : i + 1], height=height, width=width)[0]
        for i, (height, width) in enumerate(sizes)
    ]
    detector = Tint(size=4)
    together = attack(detector, faces, LABELS)
    assert [face.shape[-2:] for face in together.faces] == sizes
    if any(
        not torch.equal(one, two)
        for one, two in zip(
            attack(detector, faces, LABELS, seed=1).faces, together.faces, strict=True
        )
    ):
        pytest.skip("it draws, so what an item gets depends on its place")
    for i, face in enumerate(faces):
        same(together, attack(detector, [face], LABELS[i : i + 1]), places=[i])


@every_attack
def test_an_item_that_is_done_costs_no_more_while_others_walk(name: str) -> None:
    attack = quick(name)
    hopeless = tinted(torch.tensor([10.0]))
    done = tinted(torch.tensor([-29.0]), contrast=0)  # so far over the border that any test holds
    attacked = attack(Tint(), torch.cat([hopeless, done]), torch.tensor([FAKE, FAKE]))
    alone = attack(Tint(), done, torch.tensor([FAKE]))
    assert torch.equal(attacked.queries[1:], alone.queries)
    assert torch.equal(attacked.iterations[1:], alone.iterations)
    assert attacked.queries[1] <= attacked.queries[0]


@every_attack
def test_detector_and_clean_faces_are_left_as_they_were(name: str) -> None:
    detector = Tint()
    detector.add_module("frozen", torch.nn.Dropout().eval())
    detector.add_module("awake", torch.nn.Dropout())
    clean = tinted(ODDS)
    kept = clean.clone()
    with torch.no_grad():  # a caller that scores faces need not leave that for an attack
        quick(name)(detector, clean, LABELS)
    assert torch.equal(clean, kept)
    assert [module.training for module in detector.modules()] == [True, False, True]


@every_attack
def test_a_detector_of_one_pixel_is_fooled_by_that_pixel(name: str) -> None:
    detector = OnePixel()
    clean = torch.full((1, 1, 3, SIZE, SIZE), 0.5)
    clean[..., 0, detector.row, detector.column] = 0.5 + 2 * GREY
    if ATTACKS[name].black_box or name == "robust":
        pytest.skip("it changes other pixels too, by design or by the noise of its estimate")
    attacked = quick(name, random_start=False, eight_bit=False)(
        detector, clean, torch.tensor([FAKE]), eight_bit=False
    )
    assert attacked.fooled.all()
    change = (attacked.faces[0] - clean[0])[0]
    change[0, detector.row, detector.column] = 0
    assert change.abs().max() < 0.5 * GREY
