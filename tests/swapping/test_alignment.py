import re

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from makers.drawn_face import landmarks, pose
from unmask.errors import InvalidInputError
from unmask.faces.topology import MEAN_FACE, contours_of, moved
from unmask.swapping.alignment import cut_face, face_matrix


def ramps(side: int = 127) -> NDArray[np.uint8]:
    """Return a picture whose red is twice the column and whose green is twice the row."""
    rows, columns = np.mgrid[:side, :side]
    return np.stack([2 * columns, 2 * rows, 0 * rows], axis=2).astype(np.uint8)


@pytest.mark.parametrize("padding", [0.375, 0.5, 0.625])
def test_brows_to_mouth_of_the_mean_face_are_as_wide_as_told_and_in_the_middle(
    padding: float,
) -> None:
    face = moved(MEAN_FACE, pose(size=31, x=400, y=250, turn=0.7))
    inner = moved(face, face_matrix(face, 256, padding=padding))[17:]
    low, high = inner.min(axis=0), inner.max(axis=0)
    assert (high - low)[0] == pytest.approx((1 - padding) * 256, abs=1e-3)
    assert (low + high) / 2 == pytest.approx([127.5, 127.5], abs=1e-3)


def test_the_jaw_has_no_say() -> None:
    face = moved(MEAN_FACE, pose())
    open_mouthed = face.copy()
    open_mouthed[:17, 1] += 20
    assert np.array_equal(face_matrix(face, 64), face_matrix(open_mouthed, 64))


def test_a_face_lies_in_the_picture_as_it_does_in_any_pose() -> None:
    random = np.random.default_rng(0)
    face = MEAN_FACE + random.normal(0, 0.05, MEAN_FACE.shape).astype(np.float32)
    there = [
        moved(points, face_matrix(points, 128))
        for points in (moved(face, pose(size=20, turn=-1.2)), moved(face, pose(size=200, x=9)))
    ]
    assert there[0] == pytest.approx(there[1], abs=1e-3)


@pytest.mark.parametrize("count", [478, 5])
def test_other_landmarks_are_taken_as_the_68_that_are_made_of_them(count: int) -> None:
    points = landmarks(count, pose())
    assert np.array_equal(face_matrix(points, 64), face_matrix(contours_of(points), 64))


def test_the_inverse_leads_the_landmarks_back() -> None:
    face = moved(MEAN_FACE, pose(size=77, x=300, y=120, turn=0.3))
    matrix = face_matrix(face, 256)
    back = cv2.invertAffineTransform(matrix)
    assert moved(moved(face, matrix), back) == pytest.approx(face, abs=1e-3)
    assert matrix.dtype == np.float64
    assert matrix.shape == (2, 3)


def test_every_size_shows_the_same_part_of_the_face() -> None:
    face = moved(MEAN_FACE, pose(turn=0.4))
    seen = [
        moved(
            np.array([[-0.5, -0.5], [size - 0.5, size - 0.5]], np.float32),
            cv2.invertAffineTransform(face_matrix(face, size)),
        )
        for size in (64, 256)
    ]
    assert seen[0] == pytest.approx(seen[1], abs=1e-3)


@pytest.mark.parametrize("eyes", [3, 8, 12, 25, 40])
@pytest.mark.parametrize("turn", [0.0, 0.6])
def test_each_pixel_shows_the_place_that_the_matrix_leads_it_back_to(
    eyes: float, turn: float
) -> None:
    # From one fifth of the size to four times: a mean over areas of a ramp is its middle.
    face = moved(MEAN_FACE, pose(size=eyes, x=63, y=50, turn=turn))
    matrix = face_matrix(face, 32)
    rows, columns = np.mgrid[:32, :32]
    places = np.stack([columns, rows], axis=2).reshape(-1, 2).astype(np.float32)
    seen = moved(places, cv2.invertAffineTransform(matrix))
    inside = ((seen > 8) & (seen < 118)).all(axis=1)
    shown = cut_face(ramps(), matrix, 32).reshape(-1, 3)[:, :2] / 2
    assert inside.sum() > 300
    # OpenCV counts 32nds of a pixel, rounds halves up, and a grey value is half a pixel here.
    assert np.abs(shown - seen)[inside].max() < 0.6
    assert np.abs((shown - seen)[inside].mean(axis=0)).max() < 0.25


@pytest.mark.parametrize("eyes", [45, 60, 100])
def test_detail_too_fine_for_the_picture_is_averaged(eyes: float) -> None:
    chequer = np.indices((400, 400)).sum(axis=0) % 2 * np.uint8(255)
    image = np.repeat(chequer[:, :, None], 3, axis=2).astype(np.uint8)
    matrix = face_matrix(moved(MEAN_FACE, pose(size=eyes, x=200, y=180)), 32)
    assert np.abs(cut_face(image, matrix, 32).astype(float) - 127.5).max() < 25


def test_beyond_the_border_the_picture_is_repeated() -> None:
    image = np.full((40, 40, 3), 77, np.uint8)
    matrix = face_matrix(moved(MEAN_FACE, pose(size=20, x=5, y=38)), 64)
    assert (cut_face(image, matrix, 64) == 77).all()


@pytest.mark.parametrize(
    ("size", "padding", "words"),
    [
        (0, 0.5, "size must be 1 pixel or more, got 0"),
        (64, 1.0, "padding must lie in [0, 1), got 1.0"),
        (64, -0.1, "padding must lie in [0, 1), got -0.1"),
    ],
)
def test_settings_out_of_range_are_refused(size: int, padding: float, words: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(words)):
        face_matrix(MEAN_FACE, size, padding=padding)


def test_landmarks_of_no_face_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="landmarks must be finite"):
        face_matrix(np.full((68, 2), np.nan, np.float32), 64)
    with pytest.raises(InvalidInputError, match="points must not all be in one place"):
        face_matrix(np.ones((68, 2), np.float32), 64)
    with pytest.raises(InvalidInputError, match=re.escape("got (7, 2)")):
        face_matrix(np.ones((7, 2), np.float32), 64)
