"""The moving head: pixels and landmarks go the same way, and the picture never tears."""

from functools import cache

import cv2
import numpy as np
import pytest

from unmask.generators.stills_expression import express, expressed_points
from unmask.generators.stills_gesture import PEAKS, Gesture
from unmask.generators.stills_head import Head

pytest.importorskip("openpeople")


@cache
def head() -> Head:
    from unmask.generators.openpeople import load_head

    return load_head("P001", 256)


def test_head_at_rest_is_the_still_itself() -> None:
    person = head().person
    inside = slice(person.margin, -person.margin)
    still = cv2.resize(person.canvas[inside, inside], (256, 256), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(head().picture(person.canvas, Gesture()), still)


@pytest.mark.parametrize("action", PEAKS)
def test_landmarks_lie_where_the_pixels_went(action: str) -> None:
    person, gesture = head().person, PEAKS[action]
    for landmark in (1, 33, 152, 234, 291, 10):
        x, y = person.points[landmark, :2]
        rows, columns = np.mgrid[: len(person.canvas), : len(person.canvas)]
        spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 3.0**2))
        drawn = head().picture(np.dstack([spot] * 3).round().astype(np.uint8), gesture)[:, :, 0]
        weight = drawn.astype(float) / drawn.sum()
        center = [(weight * axis).sum() for axis in np.mgrid[:256, :256][::-1]]
        (expected,) = head().moved(person.points[[landmark], :2], gesture)
        np.testing.assert_allclose(center, expected, atol=0.35)


@pytest.mark.parametrize(
    "gesture",
    [
        *PEAKS.values(),
        Gesture(yaw=0.35, pitch=0.2, roll=0.3),
        Gesture(yaw=-0.35, pitch=-0.25, roll=-0.3, right=0.05),
    ],
)
def test_picture_never_folds_over_itself(gesture: Gesture) -> None:
    line = np.linspace(0, len(head().person.canvas) - 1, 60)
    grid = np.stack(np.meshgrid(line, line), axis=2)
    moved = head().moved(grid.reshape(-1, 2), gesture).reshape(grid.shape)
    across, down = np.diff(moved, axis=1)[:-1], np.diff(moved, axis=0)[:, :-1]
    turns = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    assert turns.min() > 0.05 * np.median(turns)


def test_face_at_rest_is_not_redrawn() -> None:
    canvas, points = express(head().person, Gesture(yaw=0.2))
    assert canvas is head().person.canvas
    np.testing.assert_array_equal(points, head().person.points[:, :2])


def test_full_key_puts_the_mouth_where_the_key_has_it() -> None:
    person = head().person
    points = expressed_points(person, Gesture(smile=1.0))
    corners = [61, 291]
    np.testing.assert_allclose(
        points[corners], (person.points[:468, :2] + person.keys["smile"].shift)[corners]
    )


def test_expression_changes_no_pixel_away_from_the_face() -> None:
    person = head().person
    canvas, _ = express(person, Gesture(open=1.0, lids=1.0, brows=0.1))
    outside = np.full(canvas.shape[:2], 255, np.uint8)
    ring = np.rint(person.mesh[468:]).astype(np.int32)
    cv2.fillPoly(outside, [ring], 0)
    far = cv2.erode(outside, np.ones((5, 5), np.uint8)) > 0
    np.testing.assert_array_equal(canvas[far], person.canvas[far])


def test_open_mouth_shows_teeth_or_the_dark_of_the_mouth_instead_of_skin() -> None:
    person = head().person
    canvas, points = express(person, Gesture(open=1.0))
    x, y = points[[13, 14]].mean(axis=0).round().astype(int)
    assert canvas[y, x].mean() < 0.6 * person.canvas[y, x].mean()


def test_blush_reddens_the_cheeks_and_nothing_else() -> None:
    person = head().person
    canvas, points = express(person, Gesture(blush=1.0))
    change = canvas.astype(int) - person.canvas
    x, y = points[50].round().astype(int)
    assert change[y, x, 0] > 0 > change[y, x, 1]
    assert not change[:100].any()
