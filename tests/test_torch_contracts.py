"""The detector's public call resizes, normalises and checks, once for all networks."""

import pytest
import torch
from torch import Tensor, nn

from unmask.errors import InvalidInputError
from unmask.torch_contracts import SOURCE, TARGET, Autoencoder, Detector


class Brightness(Detector):
    """Its logits are the mean of each face's normalised red and green."""

    def __init__(self, **options: object) -> None:
        super().__init__(**{"size": 8} | options)  # type: ignore[arg-type]

    def logits(self, faces: Tensor) -> Tensor:
        self.seen = faces
        return faces[:, :, : len(self.classes)].mean((-2, -1))


class ForgetsTime(Brightness):
    def logits(self, faces: Tensor) -> Tensor:
        return super().logits(faces).mean(1)


def faces(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_faces_of_the_right_size_arrive_unchanged() -> None:
    detector, given = Brightness(), faces(2, 3, 3, 8, 8)
    detector(given)
    assert torch.equal(detector.seen, given)


@pytest.mark.parametrize(("height", "width"), [(16, 16), (5, 30), (4, 4), (1, 1)])
def test_faces_of_any_size_are_resized_inside(height: int, width: int) -> None:
    detector, given = Brightness(), faces(2, 1, 3, 1, 1).expand(2, 1, 3, height, width)
    detector(given)
    torch.testing.assert_close(detector.seen, given[..., :1, :1].expand(2, 1, 3, 8, 8))


def test_shrinking_averages_over_what_it_covers() -> None:
    stripes = torch.zeros(1, 1, 3, 64, 64)
    stripes[..., ::2] = 1  # Taking single pixels would give all black or all white.
    detector = Brightness()
    detector(stripes)
    torch.testing.assert_close(detector.seen, torch.full((1, 1, 3, 8, 8), 0.5), atol=0.05, rtol=0)


def test_resized_faces_stay_in_range() -> None:
    detector = Brightness()
    detector((faces(4, 2, 3, 33, 17) > 0.5).float())
    assert 0 <= detector.seen.min() <= detector.seen.max() <= 1


def test_each_channel_is_normalised() -> None:
    detector = Brightness(mean=(0.5, 0.25, 0.0), deviation=(0.5, 0.25, 2.0))
    detector(torch.ones(1, 1, 3, 8, 8))
    assert detector.seen[0, 0, :, 0, 0].tolist() == [1.0, 3.0, 0.5]


def test_logits_are_averaged_over_the_faces_of_an_item() -> None:
    detector, given = Brightness(), faces(2, 5, 3, 8, 8)
    together = detector(given)
    apart = torch.stack([detector(given[:, [time]]) for time in range(5)])
    torch.testing.assert_close(together, apart.mean(0))


def test_the_score_is_the_probability_of_every_class_but_real() -> None:
    given = faces(4, 1, 3, 8, 8)
    two = Brightness(classes=("real", "fake"))
    torch.testing.assert_close(two.scores(given), two(given).softmax(-1)[:, 1])
    turned = Brightness(classes=("fake", "real"))
    torch.testing.assert_close(turned.scores(given), turned(given).softmax(-1)[:, 0])
    three = Brightness(classes=("swap", "real", "blend"))
    expected = three(given).softmax(-1)[:, [0, 2]].sum(-1)
    torch.testing.assert_close(three.scores(given), expected)


def test_gradients_reach_the_faces_through_resizing() -> None:
    given = faces(1, 2, 3, 20, 20).mul(0.8).add(0.1).requires_grad_()
    (gradient,) = torch.autograd.grad(Brightness().scores(given).sum(), given)
    assert gradient[:, :, :2].abs().sum() > 0


def test_normalisation_moves_with_the_network_and_stays_out_of_its_weights() -> None:
    detector = Brightness(mean=(0.5, 0.5, 0.5))
    assert detector.state_dict() == {}
    assert detector.to(torch.float64).get_buffer("mean").dtype == torch.float64


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (faces(1, 3, 8, 8), r"shape \(N, T, 3, H, W\), got \(1, 3, 8, 8\); add the axis"),
        (faces(1, 1, 8, 8, 3), r"shape \(N, T, 3, H, W\), got \(1, 1, 8, 8, 3\)"),
        (faces(0, 1, 3, 8, 8), r"got \(0, 1, 3, 8, 8\)"),
        (faces(1, 1, 3, 8, 8).mul(255).byte(), r"floating point, got torch\.uint8; convert and"),
        (faces(1, 1, 3, 8, 8) * 0 + 255, r"in \[0, 1\], got \[255, 255\]; divide uint8"),
        (faces(1, 1, 3, 8, 8) - 1, r"faces must lie in \[0, 1\], got \[-"),
        (faces(1, 1, 3, 8, 8) * torch.nan, r"faces must lie in \[0, 1\], got \[nan, nan\]"),
    ],
)
def test_what_is_no_batch_of_faces_is_refused(given: Tensor, words: str) -> None:
    for call in (Brightness(), Brightness().scores):
        with pytest.raises(InvalidInputError, match=words):
            call(given)


