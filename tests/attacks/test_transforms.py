import sys
from functools import partial
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from kornia.geometry.transform import translate
from scipy.ndimage import correlate1d
from torch import Tensor

from unmask.attack_contracts import Change
from unmask.attacks.transforms import (
    blur,
    identity,
    jpeg,
    noise,
    recut,
    shift,
    shrink,
    transforms_of,
)
from unmask.degrade.jpeg import Jpeg
from unmask.errors import MissingDependencyError, NotFoundError

RANDOM = torch.Generator().manual_seed(0)


def faces_of(height: int, width: int, *, times: int = 2) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.rand(3, times, 3, height, width, generator=random)


def settings(change: Change) -> tuple[str, dict[str, Any]]:
    """Return the name of a transform and its numbers."""
    if not isinstance(change, partial):
        return change.__name__, {}
    return change.func.__name__, {k: v for k, v in change.keywords.items() if k != "random"}


EACH: list[Change] = [
    identity,
    partial(noise, deviation=0.01, random=RANDOM),
    partial(blur, kernel=7, sigma=10.0),
    partial(shift, right=20, down=-20),
    partial(shrink, factor=0.1),
    partial(jpeg, quality=50.0),
    partial(recut, edges=(0.03, 0.0, 0.01, 0.02)),
]
each = pytest.mark.parametrize("change", EACH, ids=lambda change: settings(change)[0])


def test_the_published_list_has_its_17_transforms() -> None:
    assert [settings(one) for one in transforms_of("published", RANDOM)()] == [
        ("identity", {}),
        ("noise", {"deviation": 0.01}),
        ("blur", {"kernel": 5, "sigma": 5.0}),
        ("blur", {"kernel": 5, "sigma": 10.0}),
        ("blur", {"kernel": 7, "sigma": 5.0}),
        ("blur", {"kernel": 7, "sigma": 10.0}),
        ("shift", {"right": 10, "down": 10}),
        ("shift", {"right": 10, "down": -10}),
        ("shift", {"right": -10, "down": 10}),
        ("shift", {"right": -10, "down": -10}),
        ("shift", {"right": 20, "down": 20}),
        ("shift", {"right": 20, "down": -20}),
        ("shift", {"right": -20, "down": 10}),
        ("shift", {"right": -20, "down": -20}),
        ("shrink", {"factor": 0.1}),
        ("shrink", {"factor": 0.2}),
        ("shrink", {"factor": 0.3}),
    ]


def test_the_symmetric_list_differs_in_one_shift() -> None:
    published, symmetric = (transforms_of(kind, RANDOM)() for kind in ("published", "symmetric"))
    pairs = zip(map(settings, published), map(settings, symmetric), strict=True)
    assert [(one, two) for one, two in pairs if one != two] == [
        (("shift", {"right": -20, "down": 10}), ("shift", {"right": -20, "down": 20}))
    ]


def test_random_transforms_are_drawn_anew_and_repeat_with_the_seed() -> None:
    draws = transforms_of("random", torch.Generator().manual_seed(5))
    first, second = [[settings(one) for one in draws()] for _ in range(2)]
    assert [name for name, _ in first] == [name for name, _ in second]
    assert {name for name, _ in first} | {"recut"} == {settings(one)[0] for one in EACH}
    assert all(one != two for one, two in zip(first[1:], second[1:], strict=True))
    again = transforms_of("random", torch.Generator().manual_seed(5))
    assert [settings(one) for one in again()] == first


def test_a_misspelt_choice_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="transforms has no 'publshed'; did you mean 'publish"):
        transforms_of("publshed", RANDOM)  # type: ignore[arg-type]


@each
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4), (19, 21), (33, 18)])
def test_any_size_comes_back_in_its_shape_and_range(change: Change, size: tuple[int, int]) -> None:
    faces = faces_of(*size)
    for some in (faces, torch.ones_like(faces), torch.zeros_like(faces)):
        changed = change(some)
        assert changed.shape == faces.shape
        assert changed.min() >= 0
        assert changed.max() <= 1


@each
def test_each_frame_of_each_item_is_changed_by_itself(change: Change) -> None:
    if settings(change)[0] == "noise":
        pytest.skip("the noise of each value is its own")
    faces = faces_of(24, 24)
    alone = change(faces[1:2, 1:2])
    torch.testing.assert_close(change(faces)[1:2, 1:2], alone, rtol=0, atol=1e-5)


@each
def test_a_slope_comes_back_through_it(change: Change) -> None:
    faces = faces_of(48, 48).requires_grad_()
    (slope,) = torch.autograd.grad(change(faces).mean(), faces)
    assert slope.isfinite().all()
    assert (slope != 0).float().mean() > 0.005  # shrink sees four pixels for each one that is left


