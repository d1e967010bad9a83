"""The face mesh that comes with the package, against what a closed surface must be."""

from collections import Counter
from itertools import combinations

import numpy as np

from unmask.generators.stills_face import (
    EYE_TRIANGLES,
    LANDMARK_FILE,
    MESH,
    MOUTH_TRIANGLES,
    OVAL,
    RING_TRIANGLES,
    Triangles,
    eye_distance,
    skin_triangles,
    soft_step,
    with_ring,
)


def border_of(*meshes: Triangles) -> list[frozenset[int]]:
    counts = Counter(
        frozenset(edge) for one in np.concatenate(meshes).tolist() for edge in combinations(one, 2)
    )
    assert max(counts.values()) == 2, "an edge belongs to one triangle or to two"
    return [edge for edge, count in counts.items() if count == 1]


def test_skin_has_four_borders_the_outline_two_eyes_and_the_mouth() -> None:
    assert len(border_of(skin_triangles())) == 36 + 16 + 16 + 20


def test_eyes_and_mouth_fill_the_skin_up_to_the_outline_of_the_face() -> None:
    border = border_of(skin_triangles(), EYE_TRIANGLES, MOUTH_TRIANGLES)
    outline = {
        frozenset((one, other)) for one, other in zip(OVAL, OVAL[1:] + OVAL[:1], strict=True)
    }
    assert set(border) == outline


def test_ring_carries_the_skin_on_all_around() -> None:
    border = border_of(skin_triangles(), EYE_TRIANGLES, MOUTH_TRIANGLES, RING_TRIANGLES)
    assert {point for edge in border for point in edge} == set(range(MESH, MESH + 36))


def test_every_landmark_belongs_to_the_mesh() -> None:
    assert set(skin_triangles().ravel().tolist()) == set(range(MESH))


def test_landmarks_of_all_people_are_whole_faces() -> None:
    with np.load(LANDMARK_FILE) as file:
        landmarks = file["landmarks"] / float(file["steps_a_pixel"])
    assert landmarks.shape == (9, 3, 478, 3)
    for person in landmarks:
        assert eye_distance(person[0]) > 250, "portraits have 2048 pixels"
        for points in person:
            ringed = with_ring(points)
            assert ringed.shape == (504, 2)
            assert np.ptp(ringed[MESH:, 0]) > np.ptp(points[:MESH, 0])


def test_soft_step_also_falls() -> None:
    np.testing.assert_allclose(soft_step(np.array([0.0, 1, 2]), 2, 0), [1, 0.5, 0])
