import numpy as np

from unmask.faces.mtcnn import Face
from unmask.faces.select import main_tracks
from unmask.faces.track import Track


def track(number: int, side: float, frames: range) -> Track:
    """Return a track of square boxes."""
    face = Face((0, 0, side, side), np.zeros((5, 2), np.float32), 1.0)
    return Track(number, dict.fromkeys(frames, face))


def numbers(tracks: list[Track]) -> list[int]:
    return [one.number for one in tracks]


def test_the_main_face_is_large_and_long() -> None:
    long, large, small = track(0, 50, range(20)), track(1, 100, range(4)), track(2, 20, range(20))
    assert numbers(main_tracks([long, large, small])) == [0]  # 20 * 50 ** 2 > 4 * 100 ** 2


def test_of_equal_faces_the_first_is_the_main_one() -> None:
    tracks = [track(k, 50, range(10)) for k in range(3)]
    assert numbers(main_tracks(tracks)) == [0]
    assert numbers(main_tracks(tracks[::-1])) == [0]


def test_a_face_that_turns_up_elsewhere_is_added_while_the_main_one_is_away() -> None:
    before, after = track(0, 80, range(10)), track(2, 70, range(10, 30))
    beside = track(1, 60, range(5, 15))  # seen together with both
    assert numbers(main_tracks([before, beside, after])) == [0, 2]


def test_a_much_smaller_face_is_somebody_else() -> None:
    assert numbers(main_tracks([track(0, 80, range(10)), track(1, 39, range(10, 40))])) == [0]
    assert numbers(main_tracks([track(0, 80, range(10)), track(1, 41, range(10, 12))])) == [0, 1]


def test_the_mask_chooses_the_smaller_face() -> None:
    large, small = track(0, 200, range(10)), track(1, 50, range(10))
    assert numbers(main_tracks([large, small], shares=[0.1, 0.9])) == [1]


def test_among_faces_with_about_the_same_share_the_larger_is_chosen() -> None:
    flicker, face = track(0, 50, range(2)), track(1, 50, range(10))
    assert numbers(main_tracks([flicker, face], shares=[1.0, 0.9])) == [1]


def test_without_any_share_of_the_mask_no_face_is_chosen() -> None:
    assert main_tracks([track(0, 50, range(10))], shares=[0.0]) == []
    assert main_tracks([], shares=[]) == []
    assert main_tracks([]) == []
