import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from makers.people import Person, scene
from unmask.errors import InvalidInputError
from unmask.faces.align import TEMPLATE, align, seen_by, similarity, template
from unmask.faces.mtcnn import MTCNN

Points = NDArray[np.float64]


def moved(points: Points, *, scale: float, turn: float, shift: tuple[float, float]) -> Points:
    """Return points scaled, turned by an angle in radians and shifted."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    goals: Points = scale * points @ rotation.T + shift
    return goals


def test_the_template_without_margin_is_that_of_arcface() -> None:
    assert np.allclose(template(112, scale=1), TEMPLATE)
    assert TEMPLATE[0, 0] < TEMPLATE[1, 0]  # the left eye of the picture comes first
    assert TEMPLATE[3, 1] > TEMPLATE[2, 1] > TEMPLATE[0, 1]


def test_the_template_of_deepfakebench_comes_out_of_its_padding() -> None:
    # It scales the template to 256, pads 0.3 * 256 / 2 on each side and scales back to 256.
    padding = 0.3 * 256 / 2
    wanted = (TEMPLATE * 256 / 112 + padding) * 256 / (256 + 2 * padding)
    assert np.allclose(template(256, scale=1.3), wanted)


@pytest.mark.parametrize("seed", range(5))
def test_a_known_similarity_is_found_again(seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(size=(5, 2)) * 50
    goals = moved(points, scale=0.4, turn=2.5, shift=(30, -7))
    matrix = similarity(points, goals)
    assert np.allclose(points @ matrix[:, :2].T + matrix[:, 2], goals)


@pytest.mark.parametrize("seed", range(5))
def test_the_similarity_equals_that_of_a_general_least_squares_solver(seed: int) -> None:
    random = np.random.default_rng(seed)
    points, goals = random.normal(size=(2, 5, 2)) * 50
    # x' = a x - b y + c and y' = b x + a y + d, solved for (a, b, c, d).
    x, y = points.T
    zero, one = np.zeros(5), np.ones(5)
    system = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, c, d = np.linalg.lstsq(system, goals.T.ravel(), rcond=None)[0]
    assert np.allclose(similarity(points, goals), [[a, -b, c], [b, a, d]])


def test_five_points_in_one_place_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="points must not all be in one place"):
        similarity(np.full((5, 2), 7.0), TEMPLATE)


@pytest.mark.parametrize("scale", [0.3, 0.9, 2.0, 5.3])
def test_marked_landmarks_come_to_lie_on_the_template(scale: float) -> None:
    goals = template(256) + 0.5  # landmarks count from the edge of the first pixel
    points = moved(goals, scale=scale, turn=0.3, shift=(200 * scale, 90 * scale))
    size = int(600 * scale)
    picture = np.zeros((size, size, 3), np.uint8)
    for channel, point in enumerate(points[[0, 2, 4]]):
        corner = tuple(((point - 0.5) * 16).round().astype(int).tolist())
        spot = np.zeros((size, size), np.uint8)
        cv2.circle(spot, corner, int(8 * scale * 16), (255,), -1, cv2.LINE_AA, 4)
        picture[..., channel] = spot
    aligned = align(picture, points.astype(np.float32)).astype(np.float64)
    rows, columns = np.mgrid[:256, :256] + 0.5
    for channel, goal in enumerate(goals[[0, 2, 4]]):
        weights = aligned[..., channel] / aligned[..., channel].sum()
        centre = [(weights * columns).sum(), (weights * rows).sum()]
        assert np.allclose(centre, goal, atol=0.3)


def test_a_turned_face_is_found_upright_after_alignment() -> None:
    person = Person("P001", 90, 60, 300)
    picture = scene((520, 520), [person])
    turned = cv2.getRotationMatrix2D((260, 260), 25, 1)
    picture = np.asarray(cv2.warpAffine(picture, turned, (520, 520)), np.uint8)
    five = person.five @ turned[:, :2].T + turned[:, 2]
    aligned = align(picture, five)
    assert aligned.shape == (256, 256, 3)
    ((face,),) = MTCNN(smallest=60).find([aligned])
    assert np.abs(face.landmarks - template(256)).max() < 10
    assert abs(face.landmarks[0, 1] - face.landmarks[1, 1]) < 4


def test_alignment_looks_at_the_part_that_it_says() -> None:
    points = moved(template(256) + 0.5, scale=0.7, turn=-0.4, shift=(150, 120))
    picture = np.random.default_rng(0).integers(0, 256, (500, 500, 3), dtype=np.uint8)
    left, top, right, bottom = np.array(seen_by(points)).round().astype(int)
    outside = picture.copy()
    outside[top - 2 : bottom + 2, left - 2 : right + 2] = 0
    assert align(outside, points).sum() == 0
    inside = np.zeros_like(picture)
    inside[top:bottom, left:right] = picture[top:bottom, left:right]
    same = align(inside, points) == align(picture, points)
    assert same.mean() > 0.99


def test_what_reaches_over_the_edge_is_black() -> None:
    points = template(256) + 0.5 - [128, 0]
    aligned = align(np.full((256, 256, 3), 90, np.uint8), points)
    assert (aligned[:, :120] == 0).all()
    assert (aligned[:, 136:] == 90).all()
