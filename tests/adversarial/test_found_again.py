"""Faces before an attack and those that are found after it."""

import pytest

from unmask.adversarial.found_again import Box, Seen, matched

LEFT, RIGHT = (0.0, 0.0, 20.0, 20.0), (60.0, 0.0, 80.0, 20.0)


def moved(box: Box, pixels: float) -> Box:
    return box[0] + pixels, box[1], box[2] + pixels, box[3]


@pytest.mark.parametrize(("pixels", "is_same"), [(0, True), (6.6, True), (6.7, False), (30, False)])
def test_a_face_is_the_same_up_to_half_of_the_common_area(pixels: float, is_same: bool) -> None:
    # Shifted by s of 20 pixels, two boxes share (20 - s) of (20 + s): half at s = 20 / 3.
    seen = Seen(moved(LEFT, pixels), 0.3)
    assert matched([LEFT], [seen]) == ([seen] if is_same else [None])


def test_each_face_gets_the_nearest_whatever_the_order() -> None:
    near, far, other = Seen(moved(LEFT, 1), 0.1), Seen(moved(LEFT, 5), 0.2), Seen(RIGHT, 0.3)
    assert matched([RIGHT, LEFT], [far, other, near]) == [other, near]
    assert matched([LEFT, moved(LEFT, 4)], [far, near]) == [near, far]


def test_one_found_face_stands_for_one_face_only() -> None:
    seen = Seen(LEFT, 0.1)
    assert matched([moved(LEFT, 2), LEFT], [seen]) == [None, seen]
    assert matched([], [seen]) == []
    assert matched([LEFT], []) == [None]