def test_logits_of_another_shape_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"must have shape \(2, 5, 2\), got \(2, 2\); ret"):
        ForgetsTime()(faces(2, 5, 3, 8, 8))


@pytest.mark.parametrize("classes", [("fake",), ("real", "real"), ()])
def test_classes_that_do_not_tell_two_things_apart_are_refused(classes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInputError, match="classes must be two or more different names"):
        Brightness(classes=classes)


def test_a_network_that_only_tells_fakes_apart_has_no_score() -> None:
    with pytest.raises(InvalidInputError, match="classes must contain 'real' for a score, got"):
        Brightness(classes=("swap", "blend")).scores(faces(1, 1, 3, 8, 8))


class Tinted(Autoencoder):
    """It adds a person's own brightness, and may return another size than it says."""

    def __init__(self, *, persons: int = 2, grown: int = 0) -> None:
        own = [nn.Linear(1, 1) for _ in range(persons)]
        super().__init__(input_size=8, output_size=8, own=own)
        self.grown = grown

    def rebuild(self, faces: Tensor, own: nn.Module) -> Tensor:
        return nn.functional.pad(faces, (0, self.grown)) + own.get_parameter("bias")


def test_an_autoencoder_rebuilds_with_the_layers_of_the_side() -> None:
    autoencoder, given = Tinted(), faces(2, 3, 8, 8)
    for side in (TARGET, SOURCE):
        own = autoencoder.own[side].get_parameter("bias")
        torch.testing.assert_close(autoencoder(given, side), given + own)


@pytest.mark.parametrize("persons", [0, 1, 3])
def test_an_autoencoder_for_another_number_of_persons_is_refused(persons: int) -> None:
    with pytest.raises(InvalidInputError, match=f"own must be the layers of two.*got {persons}; "):
        Tinted(persons=persons)


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 3, 8, 9), (2, 1, 8, 8), (0, 3, 8, 8)])
def test_faces_of_another_shape_are_refused_by_an_autoencoder(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match=r"faces must have shape \(N, 3, 8, 8\), got \("):
        Tinted()(faces(*shape), TARGET)


@pytest.mark.parametrize("side", [-1, 2])
def test_a_side_that_there_is_not_is_refused_by_an_autoencoder(side: int) -> None:
    words = rf"side must be TARGET \(0\) or SOURCE \(1\), got {side}; say whose face"
    with pytest.raises(InvalidInputError, match=words):
        Tinted()(faces(2, 3, 8, 8), side)


def test_an_autoencoder_that_returns_another_size_than_it_says_is_refused() -> None:
    words = r"Tinted must return faces of 8 pixels, got \(2, 3, 8, 9\); correct output_size"
    with pytest.raises(InvalidInputError, match=words):
        Tinted(grown=1)(faces(2, 3, 8, 8), TARGET)
