"""What every autoencoder promises, whatever its layers."""

import pytest
import torch
from torch import Tensor, nn

from unmask.autoencoders import AUTOENCODERS
from unmask.errors import InvalidInputError
from unmask.torch_contracts import SOURCE, TARGET, Autoencoder

WIDTH = 0.05
SIDES = (TARGET, SOURCE)


def made(name: str, *, width: float = WIDTH) -> Autoencoder:
    torch.manual_seed(0)
    return AUTOENCODERS[name](width=width)  # type: ignore[call-arg]


@pytest.fixture(scope="module", params=sorted(AUTOENCODERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def autoencoder(name: str) -> Autoencoder:
    return made(name)


def some_faces(autoencoder: Autoencoder, items: int = 2) -> Tensor:
    shape = (items, 3, autoencoder.input_size, autoencoder.input_size)
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


def parameters_of(autoencoder: Autoencoder, side: int) -> set[nn.Parameter]:
    """Return what a side's own layers can learn."""
    return set(autoencoder.own[side].parameters())


@pytest.mark.parametrize("side", SIDES)
def test_it_returns_faces_of_its_output_size_between_0_and_1(
    autoencoder: Autoencoder, side: int
) -> None:
    size = autoencoder.output_size
    rebuilt = autoencoder(some_faces(autoencoder, 3), side)
    assert rebuilt.shape == (3, 3, size, size)
    assert rebuilt.dtype == torch.float32
    assert ((rebuilt >= 0) & (rebuilt <= 1)).all()
    assert rebuilt.std() > 0.01


@pytest.mark.parametrize("side", SIDES)
def test_a_face_does_not_depend_on_the_rest_of_the_batch(
    autoencoder: Autoencoder, side: int
) -> None:
    faces = some_faces(autoencoder, 3)
    alone = torch.cat([autoencoder(faces[i : i + 1], side) for i in range(3)])
    torch.testing.assert_close(autoencoder(faces, side), alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(alone[0], alone[1], atol=1e-4)


@pytest.mark.parametrize("side", SIDES)
def test_gradients_reach_the_faces_and_all_layers_but_the_other_sides(
    autoencoder: Autoencoder, side: int
) -> None:
    faces = some_faces(autoencoder).requires_grad_()
    autoencoder(faces, side).square().sum().backward()
    assert faces.grad is not None
    assert faces.grad.abs().sum() > 0
    others = parameters_of(autoencoder, 1 - side)
    for name, parameter in autoencoder.named_parameters():
        if parameter in others:
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


def test_both_sides_together_teach_every_parameter(autoencoder: Autoencoder) -> None:
    faces = some_faces(autoencoder)
    for side in SIDES:
        autoencoder(faces, side).sum().backward()
    for name, parameter in autoencoder.named_parameters():
        assert parameter.grad is not None, name


def test_a_swap_takes_the_layers_of_the_person_who_is_asked_for(autoencoder: Autoencoder) -> None:
    faces = some_faces(autoencoder)
    before = [autoencoder(faces, side) for side in SIDES]
    assert not torch.allclose(before[TARGET], before[SOURCE], atol=1e-3)
    with torch.no_grad():
        for parameter in parameters_of(autoencoder, SOURCE):
            parameter.mul_(1.5)
    assert torch.equal(autoencoder(faces, TARGET), before[TARGET])
    assert not torch.allclose(autoencoder(faces, SOURCE), before[SOURCE], atol=1e-4)


def test_persons_who_change_their_layers_change_their_faces(autoencoder: Autoencoder) -> None:
    faces = some_faces(autoencoder)
    target, source = (autoencoder(faces, side) for side in SIDES)
    autoencoder.own = nn.ModuleList(reversed(autoencoder.own))
    assert torch.equal(autoencoder(faces, TARGET), source)
    assert torch.equal(autoencoder(faces, SOURCE), target)


def test_both_persons_have_layers_of_the_same_shapes_and_none_in_common(
    autoencoder: Autoencoder,
) -> None:
    target, source = (one.state_dict() for one in autoencoder.own)
    assert [value.shape for value in target.values()] == [one.shape for one in source.values()]
    assert not parameters_of(autoencoder, TARGET) & parameters_of(autoencoder, SOURCE)


def test_width_scales_the_number_of_parameters(name: str) -> None:
    counts = [
        sum(parameter.numel() for parameter in made(name, width=width).parameters())
        for width in (WIDTH, 0.1, 0.2)
    ]
    assert counts[0] * 2 < counts[1] < counts[2] / 2
    with pytest.raises(InvalidInputError, match=r"width must lie in \(0, 1\], got 0"):
        made(name, width=0)


def test_memory_format_of_the_faces_and_the_layers_does_not_matter(
    autoencoder: Autoencoder,
) -> None:
    faces = some_faces(autoencoder)
    wanted = autoencoder(faces, TARGET)
    last = autoencoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    found = last(faces.contiguous(memory_format=torch.channels_last), TARGET)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_its_state_makes_an_equal_twin(name: str, autoencoder: Autoencoder) -> None:
    torch.manual_seed(5)
    twin = AUTOENCODERS[name](width=WIDTH)  # type: ignore[call-arg]
    faces = some_faces(autoencoder)
    assert not torch.equal(twin(faces, SOURCE), autoencoder(faces, SOURCE))
    twin.load_state_dict(autoencoder.state_dict())
    for side in SIDES:
        assert torch.equal(twin(faces, side), autoencoder(faces, side))


def test_the_seed_decides_the_first_weights(name: str, autoencoder: Autoencoder) -> None:
    twin = made(name).state_dict()
    assert all(torch.equal(value, twin[key]) for key, value in autoencoder.state_dict().items())


@pytest.mark.parametrize(
    "shape", [(3, 64, 64), (2, 3, 48, 48), (2, 1, 128, 128), (0, 3, 64, 64), (2, 64, 64, 3)]
)
def test_what_is_no_batch_of_its_faces_is_refused(
    autoencoder: Autoencoder, shape: tuple[int, ...]
) -> None:
    with pytest.raises(InvalidInputError, match=r"faces must have shape \(N, 3, (64|128), "):
        autoencoder(torch.zeros(shape), TARGET)
