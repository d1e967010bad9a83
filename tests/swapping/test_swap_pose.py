import cv2
import numpy as np
import pytest

from unmask.errors import InvalidInputError
from unmask.faces.topology import MEAN_FACE, Points
from unmask.swapping.pose import DEPTH, STEADY, Rotation, angle_between, angles_of, head_pose


def turned(yaw: float, pitch: float, roll: float) -> Rotation:
    """Return the rotation of a head that looks right, then down, then leans; in degrees."""
    rotations = [
        cv2.Rodrigues(np.radians(angle) * np.array(axis, np.float64))[0]
        for angle, axis in ((yaw, (0, -1, 0)), (pitch, (1, 0, 0)), (roll, (0, 0, 1)))
    ]
    yawed, pitched, rolled = (np.asarray(one) for one in rotations)
    return np.asarray(rolled @ yawed @ pitched)


def seen(pose: Rotation) -> Points:
    """Return the mean face in a pose as a far camera sees it; mouth and jaw lie anywhere."""
    points = np.random.default_rng(0).uniform(0, 300, (68, 2))
    face = np.column_stack([MEAN_FACE[STEADY], DEPTH])
    points[STEADY] = 80 * (face @ pose.T)[:, :2] + [120, 90]
    return points.astype(np.float32)


@pytest.mark.parametrize("angles", [(0, 0, 0), (30, 0, 0), (-20, 10, 0), (5, -15, 25)])
def test_pose_of_a_turned_face_is_found(angles: tuple[float, float, float]) -> None:
    pose = turned(*angles)
    np.testing.assert_allclose(head_pose(seen(pose)), pose, atol=1e-4)


def test_pose_agrees_with_a_camera_that_is_far_away() -> None:
    pose, distance = turned(-15, 8, 5), 1000.0
    face = np.column_stack([MEAN_FACE[STEADY], DEPTH])
    camera = np.array([[80 * distance, 0, 120], [0, 80 * distance, 90], [0, 0, 1.0]])
    points = seen(pose)[STEADY].astype(np.float64)
    start, away = np.zeros(3), np.array([0, 0, distance])
    _, found, _ = cv2.solvePnP(face, points, camera, None, start, away, useExtrinsicGuess=True)
    assert angle_between(head_pose(seen(pose)), np.asarray(cv2.Rodrigues(found)[0])) < 0.5


def test_angles_say_where_the_face_looks() -> None:
    yaw, pitch, roll = angles_of(head_pose(seen(turned(20, 0, 0))))
    assert (yaw, pitch, roll) == pytest.approx((20, 0, 0), abs=0.01)
    # The tip of the nose moves to where the face looks.
    looks_right, looks_down = seen(turned(20, 0, 0)), seen(turned(0, 20, 0))
    assert looks_right[30, 0] > seen(np.eye(3))[30, 0]
    assert looks_down[30, 1] > seen(np.eye(3))[30, 1]
    assert angles_of(turned(0, 20, 0)) == pytest.approx((0, 20, 0), abs=1e-6)
    assert angles_of(turned(0, 0, 20)) == pytest.approx((0, 0, 20), abs=1e-6)


def test_angle_between_two_poses_is_that_of_the_turn_from_one_to_the_other() -> None:
    assert angle_between(turned(10, 0, 0), turned(-15, 0, 0)) == pytest.approx(25)
    assert angle_between(turned(0, 7, 0), turned(0, 7, 0)) == pytest.approx(0, abs=1e-5)


def test_other_numbers_of_landmarks_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="K of 478, 68 or 5, got \\(7, 2\\)"):
        head_pose(np.zeros((7, 2), np.float32))
