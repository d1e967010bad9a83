import numpy as np
import pytest
import torch
from torch import Tensor, nn

from unmask.detectors.phase_resnet import PhaseResnet, phase_picture
from unmask.errors import InvalidInputError


def some_faces(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def by_definition(face: np.ndarray) -> np.ndarray:
    """Return the phase picture of one face (3, H, W) from the whole spectrum."""
    pictures = []
    for channel in face:
        spectrum = np.fft.fft2(channel)
        pictures.append(np.abs(np.fft.ifft2(np.exp(1j * np.angle(spectrum)))))
    picture = np.stack(pictures)
    return np.asarray((picture - picture.min()) / np.ptp(picture))


@pytest.mark.parametrize("size", [(16, 16), (15, 10), (12, 21)])
def test_the_picture_is_made_of_the_phases_alone_channel_by_channel(size: tuple[int, int]) -> None:
    faces = some_faces(2, 3, *size)
    expected = np.stack([by_definition(face) for face in faces.numpy()])
    np.testing.assert_allclose(phase_picture(faces).numpy(), expected, atol=1e-10)


def test_the_picture_of_8_bit_faces_holds_in_single_precision() -> None:
    faces = (some_faces(1, 3, 64, 64) * 255).round() / 255
    exact = by_definition(faces[0].numpy())
    np.testing.assert_allclose(phase_picture(faces.float())[0].numpy(), exact, atol=1e-4)


def test_a_factor_changes_nothing_and_a_shift_moves_the_picture_along() -> None:
    faces = some_faces(1, 3, 16, 12)
    picture = phase_picture(faces)
    torch.testing.assert_close(phase_picture(0.3 * faces), picture)
    moved = phase_picture(faces.roll((5, 2), (-2, -1)))
    torch.testing.assert_close(moved, picture.roll((5, 2), (-2, -1)))


def test_a_single_point_keeps_its_place_as_all_its_frequencies_have_equal_lengths() -> None:
    faces = torch.zeros(1, 3, 8, 8)
    faces[..., 2, 5] = 0.7
    wanted = torch.zeros(1, 3, 8, 8)
    wanted[..., 2, 5] = 1
    torch.testing.assert_close(phase_picture(faces), wanted)


@pytest.mark.parametrize("side", [64, 96, 128, 224, 299])
@pytest.mark.parametrize("level", [0.0, 1 / 255, 0.3, 1.0])
def test_a_face_of_one_colour_is_black_and_has_a_gradient_of_numbers(
    side: int, level: float
) -> None:
    faces = torch.full((1, 3, side, side), level, requires_grad=True)
    picture = phase_picture(faces)
    assert not picture.any()
    picture.sum().backward()  # type: ignore[no-untyped-call]
    assert faces.grad is not None
    assert faces.grad.isfinite().all()


def test_its_gradient_is_that_of_small_differences() -> None:
    faces = some_faces(1, 3, 6, 5).requires_grad_()
    assert torch.autograd.gradcheck(phase_picture, faces)


def test_faces_and_the_rest_of_the_batch_do_not_mix() -> None:
    faces = some_faces(3, 2, 3, 8, 8)
    torch.testing.assert_close(phase_picture(faces)[1, 1], phase_picture(faces[1, 1]))


@pytest.mark.parametrize("depth", [8, 14, 20])
def test_depth_counts_the_layers_on_the_way(depth: int) -> None:
    layers = [
        one
        for one in PhaseResnet(size=32, depth=depth).modules()
        if isinstance(one, nn.Linear) or (isinstance(one, nn.Conv2d) and one.kernel_size == (3, 3))
    ]
    assert len(layers) == depth


@pytest.mark.parametrize(("depth", "nearest"), [(2, 8), (10, 8), (18, 20)])
def test_a_depth_that_is_none_is_refused_with_the_nearest(depth: int, nearest: int) -> None:
    message = f"depth must be 8, 14, 20, ..., got {depth}; take {nearest}"
    with pytest.raises(InvalidInputError, match=message):
        PhaseResnet(depth=depth)
