from collections.abc import Callable
from math import inf, nan

import pytest
import torch
from torch import Tensor, nn

from makers.known_detectors import SIZE, Curved, OnePixel, Tint, TintElsewhere, tinted
from unmask.attack_contracts import GREY, Attack, Norm, Victim, project
from unmask.attacks.fgsm import FGSM
from unmask.attacks.presets import create_attack
from unmask.contracts import FAKE, REAL
from unmask.errors import InvalidInputError, NotFoundError

LABELS = torch.tensor([FAKE, REAL])
CLEAN = tinted(torch.tensor([0.5, -0.5]))

Way = Callable[[Victim, Tensor], Tensor]


class Does(Attack):
    """An attack that does what it is told."""

    def __init__(self, way: Way, *, epsilon: float = 16 * GREY, norm: Norm = "linf") -> None:
        super().__init__(epsilon=epsilon, norm=norm)
        self.way = way

    def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
        return self.way(victim, faces)


class DoesInTheDark(Does):
    """The same, a black-box attack by its own word."""

    black_box = True


def victim_of(
    sizes: list[tuple[int, int]], *, detector: Tint | OnePixel | None = None, label: int = FAKE
) -> Victim:
    labels = torch.full((len(sizes),), label)
    return Victim(detector or Tint(), labels, sizes, black_box=False)


@pytest.mark.parametrize("way", [lambda _, faces: faces + 5, lambda _, faces: faces - 5])
@pytest.mark.parametrize("eight_bit", [True, False])
def test_attack_that_wanders_off_is_brought_back_to_the_ball_and_the_range(
    way: Way, eight_bit: bool
) -> None:
    attacked = Does(way)(Tint(), CLEAN, LABELS, eight_bit=eight_bit)
    faces = torch.stack(attacked.faces)
    assert (faces >= 0).all()
    assert (faces <= 1).all()
    assert attacked.linf.max() <= 16 * GREY + 1e-5
    assert attacked.linf.min() > 15 * GREY


def test_rounding_takes_the_nearest_levels_in_the_ball() -> None:
    clean = torch.tensor([10.4, 10.5, 10.6]).view(1, 1, 3, 1, 1) * GREY
    for change, wanted in [(5.0, [12.0, 12.0, 12.0]), (-5.0, [9.0, 9.0, 9.0]), (0.45, [11] * 3)]:
        way = lambda _, faces, by=change: faces + by * GREY  # noqa: E731
        attacked = Does(way, epsilon=2 * GREY)(Tint(size=1), clean, torch.tensor([FAKE]))
        assert (attacked.faces[0].flatten() * 255).round().tolist() == wanted


def test_a_ball_without_any_level_gives_the_level_next_to_the_clean_face() -> None:
    clean = torch.tensor([10.4, 11.0, 11.6]).view(1, 1, 3, 1, 1) * GREY
    attack = Does(lambda _, faces: faces + 1, epsilon=0.1 * GREY)
    attacked = attack(Tint(size=1), clean, torch.tensor([FAKE]))
    assert (attacked.faces[0].flatten() * 255).round().tolist() == [10, 11, 12]


@pytest.mark.parametrize("epsilon", [0.2, 0.5, 3.0])
def test_a_change_of_limited_length_stays_as_short_after_rounding(epsilon: float) -> None:
    random = torch.Generator().manual_seed(0)
    clean = torch.rand(6, 1, 3, SIZE, SIZE, generator=random)
    way = torch.randn(clean.shape, generator=random)
    attack = Does(lambda _, faces: faces + way, epsilon=epsilon, norm="l2")
    attacked = attack(Tint(), clean, torch.full((6,), FAKE))
    faces = torch.stack(attacked.faces)
    assert torch.equal(faces, (faces * 255).round() / 255)
    assert (attacked.l2 <= epsilon).all()
    assert (attacked.l2 > 0.9 * min(epsilon, float(attacked.l2.max()))).all()


def test_a_ball_that_holds_no_levels_gives_the_rounded_clean_face() -> None:
    clean = torch.full((1, 1, 3, SIZE, SIZE), 10.5 * GREY)
    attack = Does(lambda _, faces: faces + 1, epsilon=GREY, norm="l2")
    attacked = attack(Tint(), clean, torch.tensor([FAKE]))
    assert attacked.linf.item() == pytest.approx(0.5 * GREY, abs=1e-6)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_an_infinite_ball_holds_everything_in_range(norm: Norm) -> None:
    attacked = Does(lambda _, faces: faces + 5, epsilon=inf, norm=norm)(Tint(), CLEAN, LABELS)
    assert (torch.stack(attacked.faces) == 1).all()


