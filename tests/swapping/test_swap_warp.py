from dataclasses import replace

import cv2
import numpy as np
import pytest

from unmask.swapping.augment import draw, no_change
from unmask.swapping.warp import crop_matrices, warp_maps, ways_back

SHARE, SIDE = 0.875, 256


def test_ways_back_undo_a_turn_a_zoom_a_move_and_a_mirror() -> None:
    draws = draw(np.random.default_rng(0), 20)
    back = ways_back(draws)
    assert draws.flip.any()
    assert not draws.flip.all()
    place = 0.3 - 0.2j
    for number, matrix in enumerate(back):
        changed = draws.zoom[number] * np.exp(1j * draws.angle[number]) * place
        changed += complex(*draws.shift[number])
        if draws.flip[number]:
            changed = -changed.conjugate()
        found = matrix @ (changed.real, changed.imag, 1)
        assert found == pytest.approx((place.real, place.imag))


def test_unchanged_crop_comes_from_the_middle_of_the_face() -> None:
    (matrix,) = crop_matrices(ways_back(no_change(1)), share=SHARE, size=56, side=SIDE)
    corners = np.array([(-0.5, -0.5, 1), (55.5, 55.5, 1)])  # the outer corners of its pixels
    assert corners @ matrix.T == pytest.approx(np.array([(15.5, 15.5), (239.5, 239.5)]))


def test_warp_without_jitter_is_the_crop() -> None:
    draws = draw(np.random.default_rng(1), 3)
    back = ways_back(draws)
    maps = warp_maps(back, 0 * draws.jitter, share=SHARE, size=64, side=SIDE)
    matrices = crop_matrices(back, share=SHARE, size=64, side=SIDE)
    rows, columns = np.indices((64, 64))
    places = np.stack([columns, rows, np.ones((64, 64))])
    assert maps == pytest.approx(np.einsum("bij,jrc->birc", matrices, places), abs=1e-3)


@pytest.mark.parametrize("size", [64, 128])
def test_warp_is_the_published_one_that_resizes_the_points_and_cuts_their_border(
    size: int,
) -> None:
    jitter = np.random.default_rng(2).normal(0, 5 / SIDE, (1, 5, 5, 2))
    found = warp_maps(ways_back(no_change(1)), jitter, share=SHARE, size=size, side=SIDE)
    border = (1 - SHARE) / 2 * SIDE
    along = np.linspace(border, SIDE - border, 5) - 0.5  # pixel centres are whole numbers
    cut = slice(size // 8, -size // 8)
    for axis, points in enumerate(np.meshgrid(along, along)):
        moved = (points + SIDE * jitter[0, ..., axis]).astype(np.float32)
        large = cv2.resize(moved, (size * 5 // 4, size * 5 // 4))
        assert found[0, axis] == pytest.approx(large[cut, cut], abs=1e-3)


def test_a_point_that_is_moved_moves_its_surround_alone() -> None:
    jitter = np.zeros((1, 5, 5, 2))
    jitter[0, 1, 2] = 0.1, 0
    still = ways_back(no_change(1))
    plain = warp_maps(still, 0 * jitter, share=SHARE, size=64, side=SIDE)
    moved = warp_maps(still, jitter, share=SHARE, size=64, side=SIDE) - plain
    rows, columns = np.nonzero(moved[0, 0] > 1e-3)
    assert (rows.min(), rows.max()) == (0, 31)
    assert (columns.min(), columns.max()) == (16, 47)
    assert moved[0, 0].max() == pytest.approx(0.1 * SIDE, rel=0.1)
    assert not moved[0, 1].any()


def test_mirrored_face_is_turned_before_it_is_mirrored() -> None:
    draws = replace(no_change(1), flip=np.array([True]), shift=np.array([[0.1, 0.0]]))
    (matrix,) = ways_back(draws)
    # What was in the middle moved to the right, and the mirror shows it on the left.
    assert matrix @ (-0.1, 0, 1) == pytest.approx((0, 0))
