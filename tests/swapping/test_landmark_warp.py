from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from makers.drawn_face_sets import drawn_faces
from unmask.swapping.alignment import JAW
from unmask.swapping.augment import Draws, draw, no_change
from unmask.swapping.landmark_warp import LandmarkWarp, Places
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.pictures import Pictures
from unmask.swapping.prepared import prepare
from unmask.swapping.warp import warp_maps, ways_back

GRID = {"share": 0.875, "size": 128, "side": 256}


def faces(person: int, count: int) -> Places:
    points = drawn_faces(person, count=count).landmarks
    return (points.astype(np.float64) + 0.5) / 64 - 0.5


def maps(warp: LandmarkWarp, draws: Draws, row: int = 0) -> NDArray[np.float32]:
    rows = np.full(len(draws.angle), row)
    return warp.maps(rows, ways_back(draws), draws, **GRID)  # type: ignore[arg-type]


def plain(draws: Draws) -> NDArray[np.float32]:
    return warp_maps(ways_back(draws), 0 * draws.jitter, **GRID)  # type: ignore[arg-type]


def pixels(places: Places, size: int) -> NDArray[np.float64]:
    """Return pixels of the face, or of its crop, of places in the face."""
    share = 1 if size == 256 else 0.875
    return np.asarray((places / share + 0.5) * size - 0.5)


def test_face_that_is_warped_towards_itself_stays() -> None:
    own = faces(0, 1)
    draws = replace(draw(np.random.default_rng(0), 4), beside=np.zeros((4, 68, 2)))
    assert maps(LandmarkWarp(own, own), draws) == pytest.approx(plain(draws), abs=1e-3)


def test_landmarks_come_to_lie_where_the_other_face_has_them() -> None:
    own, other = faces(0, 1), faces(1, 1)
    other[0, JAW:] += np.random.default_rng(0).normal(0, 0.01, (51, 2))
    (found,) = maps(LandmarkWarp(own, other), no_change(1))
    distance = np.hypot(*(own - other)[0].T) * 256
    assert distance[JAW:].mean() > 4
    errors = [
        np.abs(found[:, round(y), round(x)] - start).mean()
        for (x, y), start in zip(pixels(other[0], 128), pixels(own[0], 256), strict=True)
    ]
    assert np.mean(errors) < 1.2


def test_border_of_the_crop_stays() -> None:
    draws = draw(np.random.default_rng(1), 3)
    found = maps(LandmarkWarp(faces(0, 1), faces(1, 1)), draws)
    change = np.abs(found - plain(draws)).max(axis=1)
    assert change[:, 0].max() < 1
    assert change[:, :, -1].max() < 1
    assert change.max() > 4


def test_one_of_the_ten_most_alike_is_chosen() -> None:
    own, others = faces(0, 1), faces(1, 40)
    distance = ((others - own) ** 2).sum(axis=(1, 2))
    alike = set(np.argsort(distance)[:10].tolist())
    warp, chosen = LandmarkWarp(own, others), set()
    alone = [maps(LandmarkWarp(own, one[None]), no_change(1))[0] for one in others]
    for choice in np.linspace(0, 0.999, 30):
        (found,) = maps(warp, replace(no_change(1), choice=np.array([choice])))
        chosen.add(int(np.argmin([np.abs(found - one).max() for one in alone])))
    assert chosen == alike


def test_fewer_others_than_ten_are_all_chosen_from() -> None:
    warp = LandmarkWarp(faces(0, 3), faces(1, 2))
    assert maps(warp, replace(no_change(1), choice=np.array([0.99])), row=2).shape == (
        1,
        2,
        128,
        128,
    )


def test_pictures_are_warped_towards_the_others_but_plain_ones_are_not() -> None:
    own, others = (prepare([drawn_faces(one)], largest=64) for one in (0, 1))
    usual, shown = (
        Pictures(own, input_size=64, output_size=64, settings=PairSettings(), others=towards)
        for towards in (None, others)
    )
    rows = np.arange(4)
    draws = no_change(4)
    assert not (shown.made(rows, draws).inputs == usual.made(rows, draws).inputs).all()
    assert (shown.made(rows, draws).targets == usual.made(rows, draws).targets).all()
    assert (shown.plain(rows).inputs == usual.made(rows, draws).inputs).all()
