"""The mesh warp against closed forms: affine maps, the identity, and exact coverage."""

import numpy as np
import pytest
from numpy.typing import NDArray

from unmask.errors import InvalidInputError
from unmask.faces.mesh import source_map, triangulate, warp


def scattered(count: int, *, low: float, high: float, seed: int = 3) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(low, high, (count, 2))


def with_corners(points: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    last = size - 1
    return np.concatenate([points, [[0, 0], [last, 0], [last, last], [0, last]]])


def test_triangles_cover_the_convex_hull_once() -> None:
    points = with_corners(scattered(60, low=0, high=99), 100)
    edges = points[triangulate(points)]
    areas = np.abs(np.linalg.det(edges[:, 1:] - edges[:, :1])) / 2
    assert areas.sum() == pytest.approx(99 * 99)


def test_identity_warp_returns_the_picture_bit_for_bit() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    points = with_corners(scattered(100, low=1, high=78), 80)
    drawn, covered = warp(picture, points, points, triangulate(points), (80, 80))
    assert covered.all()
    np.testing.assert_array_equal(drawn, picture)


def test_affine_map_is_recovered_exactly_inside_the_hull() -> None:
    matrix, shift = np.array([[0.8, -0.3], [0.2, 1.1]]), np.array([12.5, -4.25])
    targets = scattered(200, low=5, high=90)
    sources = targets @ matrix.T + shift
    where, covered = source_map(sources, targets, triangulate(targets), (96, 96))
    rows, columns = np.nonzero(covered)
    expected = np.stack([columns, rows], axis=1) @ matrix.T + shift
    np.testing.assert_allclose(where[covered], expected, atol=2e-5)


def test_each_triangle_has_its_own_affine_map() -> None:
    targets = np.array([[0.0, 0], [40, 0], [0, 40], [40, 40]])
    sources = targets.copy()
    sources[3] += 10
    where, covered = source_map(sources, targets, np.array([[0, 1, 2], [1, 3, 2]]), (41, 41))
    assert covered.all()
    np.testing.assert_allclose(where[10, 12], (12, 10), atol=1e-5)
    # Barycentric weights of (x, y) in the second triangle: the moved corner has (x + y) / 40 - 1.
    np.testing.assert_allclose(where[30, 35], np.array([35, 30]) + 10 * (65 / 40 - 1), atol=1e-5)


def test_coverage_is_the_pixels_whose_centre_lies_in_a_triangle() -> None:
    corners = np.array([[3.2, 2.1], [27.7, 9.4], [11.3, 30.8]])
    _, covered = source_map(corners, corners, np.array([[0, 2, 1]]), (32, 32))
    y, x = np.mgrid[:32, :32]
    sides = [
        (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])
        for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
    ]
    np.testing.assert_array_equal(covered, np.min(sides, axis=0) >= 0)


def test_no_pixel_gapes_between_neighbouring_triangles() -> None:
    points = with_corners(scattered(478, low=0, high=255), 256)
    moved = points.copy()
    moved[:-4] += np.random.default_rng(5).normal(0, 0.2, (478, 2))
    _, covered = source_map(points, moved, triangulate(moved), (256, 256))
    assert covered.all()


def test_mesh_that_hangs_over_the_border_is_cut_there() -> None:
    corners = np.array([[-50.0, -50], [150, -50], [-50, 150]])
    where, covered = source_map(corners, corners, np.array([[0, 1, 2]]), (40, 30))
    assert covered.all()
    np.testing.assert_allclose(where[39, 29], (29, 39), atol=1e-4)


def test_triangle_without_area_draws_nothing() -> None:
    line, triangle = np.array([[1.0, 1], [5, 5], [9, 9]]), np.array([[0, 1, 2]])
    drawn, covered = warp(np.ones((12, 12)), line[::-1], line, triangle, (12, 12))
    assert not covered.any()
    assert not drawn.any()


@pytest.mark.parametrize("shape", [(20, 24), (20, 24, 3)])
def test_kind_and_channels_of_the_picture_are_kept(shape: tuple[int, ...]) -> None:
    whole = np.random.default_rng(1).integers(0, 200, shape, dtype=np.uint8)
    corners = np.array([[0.0, 0], [23, 0], [23, 19], [0, 19]])
    mirror = corners, corners[[1, 0, 3, 2]], triangulate(corners), (20, 24)
    drawn, _ = warp(whole, *mirror)
    fine, _ = warp(whole.astype(np.float32), *mirror)
    assert [drawn.dtype.name, fine.dtype.name] == ["uint8", "float32"]
    np.testing.assert_array_equal(drawn, whole[:, ::-1])
    np.testing.assert_array_equal(fine, whole[:, ::-1])


def test_points_on_one_line_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="points must span an area, got 3 on one line"):
        triangulate(np.array([[0.0, 0], [1, 1], [2, 2]]))


def test_points_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"shape \(K, 2\), got \(3, 2\) with NaN"):
        triangulate(np.array([[0.0, 0], [1, np.nan], [2, 0]]))


def test_unequal_landmark_counts_are_refused_with_both_counts() -> None:
    with pytest.raises(InvalidInputError, match="must be equally many, got 3 and 4"):
        source_map(np.zeros((3, 2)), np.zeros((4, 2)), np.array([[0, 1, 2]]), (8, 8))


def test_triangles_of_another_mesh_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="must name rows below 3, got 0 to 7"):
        source_map(np.zeros((3, 2)), np.zeros((3, 2)), np.array([[0, 1, 7]]), (8, 8))


def test_quadrilaterals_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"shape \(M, 3\), got \(1, 4\)"):
        source_map(np.zeros((4, 2)), np.zeros((4, 2)), np.array([[0, 1, 2, 3]]), (8, 8))
