"""Warp a picture over a mesh of triangles, watertight, in plain NumPy and one OpenCV remap."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from unmask.errors import InvalidInputError

Kind = TypeVar("Kind", bound=np.integer | np.floating)

# A pixel this far outside an edge still counts as inside: neighbours overlap and never gape.
EDGE_TOLERANCE = 1e-6
FLAT_AREA = 1e-9


def triangulate(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Return the Delaunay triangles of some points.

    Args:
        points: (K, 2) pixels x, y; at least three, not all on one line.

    Returns:
        (M, 3) rows of `points`, covering their convex hull.

    Raises:
        InvalidInputError: if the points span no area.

    Example:
        >>> corners = np.array([[0, 0], [4, 0], [4, 4], [0, 4]])
        >>> triangulate(corners).shape
        (2, 3)
    """
    checked = _checked_points("points", points)
    if len(checked) < 3 or np.linalg.matrix_rank(checked - checked.mean(axis=0), tol=1e-6) < 2:
        raise InvalidInputError(
            f"points must span an area, got {len(checked)} on one line; "
            "check that the landmarks were found"
        )
    return np.asarray(Delaunay(checked).simplices, dtype=np.int32)


def source_map(
    from_points: NDArray[np.floating],
    to_points: NDArray[np.floating],
    triangles: NDArray[np.integer],
    shape: tuple[int, int],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return where each pixel of the warped picture comes from, one affine map a triangle.

    Where triangles overlap (a mesh folded over itself) the later one wins; a triangle without
    area at `to_points` draws nothing.

    Args:
        from_points: (K, 2) pixels x, y in the picture that is read.
        to_points: (K, 2) pixels x, y in the picture that is made.
        triangles: (M, 3) rows of both.
        shape: height and width of the picture that is made.

    Returns:
        The map (H, W, 2) of source x, y in pixels, zero where no triangle lies, and the
        coverage (H, W), true where one does. Pixel centres are at whole numbers.

    Raises:
        InvalidInputError: if the points do not match each other or the triangles.
    """
    sources, targets = (
        _checked_points("from_points", from_points),
        _checked_points("to_points", to_points),
    )
    _check_mesh(sources, targets, triangles)
    height, width = shape
    corners = _turned_alike(targets, np.asarray(triangles))
    triangle, row, column, count = _spans(targets[corners], height, width)
    offset, across, down = _affine_maps(sources[corners], targets[corners])
    first = offset[triangle] + across[triangle] * column + down[triangle] * row

    within = _counted_up(count)
    pixels = np.repeat(row * width + column, count) + within
    step = np.repeat(across[triangle].astype(np.complex64), count)
    flat = np.zeros(height * width, dtype=np.complex64)
    flat[pixels] = np.repeat(first.astype(np.complex64), count) + step * within.astype(np.float32)
    coverage = np.zeros(height * width, dtype=np.bool_)
    coverage[pixels] = True
    where = flat.view(np.float32).reshape(height, width, 2)
    return where, coverage.reshape(height, width)


def warp(
    image: NDArray[Kind],
    from_points: NDArray[np.floating],
    to_points: NDArray[np.floating],
    triangles: NDArray[np.integer],
    shape: tuple[int, int],
    *,
    interpolation: int = cv2.INTER_LINEAR,
) -> tuple[NDArray[Kind], NDArray[np.bool_]]:
    """Draw a picture so that `from_points` come to lie at `to_points`.

    Args:
        image: (H, W) or (H, W, C), any type that OpenCV can remap.
        from_points: (K, 2) pixels x, y in `image`.
        to_points: (K, 2) pixels x, y in the result.
        triangles: (M, 3) rows of both, for example from `triangulate(to_points)`.
        shape: height and width of the result.
        interpolation: OpenCV's name of the way to read between pixels.

    Returns:
        The result of the given height and width, zero outside the mesh, and the coverage
        (H, W), true inside it.

    Raises:
        InvalidInputError: if the points do not match each other or the triangles.

    Example:
        >>> picture = np.arange(16, dtype=np.uint8).reshape(4, 4)
        >>> corners = np.array([[0, 0], [3, 0], [3, 3], [0, 3]])
        >>> mirrored, covered = warp(
        ...     picture, corners, corners[[1, 0, 3, 2]], triangulate(corners), (4, 4)
        ... )
        >>> mirrored[0].tolist(), bool(covered.all())
        ([3, 2, 1, 0], True)
    """
    where, coverage = source_map(from_points, to_points, triangles, shape)
    columns, rows = np.ascontiguousarray(where[:, :, 0]), np.ascontiguousarray(where[:, :, 1])
    drawn = cv2.remap(image, columns, rows, interpolation, borderMode=cv2.BORDER_REPLICATE)
    drawn[~coverage] = 0
    return np.asarray(drawn, dtype=image.dtype), coverage


def _checked_points(name: str, given: NDArray[np.floating]) -> NDArray[np.float64]:
    points = np.asarray(given, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise InvalidInputError(
            f"{name} must be finite and of shape (K, 2), got {points.shape}"
            f"{'' if np.isfinite(points).all() else ' with NaN or infinity'}; "
            "give pixels x, y, one landmark a row"
        )
    return points


def _check_mesh(
    sources: NDArray[np.float64], targets: NDArray[np.float64], triangles: NDArray[np.integer]
) -> None:
    if sources.shape != targets.shape:
        raise InvalidInputError(
            f"from_points and to_points must be equally many, got {len(sources)} and "
            f"{len(targets)}; give the same landmarks in both pictures"
        )
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise InvalidInputError(
            f"triangles must be of shape (M, 3), got {triangles.shape}; use triangulate(points)"
        )
    if len(triangles) and not 0 <= triangles.min() <= triangles.max() < len(sources):
        raise InvalidInputError(
            f"triangles must name rows below {len(sources)}, got {triangles.min()} to "
            f"{triangles.max()}; triangulate the same landmarks"
        )


def _turned_alike(
    targets: NDArray[np.float64], triangles: NDArray[np.integer]
) -> NDArray[np.integer]:
    """Return the triangles with area, all turned the same way."""
    edges = targets[triangles[:, 1:]] - targets[triangles[:, :1]]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    turned = np.where((area < 0)[:, None], triangles[:, [0, 2, 1]], triangles)
    return np.asarray(turned[np.abs(area) > FLAT_AREA])


def _affine_maps(
    sources: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[NDArray[np.complex128], NDArray[np.complex128], NDArray[np.complex128]]:
    """Return offset, across, down per triangle: source = offset + across * x + down * y.

    A source point x, y is the complex number x + iy, so that one array carries both.
    """
    points = sources[:, :, 0] + 1j * sources[:, :, 1]
    first, second = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    (x1, y1), (x2, y2) = (targets[:, 1] - targets[:, 0]).T, (targets[:, 2] - targets[:, 0]).T
    area = x1 * y2 - x2 * y1
    across, down = (first * y2 - second * y1) / area, (second * x1 - first * x2) / area
    return points[:, 0] - across * targets[:, 0, 0] - down * targets[:, 0, 1], across, down


def _spans(corners: NDArray[np.float64], height: int, width: int) -> tuple[NDArray[np.intp], ...]:
    """Return the runs of pixels inside each triangle: triangle, row, column, count."""
    lowest, highest = corners[:, :, 1].min(axis=1), corners[:, :, 1].max(axis=1)
    top = np.ceil(np.maximum(lowest - EDGE_TOLERANCE, 0)).astype(np.intp)
    bottom = np.floor(np.minimum(highest + EDGE_TOLERANCE, height - 1)).astype(np.intp)
    rows = np.maximum(bottom - top + 1, 0)
    triangle = np.repeat(np.arange(len(corners)), rows)
    row = np.repeat(top, rows) + _counted_up(rows)

    left, right = np.zeros(len(row)), np.full(len(row), width - 1.0)
    for begin, end in ((0, 1), (1, 2), (2, 0)):
        rise = corners[:, end, 1] - corners[:, begin, 1]
        run = corners[:, end, 0] - corners[:, begin, 0]
        slope = np.divide(run, rise, out=np.zeros_like(run), where=rise != 0)
        crossing = corners[triangle, begin, 0] + slope[triangle] * (
            row - corners[triangle, begin, 1]
        )
        np.maximum(left, crossing - EDGE_TOLERANCE, out=left, where=rise[triangle] < 0)
        np.minimum(right, crossing + EDGE_TOLERANCE, out=right, where=rise[triangle] > 0)
    column = np.ceil(left).astype(np.intp)
    count = np.maximum(np.floor(right).astype(np.intp) - column + 1, 0)
    return triangle, row, column, count


def _counted_up(counts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return 0, 1, ... counts[0] - 1, 0, 1, ... counts[1] - 1, ..."""
    ends = np.cumsum(counts)
    return np.arange(counts.sum()) - np.repeat(ends - counts, counts)
