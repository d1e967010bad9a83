import cv2
import numpy as np
import pytest

from makers.drawn_face_sets import drawn_faces, face_set, upright
from unmask.faces.topology import region
from unmask.swapping.prepared import EYES, FACE, MOUTH, area_masks, prepare


def test_masks_are_full_on_their_areas_and_empty_far_from_them() -> None:
    points = upright(128)
    masks = area_masks(points, 128)
    assert masks.shape == (128, 128, 3)
    places = {
        "eye": region(points, "left_eye").mean(0),
        "mouth": region(points, "lips").mean(0),
        "nose": points[30],
        "forehead": points[19:25].mean(0) - (0, 4),
        "hair": np.array([64, 6]),
        "corner": np.array([3, 124]),
    }
    found = {
        name: masks[round(float(y)), round(float(x))].tolist() for name, (x, y) in places.items()
    }
    assert found == {
        "eye": [255, 255, 0],
        "mouth": [255, 0, 255],
        "nose": [255, 0, 0],
        "forehead": [255, 0, 0],
        "hair": [0, 0, 0],
        "corner": [0, 0, 0],
    }


def test_masks_hold_all_of_the_points_that_span_them() -> None:
    points = upright(128)
    masks = area_masks(points, 128)
    columns, rows = np.rint(points).astype(int).T
    assert (masks[rows, columns, FACE] > 0).all()
    assert (masks[rows[36:48], columns[36:48], EYES] > 200).all()
    assert (masks[rows[48:60], columns[48:60], MOUTH] > 200).all()


def test_border_of_the_face_is_a_little_soft_and_clean() -> None:
    face = area_masks(upright(128), 128)[..., FACE]
    shades = face[(face > 0) & (face < 255)]
    assert shades.size
    assert shades.min() >= 10
    assert shades.max() <= 245
    # The blur reaches one pixel: between nothing and all lie two at the most.
    assert (cv2.erode(face, np.ones((5, 5))) <= np.where(face == 255, 255, 0)).all()


def test_faces_are_averaged_to_what_is_needed_and_turned_into_lab() -> None:
    faces = drawn_faces(size=256, count=2)
    found = prepare([faces], largest=64)
    assert found.images.shape == (2, 144, 144, 3)
    assert found.masks.shape == (2, 128, 128, 3)
    small = cv2.resize(faces.images[1], (144, 144), interpolation=cv2.INTER_AREA)
    assert np.array_equal(found.images[1], cv2.cvtColor(small, cv2.COLOR_RGB2LAB))
    scaled = area_masks((faces.landmarks[1] + 0.5) / 2 - 0.5, 128)
    assert np.array_equal(found.masks[1], scaled)


@pytest.mark.parametrize(("whole", "side"), [(True, 256), (False, 144)])
def test_faces_keep_their_size_where_they_are_asked_to(whole: bool, side: int) -> None:
    found = prepare([drawn_faces(size=256, count=2)], largest=64, whole=whole)
    assert found.images.shape[1] == side
    assert found.size == 256


def test_faces_are_never_made_larger() -> None:
    assert prepare([drawn_faces(size=64, count=2)], largest=64).images.shape == (2, 64, 64, 3)


def test_sets_follow_each_other_and_give_alike_many_evenly() -> None:
    def levels(start: int, count: int) -> np.ndarray:
        grey = np.arange(start, start + count, dtype=np.uint8)
        return np.ascontiguousarray(np.broadcast_to(grey[:, None, None, None], (count, 16, 16, 3)))

    sets = [
        face_set(levels(start, count), np.stack([upright(16)] * count))
        for start, count in ((0, 90), (200, 2))
    ]
    whole = prepare(sets, largest=16)
    few = prepare(sets, largest=16, most=3)
    lightness = [cv2.cvtColor(one, cv2.COLOR_LAB2RGB)[0, 0, 0].item() for one in few.images]
    assert len(whole.images) == 92
    assert lightness == pytest.approx([15, 45, 75, 200, 201], abs=1)