@pytest.mark.parametrize("change", [EACH[2], EACH[4]], ids=["blur", "shrink"])
def test_white_faces_keep_their_slope_where_rounding_leaves_the_range(change: Change) -> None:
    white = torch.ones(1, 1, 3, 40, 40, requires_grad=True)
    (slope,) = torch.autograd.grad(change(white).sum(), white)
    assert slope.sum() == pytest.approx(white.numel(), rel=1e-4)


def test_noise_has_its_deviation_and_is_new_each_time() -> None:
    grey = torch.full((1, 1, 3, 100, 100), 0.5)
    random = torch.Generator().manual_seed(0)
    one, two = (noise(grey, deviation=0.01, random=random) - grey for _ in range(2))
    assert one.std() == pytest.approx(0.01, rel=0.02)
    assert abs(torch.corrcoef(torch.stack([one.flatten(), two.flatten()]))[0, 1]) < 0.02


@pytest.mark.parametrize(("kernel", "sigma"), [(5, 5.0), (7, 10.0), (3, 0.7)])
def test_blur_is_the_gaussian_of_its_definition(kernel: int, sigma: float) -> None:
    face = faces_of(20, 30, times=1)[:1]
    places = np.arange(kernel) - kernel // 2
    weights = np.exp(-(places**2) / (2 * sigma**2))
    wanted = face.double().numpy()
    for axis in (-2, -1):
        wanted = correlate1d(wanted, weights / weights.sum(), axis=axis, mode="nearest")
    np.testing.assert_allclose(blur(face, kernel=kernel, sigma=sigma), wanted, atol=1e-6)


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 4), (-2, 5), (7, -20), (-30, 1)])
def test_a_shift_moves_right_and_down_as_kornia_does(right: int, down: int) -> None:
    faces = faces_of(16, 24)
    by = torch.tensor([[float(right), float(down)]]).expand(6, 2)
    wanted = translate(faces.flatten(0, 1), by).view(faces.shape)
    torch.testing.assert_close(shift(faces, right=right, down=down), wanted, rtol=0, atol=1e-4)


def test_shrink_keeps_the_corners_and_a_straight_slope() -> None:
    down, across = torch.meshgrid(torch.arange(20.0), torch.arange(31.0), indexing="ij")
    face = (down / 40 + across / 70).expand(1, 1, 3, -1, -1)
    torch.testing.assert_close(shrink(face, factor=0.2), face, rtol=0, atol=1e-6)


def test_shrink_leaves_what_a_small_picture_can_hold() -> None:
    face = faces_of(20, 30, times=1)[:1]
    kept = torch.linalg.matrix_rank(shrink(face, factor=0.1)[0, 0].double(), tol=1e-4)
    assert kept.tolist() == [2, 2, 2]  # two rows and three columns


def test_jpeg_is_close_to_a_real_one() -> None:
    down, across = np.mgrid[:64, :64]
    frame = np.stack([down * 3, across * 3, (down + across) * 2], -1).astype(np.uint8)
    frame[20:40, 20:40] = (200, 60, 90)
    (real,) = Jpeg(30)([frame], np.random.default_rng(0))
    face = torch.from_numpy(frame).permute(2, 0, 1)[None, None].float() / 255
    ours = (jpeg(face, quality=30)[0, 0].permute(1, 2, 0) * 255).numpy()
    error = np.abs(ours - real).mean()
    assert error < 0.5 * np.abs(frame.astype(float) - real).mean() + 1


def test_without_kornia_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kornia", None)
    with pytest.raises(MissingDependencyError, match="robust attack needs the package kornia"):
        blur(faces_of(8, 8), kernel=3, sigma=1.0)


def test_recut_takes_the_inner_part_and_makes_it_as_large_again() -> None:
    faces = faces_of(40, 60, times=1)
    made = recut(faces, edges=(0.1, 0.05, 0.0, 0.2))
    inner = faces[0, 0, :, 2:32, 6:60].permute(1, 2, 0).numpy()
    expected = cv2.resize(inner, (60, 40), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(made[0, 0].permute(1, 2, 0).numpy(), expected, atol=1e-5)


def test_recuts_are_drawn_anew_beside_the_identity() -> None:
    drawn = transforms_of("recut", torch.Generator().manual_seed(0))
    first, second = ([settings(one) for one in drawn()] for _ in range(2))
    assert [name for name, _ in first] == ["identity", "recut", "recut", "recut", "recut"]
    assert all(0 <= share < 0.03 for _, told in first[1:] for share in told["edges"])
    assert first != second
