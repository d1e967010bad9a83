"""Landmark schemes: which point is where, and what is guessed from less."""

import numpy as np
import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.topology import (
    CONTOURS,
    FIVE,
    MEAN_FACE,
    MESH,
    Points,
    contours_of,
    eye_distance,
    five_of,
    moved,
    outline,
    region,
    similarity,
    vertices,
)

TURN = np.array([[40.0, -18.0, 120.0], [18.0, 40.0, 90.0]])  # a turn, a scale of 44 and a shift


def face(count: int) -> Points:
    """Return landmarks of the mean face, 44 pixels between the eyes, in any of the schemes."""
    contours = moved(MEAN_FACE, TURN)
    if count == CONTOURS:
        return contours
    if count == FIVE:
        return five_of(contours)
    mesh = np.random.default_rng(0).uniform(100, 160, (MESH, 2)).astype(np.float32)
    numbers = np.arange(MESH, dtype=np.float32)
    chosen = contours_of(np.stack([numbers, numbers], axis=1))[:, 0].astype(int)
    mesh[chosen] = contours
    return mesh


def test_mean_face_has_its_eyes_one_apart_and_is_symmetric() -> None:
    left, right, nose, *corners = five_of(MEAN_FACE)
    np.testing.assert_allclose([left, right], [[-0.5, 0], [0.5, 0]], atol=2e-3)
    assert nose[0] == 0
    np.testing.assert_allclose(corners[0] * (-1, 1), corners[1])
    np.testing.assert_allclose(MEAN_FACE[:17] * (-1, 1), MEAN_FACE[16::-1])


def test_similarity_is_recovered_from_moved_points() -> None:
    np.testing.assert_allclose(similarity(MEAN_FACE, moved(MEAN_FACE, TURN)), TURN, atol=1e-4)


@pytest.mark.parametrize("count", [MESH, CONTOURS, FIVE])
def test_every_scheme_tells_the_same_five_points(count: int) -> None:
    np.testing.assert_allclose(five_of(face(count)), moved(five_of(MEAN_FACE), TURN), atol=1e-3)
    assert eye_distance(face(count)) == pytest.approx(np.hypot(40, 18), rel=1e-2)


def test_five_points_of_the_mean_face_complete_to_the_mean_face() -> None:
    np.testing.assert_allclose(contours_of(face(FIVE)), face(CONTOURS), atol=0.05)


def test_completed_face_goes_through_the_five_points_it_was_made_from() -> None:
    five = face(FIVE) + np.random.default_rng(1).normal(0, 4, (5, 2)).astype(np.float32)
    np.testing.assert_allclose(five_of(contours_of(five)), five, atol=1e-3)


@pytest.mark.parametrize("count", [MESH, CONTOURS, FIVE])
@pytest.mark.parametrize("name", ["lips", "inner_mouth", "left_eye", "right_eye"])
def test_every_scheme_knows_each_region(count: int, name: str) -> None:
    polygon = region(face(count), name)
    assert polygon.ndim == 2
    assert polygon.shape[0] >= 6
    assert polygon.dtype == np.float32


def test_regions_of_the_contours_lie_around_their_five_points() -> None:
    left, right, _, first, last = five_of(face(CONTOURS))
    np.testing.assert_allclose(region(face(CONTOURS), "left_eye").mean(axis=0), left, atol=1e-3)
    np.testing.assert_allclose(region(face(CONTOURS), "right_eye").mean(axis=0), right, atol=1e-3)
    lips = region(face(CONTOURS), "lips")
    assert {tuple(first), tuple(last)} <= {tuple(point) for point in lips}


@pytest.mark.parametrize("count", [CONTOURS, FIVE])
def test_outline_without_a_mesh_has_a_forehead_above_the_brows(count: int) -> None:
    upright = moved(face(count), similarity(face(CONTOURS), MEAN_FACE))
    brows = contours_of(upright)[17:27]
    forehead = outline(upright)[17:]
    assert (forehead[::-1, 1] < brows[:, 1] - 0.15).all()
    np.testing.assert_allclose(forehead[::-1, 0], brows[:, 0], atol=0.02)


@pytest.mark.parametrize("count", [MESH, CONTOURS, FIVE])
def test_corners_of_the_outline_are_vertices_of_the_mesh(count: int) -> None:
    known = {tuple(point) for point in vertices(face(count)).tolist()}
    assert {tuple(point) for point in outline(face(count)).tolist()} <= known


@pytest.mark.shared
def test_outline_and_regions_of_the_mesh_are_where_they_are_in_real_landmarks(shared) -> None:  # type: ignore[no-untyped-def]
    stored = np.load(shared / "data" / "openpeople-keys" / "lmk.npz")["L"]
    neutral = stored[0, 0, :, :2].astype(np.float32)
    left, right, nose, first, last = five_of(neutral)
    assert left[0] < nose[0] < right[0]
    assert max(left[1], right[1]) < nose[1] < min(first[1], last[1])
    whole = outline(neutral)
    assert (whole.min(axis=0) <= neutral.min(axis=0) + 4).all()
    assert (whole.max(axis=0) >= neutral.max(axis=0) - 4).all()
    np.testing.assert_allclose(region(neutral, "left_eye").mean(axis=0), left, atol=2)
    np.testing.assert_allclose(region(neutral, "right_eye").mean(axis=0), right, atol=2)
    opened = stored[0, 1, :, :2].astype(np.float32)
    assert (
        np.ptp(region(opened, "inner_mouth")[:, 1])
        > 20
        > np.ptp(region(neutral, "inner_mouth")[:, 1])
    )


def test_misspelt_region_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="a face has no 'lip'; did you mean 'lips'"):
        region(face(CONTOURS), "lip")


@pytest.mark.parametrize("shape", [(68,), (68, 3), (106, 2), (0, 2)])
def test_landmarks_of_another_scheme_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInputError, match=r"K of 478, 68 or 5, got \("):
        outline(np.zeros(shape, np.float32))