def test_the_nearest_point_of_a_sphere_lies_on_the_straight_way() -> None:
    clean, away = torch.zeros(1, 1, 3, 1, 1), torch.tensor([3.0, 0.0, 4.0]).view(1, 1, 3, 1, 1)
    found = project(clean + away, clean, 1.0, "l2").flatten()
    torch.testing.assert_close(found, torch.tensor([0.6, 0.0, 0.8]))
    assert torch.equal(project(clean, clean, 1.0, "l2"), clean)


@pytest.mark.parametrize("wrong", [nan, inf])
def test_an_attack_that_returns_no_numbers_is_caught(wrong: float) -> None:
    with pytest.raises(InvalidInputError, match=r"Does must return finite faces .* with NaN or in"):
        Does(lambda _, faces: faces * wrong)(Tint(), CLEAN, LABELS)


def test_an_attack_that_returns_another_shape_is_caught() -> None:
    with pytest.raises(InvalidInputError, match=r"of shape \(2, 1, 3, 8, 8\), got \(1, 1, 3, 8, 8"):
        Does(lambda _, faces: faces[:1])(Tint(), CLEAN, LABELS)


@pytest.mark.parametrize(
    "labels",
    [torch.tensor([FAKE]), torch.tensor([FAKE, 2]), torch.tensor([[FAKE], [REAL]])],
)
def test_labels_that_are_not_one_of_two_for_each_are_refused(labels: Tensor) -> None:
    with pytest.raises(InvalidInputError, match=r"labels must be 2 of 0 \(real\) and 1 \(fake\)"):
        FGSM()(Tint(), CLEAN, labels)


@pytest.mark.parametrize(
    "faces",
    [CLEAN[0], CLEAN[:, 0], CLEAN[:, :, :2], CLEAN[..., :0], [], [CLEAN[0], CLEAN[1, 0]]],
)
def test_faces_of_another_shape_are_refused(faces: Tensor | list[Tensor]) -> None:
    with pytest.raises(InvalidInputError, match=r"faces must be \(N, T, 3, H, W\), or one"):
        FGSM()(Tint(), faces, LABELS)


@pytest.mark.parametrize(
    ("faces", "got"),
    [
        (CLEAN * 255, r"torch.float32 in \[87.22, 166.4\]"),
        (torch.full(CLEAN.shape, 7, dtype=torch.uint8), r"torch.uint8 in \[7, 7\]"),
        (CLEAN * nan, r"\[nan, nan\]"),
    ],
)
def test_faces_out_of_range_or_type_are_refused(faces: Tensor, got: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"floating point in \[0, 1\], got .*{got}.*255"):
        FGSM()(Tint(), faces, LABELS)


@pytest.mark.parametrize(
    ("detector", "got"), [(nn.Identity(), "Identity"), (Curved, r"\('swap', 'blend', 'eyes'\)")]
)
def test_a_victim_without_a_declared_real_class_is_refused(detector: nn.Module, got: str) -> None:
    if detector is Curved:
        detector = Curved()
        detector.classes = ("swap", "blend", "eyes")
    with pytest.raises(InvalidInputError, match=f"which of its classes is 'real', got {got}"):
        FGSM()(detector, CLEAN, LABELS)  # type: ignore[arg-type]


def test_a_black_box_attack_that_asks_for_a_slope_is_refused() -> None:
    items = torch.arange(2)
    with pytest.raises(InvalidInputError, match="must ask for probabilities only, got a call of m"):
        DoesInTheDark(lambda victim, faces: faces + victim.margin(faces, items).sum())(
            Tint(), CLEAN, LABELS
        )


def test_a_probability_brings_no_slope() -> None:
    faces = CLEAN.clone().requires_grad_()
    confidence = victim_of([(SIZE, SIZE)] * 2).confidence(faces, torch.arange(2))
    assert not confidence.requires_grad
    torch.testing.assert_close(confidence, torch.tensor([0.5, -0.5]).double().sigmoid())


@pytest.mark.parametrize("method", ["nes", "robust_nes", "square"])
def test_a_black_box_attack_needs_no_64_bits_of_the_device(method: str) -> None:
    steps = "queries=20" if method == "square" else "iterations=2"
    attack, _ = create_attack(method, "paper", [steps])
    there, here = (attack(detector, CLEAN, LABELS) for detector in (TintElsewhere(), Tint()))
    torch.testing.assert_close(torch.stack(there.faces), torch.stack(here.faces))


@pytest.mark.parametrize(("epsilon", "value"), [(0.0, "0.0"), (-1.0, "-1.0"), (nan, "nan")])
def test_a_ball_of_no_size_is_refused(epsilon: float, value: str) -> None:
    with pytest.raises(InvalidInputError, match=f"epsilon must be above 0, got {value}"):
        FGSM(epsilon=epsilon)


