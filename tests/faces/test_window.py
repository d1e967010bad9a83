"""Windows of pictures, and pictures at another size."""

import numpy as np

from unmask.faces.window import corner_of, shrunk, window_around

PICTURE = np.zeros((40, 40, 3), np.uint8)


def test_window_is_cut_at_the_pictures_border() -> None:
    window = window_around(np.array([[-5.0, 3.2], [12.5, 20.0]]), 2.0, PICTURE)
    assert window == (slice(1, 23), slice(0, 16))
    assert window is not None
    assert corner_of(window).tolist() == [0, 1]


def test_points_outside_the_picture_have_no_window() -> None:
    assert window_around(np.array([[50.0, 50], [80, 90]]), 3.0, PICTURE) is None
    assert window_around(np.array([[-50.0, 5], [-20, 30]]), 3.0, PICTURE) is None


def test_points_stay_on_what_they_mark_when_a_picture_shrinks() -> None:
    picture = np.zeros((90, 120, 3), np.uint8)
    picture[30:39, 60:66] = 255  # its middle lies at x 62.5, y 34
    small, (point,) = shrunk(picture, np.array([[62.5, 34]], np.float32), 1 / 3)
    assert small.shape == (30, 40, 3)
    rows, columns = np.nonzero(small[:, :, 0])
    np.testing.assert_allclose(point, (columns.mean(), rows.mean()), atol=1e-5)


def test_picture_is_never_enlarged() -> None:
    points = np.array([[3.0, 4]], np.float32)
    same, kept = shrunk(PICTURE, points, 1.5)
    assert same is PICTURE
    assert kept is points
