from pathlib import Path

import cv2
import numpy as np
import pytest

from makers.people import Person, scene
from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.mtcnn import MTCNN, Face
from unmask.faces.pyramid import Halves

PEOPLE = ("P001", "P002", "P004", "P005")


def error_of(face: Face, person: Person) -> float:
    """Return the mean distance of the five landmarks from the truth, in eye distances."""
    eyes = np.linalg.norm(person.five[0] - person.five[1])
    return float(np.linalg.norm(face.landmarks - person.five, axis=1).mean() / eyes)


@pytest.mark.parametrize(
    ("left", "top", "side"), [(0, 0, 256), (301.5, 12.25, 180), (-20, 70, 290), (40, 90, 120)]
)
@pytest.mark.parametrize("name", PEOPLE)
def test_landmarks_lie_where_the_made_picture_has_them(
    name: str, left: float, top: float, side: float
) -> None:
    person = Person(name, left, top, side)
    (faces,) = MTCNN(smallest=40).find([scene((640, 360), [person])])
    assert len(faces) == 1
    assert error_of(faces[0], person) < 0.08
    assert faces[0].landmarks.shape == (5, 2)
    assert faces[0].landmarks.dtype == np.float32
    assert faces[0].confidence > 0.99
    edges = np.array(faces[0].box)
    assert (edges[:2] < person.five.min(axis=0)).all()
    assert (edges[2:] > person.five.max(axis=0)).all()


def test_the_box_moves_and_grows_with_the_face() -> None:
    finder = MTCNN(smallest=40)
    ((first,),) = finder.find([scene((640, 480), [Person("P001", 10, 20, 200)])])
    ((second,),) = finder.find([scene((640, 480), [Person("P001", 210, 70, 300)])])
    expected = (np.array(first.box) - [10, 20, 10, 20]) * 1.5 + [210, 70, 210, 70]
    assert np.abs(np.array(second.box) - expected).max() < 0.1 * (second.box[2] - second.box[0])


def test_every_person_of_a_group_is_found_once() -> None:
    people = [Person(name, 150 * k, 40 + 10 * k, 150) for k, name in enumerate(PEOPLE)]
    (faces,) = MTCNN(smallest=40).find([scene((640, 240), people)])
    assert len(faces) == 4
    faces = sorted(faces, key=lambda face: face.box[0])
    assert all(error_of(face, one) < 0.08 for face, one in zip(faces, people, strict=True))


def test_pictures_of_several_sizes_give_what_each_gives_alone() -> None:
    finder = MTCNN(smallest=40)
    pictures = [scene((320, 240), [Person("P001", 5 * k, 0, 200)]) for k in range(6)] + [
        scene((256, 256), [Person("P002", 0, 0, 256)]),
        np.zeros((64, 64, 3), np.uint8),
    ]
    together = finder.find(pictures)
    assert [len(faces) for faces in together] == [1] * 7 + [0]
    for picture, faces in zip(pictures, together, strict=True):
        (alone,) = finder.find([picture])
        assert np.allclose([f.box for f in faces], [f.box for f in alone], atol=1e-3)
    assert finder.find([]) == []


def test_a_face_smaller_than_the_smallest_is_not_found() -> None:
    picture = scene((640, 360), [Person("P001", 40, 90, 120)])
    assert MTCNN(smallest=150).find([picture]) == [[]]


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (11, 11), (12, 12), (37, 411)])
def test_tiny_and_narrow_pictures_have_no_face(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert MTCNN(smallest=12).find([noise, np.zeros_like(noise)]) == [[], []]


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_plain_pictures_have_no_face(grey: int) -> None:
    assert MTCNN(smallest=20).find([np.full((200, 300, 3), grey, np.uint8)]) == [[]]


def test_looking_again_finds_the_face_that_has_moved_a_little() -> None:
    finder = MTCNN(smallest=40)
    ((before,),) = finder.find([scene((640, 360), [Person("P001", 100, 30, 250)])])
    moved = Person("P001", 112, 22, 262)
    picture = Halves(scene((640, 360), [moved]))
    (after,) = finder.look_again([picture], [before.box])
    assert after is not None
    assert error_of(after, moved) < 0.08


def test_looking_again_where_no_face_is_finds_none() -> None:
    picture = Halves(scene((640, 360), [Person("P001", 0, 0, 200)]))
    boxes = [(400.0, 100.0, 520.0, 250.0), (-900.0, -900.0, -800.0, -800.0), (1.0, 1.0, 1.0, 1.0)]
    finder = MTCNN(smallest=40)
    assert finder.look_again([picture] * 3, boxes) == [None, None, None]
    assert finder.look_again([], []) == []


@pytest.mark.parametrize("smallest", [0, 11.9, -5, float("nan"), float("inf")])
def test_a_smallest_face_below_twelve_pixels_is_refused(smallest: float) -> None:
    with pytest.raises(InvalidInputError, match=f"smallest must be 12 .* or more, got {smallest}"):
        MTCNN(smallest=smallest)


@pytest.mark.parametrize("thresholds", [(0.6, 0.7), (0.6, 0.7, 1.0), (0.0, 0.7, 0.7)])
def test_thresholds_out_of_range_are_refused(thresholds: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidInputError, match="thresholds must be three numbers between 0 and 1"):
        MTCNN(thresholds=thresholds)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((5, 5, 3), np.float32),
    ],
)
def test_what_is_no_picture_is_refused(image: Image) -> None:
    with pytest.raises(InvalidInputError, match=r"image must be \(H, W, 3\) uint8 RGB, got"):
        MTCNN().find([image])


@pytest.mark.shared
def test_landmarks_of_real_pictures_are_near_those_of_another_network(shared: Path) -> None:
    folder = shared / "data/openpeople-keys"
    known = np.load(folder / "lmk.npz")["L"]
    finder, errors = MTCNN(smallest=80), []
    for file in folder.glob("*.jpg"):
        picture = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
        five = known[tuple(map(int, file.stem.split("_")))][[468, 473, 4, 61, 291], :2]
        ((face, *_),) = finder.find([np.asarray(picture, np.uint8)])
        distance = np.linalg.norm(five[0] - five[1])
        errors.append(np.linalg.norm(face.landmarks - five, axis=1).mean() / distance)
    assert np.mean(errors) < 0.04
    assert np.max(errors) < 0.1
