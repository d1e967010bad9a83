"""Each purifier against an answer that is known otherwise."""

import sys

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from unmask.defences.bit_depth import BitDepth
from unmask.defences.jpeg import Jpeg
from unmask.defences.median import Median
from unmask.defences.resize_pad import ResizePad
from unmask.errors import InvalidInputError, MissingDependencyError


def picture(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    coarse = np.random.default_rng(0).integers(0, 256, (6, 6, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def as_face(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Tensor:
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None, None] / 255


@pytest.mark.parametrize(("bits", "levels"), [(1, 2), (3, 8), (8, 256)])
def test_bit_depth_leaves_so_many_levels_evenly_spaced(bits: int, levels: int) -> None:
    ramp = torch.linspace(0, 1, 3 * 40 * 40).view(1, 1, 3, 40, 40)
    found = torch.tensor(sorted(set(BitDepth(bits)(ramp).flatten().tolist())))
    torch.testing.assert_close(found, torch.linspace(0, 1, levels))


def test_bit_depth_rounds_to_the_nearest_level_and_hands_the_gradient_straight_through() -> None:
    face = torch.tensor([0.49, 0.51, 1.0]).view(1, 1, 3, 1, 1).requires_grad_()
    purified = BitDepth(1)(face)
    weights = torch.tensor([2.0, -3.0, 5.0]).view(1, 1, 3, 1, 1)
    (gradient,) = torch.autograd.grad((purified * weights).sum(), face)
    assert purified.flatten().tolist() == [0, 1, 1]
    assert torch.equal(gradient, weights)


@pytest.mark.parametrize("window", [3, 5, 7])
def test_median_is_that_of_opencv(window: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (21, 34, 3), np.uint8)
    wanted = np.asarray(cv2.medianBlur(image, window), np.uint8)
    torch.testing.assert_close(Median(window)(as_face(image)), as_face(wanted))


def test_median_takes_a_lone_pixel_away_and_keeps_a_straight_edge() -> None:
    edge = torch.zeros(1, 1, 3, 8, 8)
    edge[..., 4:] = 1
    speckled = edge.clone()
    speckled[..., 2, 1] = 1
    assert torch.equal(Median()(speckled), edge)


def test_medians_gradient_goes_to_the_pixel_that_was_the_median() -> None:
    values = torch.tensor([[5, 1, 9], [2, 7, 3], [8, 4, 6]]) / 10
    face = values.repeat(1, 1, 3, 1, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(Median()(face)[0, 0, 0, 1, 1], face)
    assert torch.equal(gradient[0, 0, 0], (values == 0.5).float())


def test_medians_gradient_is_shared_by_pixels_of_one_value() -> None:
    values = torch.tensor([[5, 1, 9], [5, 7, 3], [8, 4, 6]]) / 10
    face = values.repeat(1, 1, 3, 1, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(Median()(face)[0, 0, 0, 1, 1], face)
    assert torch.equal(gradient[0, 0, 0], (values == 0.5) / 2)


@pytest.mark.parametrize("size", [(64, 48), (33, 47)])
@pytest.mark.parametrize("quality", [75, 20])
def test_jpeg_is_that_of_opencv(quality: int, size: tuple[int, int]) -> None:
    image = picture(*size)
    _, coded = cv2.imencode(".jpg", image[..., ::-1].copy(), [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    wanted = as_face(np.asarray(decoded[..., ::-1], np.uint8))
    assert torch.equal(Jpeg(quality)(as_face(image)), wanted)


def test_jpegs_gradient_foretells_what_the_codec_will_do() -> None:
    """A step along the gradient of a JPEG'd value lifts that value, one against it lowers it."""
    face = as_face(picture(32, 32)) * 0.8 + 0.1
    tracked = face.clone().requires_grad_()
    place = torch.rand(face.shape, generator=torch.Generator().manual_seed(0)) - 0.5
    (gradient,) = torch.autograd.grad((Jpeg(30)(tracked) * place).sum(), tracked)
    step = 0.05 * gradient.sign()
    up, down = ((Jpeg(30)((face + way).clamp(0, 1)) * place).sum() for way in (step, -step))
    assert up > (Jpeg(30)(face) * place).sum() > down


def test_jpegs_gradient_without_kornia_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kornia.enhance", None)
    face = as_face(picture(16, 16))
    assert Jpeg()(face).shape == face.shape  # values need no Kornia
    with pytest.raises(MissingDependencyError, match=r"JPEG needs .* 'unmask\[attacks\]'"):
        Jpeg()(face.requires_grad_())


def test_resized_faces_have_sides_and_places_of_the_whole_range() -> None:
    purifier, white = ResizePad(0.5), torch.ones(1, 1, 3, 20, 10)
    sides, lefts = set(), set()
    for seed in range(200):
        inside = purifier(white, torch.Generator().manual_seed(seed))[0, 0, 0] > 0
        rows, columns = inside.any(1).nonzero().flatten(), inside.any(0).nonzero().flatten()
        assert inside.sum() == len(rows) * len(columns)  # one rectangle, zeros around it
        assert len(columns) == round(len(rows) / 2) or abs(len(rows) / 2 - len(columns)) <= 1
        sides.add(len(rows))
        if len(columns) == 5:
            lefts.add(int(columns[0]))
    assert sides == set(range(10, 21))
    assert lefts == set(range(6))


def test_resizing_to_the_full_size_changes_nothing() -> None:
    face = as_face(picture(16, 24))
    torch.testing.assert_close(ResizePad(1.0)(face), face)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: BitDepth(0), "bits must lie between 1 and 8, got 0"),
        (lambda: BitDepth(9), "bits must lie between 1 and 8, got 9"),
        (lambda: Jpeg(0), "quality must lie between 1 and 100, got 0"),
        (lambda: Median(1), "window must lie between 3 and 7, got 1"),
        (lambda: Median(4), "window must be odd, got 4; take 5"),
        (lambda: ResizePad(1.1), r"smallest must lie between 0\.1 and 1, got 1\.1"),
    ],
)
def test_values_out_of_range_are_refused(make: type, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        make()
