"""What is estimated from answers alone: known gradients, and noise that is what it should be."""

from math import sqrt

import pytest
import torch
from torch import Tensor

from unmask.attacks.estimate import Noise, estimated_slope

SIDE, PAIRS = 4, 5000
DIMENSIONS = 3 * SIDE * SIDE
RARE = 5  # standard deviations: passed by chance in one of two million


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


def grey(*shape: int) -> Tensor:
    """Return faces far from black and white."""
    return 0.2 + 0.6 * torch.rand(shape, generator=seeded(2), dtype=torch.float64)


def check_direction_and_length(estimate: Tensor, gradient: Tensor) -> None:
    """Compare with what the mean over pairs of (g . n) n must be within, n being normal.

    Along g it is |g| times the mean of squares of normal numbers: 1, with the variance 2 / pairs.
    Across it has DIMENSIONS - 1 values of variance |g|^2 / pairs, so that the square of its length
    is chi-squared.
    """
    estimate, gradient = estimate.flatten(), gradient.flatten()
    along = estimate @ gradient / gradient.square().sum()
    assert abs(along - 1) < RARE * sqrt(2 / PAIRS)
    across = (estimate - along * gradient).square().sum() / gradient.square().sum()
    values = DIMENSIONS - 1
    assert abs(across * PAIRS / values - 1) < RARE * sqrt(2 / values)


def test_estimate_has_the_direction_and_the_length_of_a_known_gradient() -> None:
    gradient, face = some(1, 1, 3, SIDE, SIDE), grey(1, 1, 3, SIDE, SIDE)
    estimate = estimated_slope(
        lambda faces, _: (faces * gradient).sum((1, 2, 3, 4)),
        face,
        torch.tensor([0]),
        Noise([(SIDE, SIDE)], seeded()),
        pairs=PAIRS,
        sigma=0.001,
        per_pass=1000,
    )
    check_direction_and_length(estimate, gradient)


def test_estimate_of_a_quadratic_function_has_no_error_from_its_curvature() -> None:
    curvature, linear = some(DIMENSIONS, DIMENSIONS), some(DIMENSIONS, seed=3)
    face = grey(1, 1, 3, SIDE, SIDE)

    def ask(faces: Tensor, _: Tensor) -> Tensor:
        flat = faces.flatten(1)
        return (flat @ curvature * flat).sum(1) + flat @ linear

    gradient = (curvature + curvature.T) @ face.flatten() + linear
    noise = Noise([(SIDE, SIDE)], seeded())
    estimate = estimated_slope(
        ask, face, torch.tensor([0]), noise, pairs=PAIRS, sigma=0.02, per_pass=1000
    )
    check_direction_and_length(estimate, gradient)


def test_black_and_white_values_keep_half_of_the_length() -> None:
    face = torch.tensor([0.0, 1.0, 0.5], dtype=torch.float64).view(1, 1, 3, 1, 1)
    noise = Noise([(1, 1)], seeded())
    estimate = estimated_slope(
        lambda faces, _: faces.sum((1, 2, 3, 4)),
        face,
        torch.tensor([0]),
        noise,
        pairs=PAIRS,
        sigma=0.001,
        per_pass=1000,
    ).flatten()
    # A value's square has the variance 2, and two foreign values add one each at most.
    expected = torch.tensor([0.5, 0.5, 1.0], dtype=torch.float64)
    assert ((estimate - expected).abs() < RARE * sqrt((2 + 1 + 1) / PAIRS)).all()


def test_each_face_of_a_batch_gets_the_estimate_that_it_gets_alone() -> None:
    gradients, faces = some(3, 1, 3, SIDE, SIDE), grey(3, 1, 3, SIDE, SIDE)

    def ask(faces: Tensor, items: Tensor) -> Tensor:
        return (faces * gradients[items]).sum((1, 2, 3, 4))

    def estimates(items: list[int], per_pass: int) -> Tensor:
        noise = Noise([(SIDE, SIDE)] * 3, seeded())
        return estimated_slope(
            ask,
            faces[items],
            torch.tensor(items),
            noise,
            pairs=7,
            sigma=0.001,
            per_pass=per_pass,
        )

    together = estimates([0, 1, 2], 1000)
    for per_pass in (1, 2, 6, 10, 42):
        torch.testing.assert_close(estimates([0, 1, 2], per_pass), together)
    for item in range(3):
        torch.testing.assert_close(estimates([item], 8)[0], together[item])


@pytest.mark.parametrize(("per_pass", "largest"), [(1, 2), (2, 2), (7, 6), (32, 32)])
def test_no_pass_has_more_faces_than_allowed_and_each_pair_is_one(
    per_pass: int, largest: int
) -> None:
    seen = []

    def ask(faces: Tensor, items: Tensor) -> Tensor:
        seen.append(len(faces))
        above, below = faces.chunk(2)
        centre = (above + below) / 2
        torch.testing.assert_close(centre, face[items[: len(above)]])  # the noise is shared
        return torch.zeros(len(faces))

    face = grey(3, 1, 3, SIDE, SIDE)
    noise = Noise([(SIDE, SIDE)] * 3, seeded())
    estimated_slope(ask, face, torch.arange(3), noise, pairs=20, sigma=0.001, per_pass=per_pass)
    assert max(seen) == largest
    assert sum(seen) == 3 * 2 * 20


def test_noise_is_normal_and_never_the_same_twice() -> None:
    side = 100
    noise = Noise([(side, side)], seeded())
    first, second = torch.empty(2, 1, 3, side, side)
    noise.fill(first, 0)
    noise.fill(second, 0)
    values = first.flatten()
    count = len(values)
    assert abs(values.mean()) < RARE / sqrt(count)
    assert abs(values.square().mean() - 1) < RARE * sqrt(2 / count)
    assert abs(values.pow(4).mean() - 3) < RARE * sqrt(96 / count)
    assert abs((values * second.flatten()).mean()) < RARE / sqrt(count)
    for bound, share in ((1.0, 0.158655), (2.0, 0.022750), (3.0, 0.001350)):
        assert abs((values > bound).float().mean() - share) < RARE * sqrt(share / count)


def test_noise_of_an_item_hangs_on_seed_and_number_but_not_on_its_company() -> None:
    def of(sizes: list[tuple[int, int]], item: int, seed: int = 0) -> Tensor:
        face = torch.full((1, 3, 9, 9), torch.nan)
        Noise(sizes, seeded(seed)).fill(face, item)
        return face

    face = of([(9, 9), (4, 6)], 1)
    assert torch.equal(face, of([(2, 2), (4, 6), (5, 5)], 1))
    assert not torch.equal(face, of([(9, 9), (4, 6)], 1, seed=1))
    assert not torch.equal(face, of([(4, 6)], 0))
    assert (face[..., :4, :6] != 0).all()
    assert (face[..., 4:, :] == 0).all()
    assert (face[..., 6:] == 0).all()