def test_a_misspelt_norm_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="the choice of norm has no 'linff'; did you mean 'lin"):
        Does(lambda _, faces: faces, norm="linff")  # type: ignore[arg-type]


@pytest.mark.parametrize("label", [REAL, FAKE])
def test_the_margin_is_the_log_odds_of_the_items_own_label(label: int) -> None:
    margin = victim_of([(SIZE, SIZE)] * 2, label=label).margin(CLEAN, torch.arange(2))
    sign = 1 if label == FAKE else -1
    torch.testing.assert_close(margin, sign * torch.tensor([0.5, -0.5]), atol=1e-5, rtol=0)


def test_the_margin_of_several_fake_classes_is_that_of_the_score() -> None:
    detector = Curved().eval()
    victim = Victim(detector, LABELS, [(SIZE, SIZE)] * 2, black_box=False)
    scores = detector.scores(CLEAN)
    own = torch.stack([scores[0], 1 - scores[1]])
    torch.testing.assert_close(victim.margin(CLEAN, torch.arange(2)).sigmoid(), own)


def test_padding_has_no_influence_and_no_slope() -> None:
    sizes = [(4, 6), (9, 5), (4, 6)]
    victim = victim_of(sizes, detector=Tint(size=4))
    batch = torch.rand(3, 1, 3, 9, 6, generator=torch.Generator().manual_seed(0))
    items = torch.tensor([2, 0, 1, 0])  # not in order, and one of them twice
    faces = batch[items].requires_grad_()
    margin = victim.margin(faces, items)
    inside = victim.inside(items, batch.shape).bool()
    (slope,) = torch.autograd.grad(margin.sum(), faces)
    assert (slope[~inside.expand_as(slope)] == 0).all()
    assert (slope[inside.expand_as(slope)] != 0).all()
    other = torch.where(inside, faces, 1 - faces)
    assert torch.equal(victim.margin(other, items), margin)
    for place, item in enumerate(items.tolist()):
        height, width = sizes[item]
        alone = victim_of([(height, width)], detector=Tint(size=4))
        face = batch[item : item + 1, ..., :height, :width]
        torch.testing.assert_close(alone.margin(face, torch.arange(1))[0], margin[place])


def test_a_change_happens_at_each_items_own_size_before_the_detector_resizes() -> None:
    seen: list[tuple[int, ...]] = []

    def change(faces: Tensor) -> Tensor:
        seen.append(tuple(faces.shape))
        return 1 - faces

    victim = victim_of([(4, 6), (9, 5), (4, 6)], detector=Tint(size=4))
    faces, items = torch.rand(3, 1, 3, 9, 6), torch.arange(3)
    plain, through = (victim.margin(faces, items, one) for one in (None, change))
    assert sorted(seen) == [(1, 1, 3, 9, 5), (2, 1, 3, 4, 6)]
    torch.testing.assert_close(through, -plain, atol=1e-5, rtol=1e-5)


def test_each_question_is_counted_for_the_item_that_it_is_about() -> None:
    victim = victim_of([(SIZE, SIZE)] * 3)
    faces = torch.rand(4, 1, 3, SIZE, SIZE)
    victim.margin(faces, torch.tensor([0, 2, 2, 2]))
    victim.confidence(faces[:1], torch.tensor([0]))
    victim.took_a_step(torch.tensor([1, 2]))
    assert victim.queries.tolist() == [2, 0, 3]
    assert victim.iterations.tolist() == [0, 1, 1]


def test_faces_are_attacked_in_the_detectors_own_type() -> None:
    attacked = FGSM()(Tint().double(), CLEAN, LABELS)
    assert attacked.faces[0].dtype == torch.float64
    assert attacked.fooled.all()


def test_a_failing_attack_leaves_the_detector_as_it_was() -> None:
    detector = Tint()
    with pytest.raises(InvalidInputError):
        Does(lambda _, faces: faces * nan)(detector, CLEAN, LABELS)
    assert detector.training


def test_scores_and_lengths_are_those_of_what_comes_back() -> None:
    attacked = Does(lambda _, faces: faces + 3 * GREY)(Tint(), (CLEAN * 255).round() / 255, LABELS)
    torch.testing.assert_close(attacked.linf, torch.full((2,), 3 * GREY))
    torch.testing.assert_close(attacked.l2, torch.full((2,), 3 * GREY * (3 * SIZE**2) ** 0.5))
    torch.testing.assert_close(attacked.scores_after, Tint().scores(torch.stack(attacked.faces)))
    assert attacked.fooled.tolist() == [
        bool(attacked.scores_after[0] < 0.5),
        bool(attacked.scores_after[1] >= 0.5),
    ]
