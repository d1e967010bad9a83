"""What every purifier promises, whatever it does to the faces."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from unmask.defences import PURIFIERS
from unmask.defences.spec import parse_purifiers
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Purifier

every_purifier = pytest.mark.parametrize("name", list(PURIFIERS))


def some_faces(items: int = 2, times: int = 1, *, height: int = 48, width: int = 64) -> Tensor:
    """Return smooth random faces, as pictures are."""
    random = torch.Generator().manual_seed(1)
    coarse = torch.rand(items * times, 3, 6, 8, generator=random)
    fine = interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    return fine.view(items, times, 3, height, width)


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@every_purifier
@pytest.mark.parametrize("size", [(48, 64), (33, 47), (5, 3)])
def test_faces_come_back_in_their_own_shape_and_range(name: str, size: tuple[int, int]) -> None:
    faces = some_faces(2, 3, height=size[0], width=size[1])
    purified = PURIFIERS[name]()(faces)
    assert purified.shape == faces.shape
    assert 0 <= purified.min() <= purified.max() <= 1


@every_purifier
def test_something_changes_but_the_picture_is_still_there(name: str) -> None:
    faces = some_faces()
    loss = (PURIFIERS[name]()(faces, drawn()) - faces).abs().mean()
    assert 1e-4 < loss < 0.2


@every_purifier
def test_the_faces_that_go_in_are_not_written_on(name: str) -> None:
    faces = some_faces()
    kept = faces.clone()
    PURIFIERS[name]()(faces)
    assert torch.equal(faces, kept)


@every_purifier
def test_the_same_seed_gives_the_same_faces(name: str) -> None:
    faces, purifier = some_faces(), PURIFIERS[name]()
    assert torch.equal(purifier(faces, drawn(3)), purifier(faces, drawn(3)))


@every_purifier
def test_only_a_purifier_that_says_so_is_random(name: str) -> None:
    faces, purifier = some_faces(), PURIFIERS[name]()
    same = [torch.equal(purifier(faces, drawn(0)), purifier(faces, drawn(i))) for i in range(1, 4)]
    assert all(same) is not purifier.is_random


@every_purifier
def test_each_face_is_purified_by_itself(name: str) -> None:
    faces, purifier = some_faces(2, 2), PURIFIERS[name]()
    whole = purifier(faces, drawn())
    alone = torch.cat([purifier(faces[:, :1], drawn()), purifier(faces[:, 1:], drawn())], 1)
    torch.testing.assert_close(whole, alone)


@every_purifier
def test_a_gradient_leads_through_it_and_does_not_change_the_values(name: str) -> None:
    faces, purifier = some_faces(), PURIFIERS[name]()
    tracked = faces.clone().requires_grad_()
    purified = purifier(tracked, drawn())
    (gradient,) = torch.autograd.grad(purified.sum(), tracked)
    assert torch.equal(purified.detach(), purifier(faces, drawn()))
    assert gradient.isfinite().all()
    # Brighter faces come out brighter; a soft rounding lets a quarter of it through on average.
    assert 0.1 < gradient.mean() < 1.1


@every_purifier
def test_its_default_name_makes_an_equal_twin(name: str) -> None:
    chain = parse_purifiers(name)
    (twin,) = parse_purifiers(chain.name).steps
    faces = some_faces()
    assert torch.equal(twin(faces, drawn()), chain.steps[0](faces, drawn()))


class _Crooked(Purifier):
    def __init__(self, result: Tensor) -> None:
        self.result = result

    def purify(self, faces: Tensor, random: torch.Generator) -> Tensor:
        return self.result


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (torch.zeros(1, 1, 3, 4, 4), r"must return faces of shape \(2, 1, 3, 48, 64\) in \[0, 1\]"),
        (some_faces() + 1, r"in \[1, 2\]; keep the shape and clamp the values"),
        (some_faces() * torch.nan, r"in \[nan, nan\]"),
    ],
)
def test_a_part_that_returns_other_faces_is_refused(result: Tensor, told: str) -> None:
    with pytest.raises(InvalidInputError, match=f"_Crooked .*{told}"):
        _Crooked(result)(some_faces())


def test_faces_in_another_range_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"faces must lie in \[0, 1\], got \[0, 255\]"):
        _Crooked(some_faces())(torch.tensor([0.0, 255.0]).repeat(2, 1, 3, 8, 4))
