import pytest
import torch

from unmask.detectors.meso4 import Meso4
from unmask.detectors.mesoinception4 import MesoInception4
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector


def counts(detector: Detector) -> tuple[int, int]:
    """Return all parameters as Keras counts them, running statistics among them, and trainable."""
    trainable = sum(parameter.numel() for parameter in detector.parameters())
    running = [buffer for name, buffer in detector.named_buffers() if ".running_" in name]
    return trainable + sum(buffer.numel() for buffer in running), trainable


def test_meso4_has_the_published_number_of_parameters() -> None:
    assert counts(Meso4()) == (28_073, 27_977)


def test_mesoinception4_has_the_published_number_of_parameters() -> None:
    assert counts(MesoInception4()) == (28_725, 28_615)


@pytest.mark.parametrize("kind", [Meso4, MesoInception4])
def test_batch_norm_has_the_numbers_of_keras(kind: type[Meso4 | MesoInception4]) -> None:
    norms = [one for one in kind().modules() if isinstance(one, torch.nn.BatchNorm2d)]
    assert len(norms) == 4
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}


@pytest.mark.parametrize("kind", [Meso4, MesoInception4])
def test_a_size_that_the_pools_do_not_divide_is_refused(kind: type[Meso4 | MesoInception4]) -> None:
    message = "size must be 32 or more and a multiple of 32, got 100; take 96"
    with pytest.raises(InvalidInputError, match=message):
        kind(size=100)


def test_a_higher_published_output_means_real() -> None:
    detector = Meso4(size=32).eval()
    with torch.no_grad():
        detector.network.head[-1].bias.fill_(50.0)  # type: ignore[operator]
    assert detector.scores(torch.rand(1, 1, 3, 32, 32)) < 1e-6


@pytest.mark.parametrize("kind", [Meso4, MesoInception4])
def test_several_classes_have_an_output_each(kind: type[Meso4 | MesoInception4]) -> None:
    classes = ("dfaker", "iae", "original")
    detector = kind(size=32, classes=classes).eval()
    with torch.no_grad():
        detector.network.head[-1].bias.copy_(torch.tensor([0.0, 50.0, 0.0]))  # type: ignore[operator]
    logits = detector(torch.rand(2, 1, 3, 32, 32))
    assert logits.shape == (2, 3)
    assert logits.argmax(-1).tolist() == [1, 1]
    assert counts(detector)[1] - counts(kind(size=32))[1] == 2 * (16 + 1)


def test_published_output_means_real_wherever_real_stands() -> None:
    one, other = Meso4(size=32).eval(), Meso4(size=32, classes=("fake", "real")).eval()
    other.load_state_dict(one.state_dict())
    faces = torch.rand(2, 1, 3, 32, 32)
    torch.testing.assert_close(other.scores(faces), one.scores(faces))
