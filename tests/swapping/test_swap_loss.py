from itertools import product

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.swapping.loss import swap_loss

HEIGHT, WIDTH = 10, 14  # one row and two columns more than patches of three fill


def random_batch(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    made = torch.rand(3, 2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))
    predicted, truth, masks = made.double()
    return predicted, truth, (1.5 * masks).clamp(0, 1)


def dissimilarity(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the mean over patches of (1 - SSIM) / 2 of two pictures (3, H, W)."""
    found = []
    for row, column in product(range(0, HEIGHT - 2, 3), range(0, WIDTH - 2, 3)):
        one, other = (
            picture[:, row : row + 3, column : column + 3].ravel() for picture in (first, second)
        )
        assert one.size == 27
        covariance = ((one - one.mean()) * (other - other.mean())).mean()
        ssim = (2 * one.mean() * other.mean() + 0.01**2) * (2 * covariance + 0.03**2)
        ssim /= (one.mean() ** 2 + other.mean() ** 2 + 0.01**2) * (
            one.var() + other.var() + 0.03**2
        )
        found.append((1 - ssim) / 2)
    return float(np.mean(found))


@pytest.mark.parametrize(("eyes", "mouth"), [(3.0, 2.0), (3.0, 1.0), (1.0, 0.0)])
def test_loss_equals_a_loop_over_pictures_areas_and_patches(eyes: float, mouth: float) -> None:
    batch = random_batch()
    expected = 0.0
    for predicted, truth, masks in zip(*(one.numpy() for one in batch), strict=True):
        for area, weight in enumerate((1.0, eyes, mouth)):
            mask = masks[area]
            if area == 0 or weight > 1:
                shown, wanted = mask * predicted, mask * truth
                expected += weight * dissimilarity(shown, wanted)
                expected += float(((shown - wanted) ** 2).mean())
    found = swap_loss(*batch, eyes=eyes, mouth=mouth)
    assert found.item() == pytest.approx(expected / 2, rel=1e-9)


def test_loss_of_equal_pictures_is_nothing() -> None:
    _, truth, masks = random_batch()
    assert swap_loss(truth, truth, masks).item() == pytest.approx(0, abs=1e-12)


def test_what_lies_outside_the_masks_is_free() -> None:
    predicted, truth, _ = random_batch()
    masks = torch.zeros_like(truth)
    masks[:, :, :6, :6] = 1
    changed = predicted.clone()
    changed[:, :, 6:], changed[..., 6:] = 0, 1
    assert torch.equal(swap_loss(predicted, truth, masks), swap_loss(changed, truth, masks))


def test_slope_of_the_loss_is_that_of_small_steps() -> None:
    predicted, truth, masks = random_batch(1)
    torch.autograd.gradcheck(
        lambda faces: swap_loss(faces, truth[:1], masks[:1]), predicted[:1].requires_grad_()
    )


def test_loss_in_single_precision_is_that_in_double() -> None:
    batch = random_batch(2)
    single = swap_loss(*(one.float() for one in batch))
    assert single.item() == pytest.approx(swap_loss(*batch).item(), rel=1e-5)
