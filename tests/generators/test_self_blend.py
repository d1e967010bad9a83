"""The self-blended forgery against its formula."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from makers.drawn_face import face_frame, landmarks, picture, pose
from unmask.contracts import FaceFrame, ForgedFrame
from unmask.errors import InvalidInputError
from unmask.generators.self_blend import SelfBlend
from unmask.seeding import generator_for


def blended(frames: list[FaceFrame], seed: int = 0, **options: float) -> list[ForgedFrame]:
    return list(SelfBlend(**options)(frames, [], generator_for(seed)))


def still(count: int = 6) -> list[FaceFrame]:
    """Return one face that does not move, its frames 40 ms apart."""
    return [face_frame(number) for number in range(count)]


def changes(forged: ForgedFrame, frame: FaceFrame) -> NDArray[np.int64]:
    difference = np.abs(forged.image.astype(np.int64) - frame.image)
    return np.asarray(difference.max(axis=2))


def test_without_changes_and_with_the_whole_source_it_equals_the_target() -> None:
    for frame, forged in zip(still(), blended(still(), strength=0, ratio=1), strict=True):
        np.testing.assert_array_equal(forged.image, frame.image)
        assert forged.mask.max() == 255


@pytest.mark.parametrize("seed", range(12))
def test_it_differs_only_inside_the_mask(seed: int) -> None:
    frame = face_frame(seed=seed, turn=0.2)
    (forged,) = blended([frame], seed)
    difference = changes(forged, frame)
    assert not difference[forged.mask == 0].any()
    assert difference[forged.mask == 255].mean() > 1


@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_ratio_mixes_the_source_with_the_target(ratio: float) -> None:
    frame = face_frame(seed=3)
    (whole,) = blended([frame], 5, ratio=1)
    (part,) = blended([frame], 5, ratio=ratio)
    np.testing.assert_array_equal(part.mask, whole.mask)
    full = whole.mask == 255
    source, target = whole.image[full].astype(float), frame.image[full]
    np.testing.assert_allclose(part.image[full], ratio * source + (1 - ratio) * target, atol=1.01)


def test_ratios_are_drawn_from_the_papers_set() -> None:
    frame = face_frame(seed=1)
    drawn = []
    for seed in range(40):
        (forged,) = blended([frame], seed, strength=0)
        assert forged.mask.max() == 255
        (whole,) = blended([frame], seed, ratio=1)
        (some,) = blended([frame], seed)
        full = whole.mask == 255
        change = whole.image[full].astype(float) - frame.image[full]
        kept = some.image[full].astype(float) - frame.image[full]
        drawn.append(round(float((kept * change).sum() / (change**2).sum()) * 4) / 4)
    assert set(drawn) == {0.25, 0.5, 0.75, 1.0}
    assert 0.3 < np.mean(np.array(drawn) == 1) < 0.7


def test_parameters_are_drawn_once_and_only_drift_so_that_nothing_flickers() -> None:
    for seed in range(6):
        frames = blended(still(30), seed, ratio=1)
        for one, next_one in itertools.pairwise(frames):
            np.testing.assert_array_equal(one.mask, next_one.mask)
            step = np.abs(one.image.astype(int) - next_one.image)
            assert step.mean() < 0.5
    first, last = frames[0].image.astype(int), frames[-1].image
    assert np.abs(first - last).max() > 0


def test_blend_follows_the_face() -> None:
    (here,) = blended([face_frame(count=68)], 2, ratio=1)
    matrix = pose(x=120, y=90)
    there = FaceFrame(0, 0.0, picture(matrix), landmarks(68, matrix))
    (moved,) = blended([there], 2, ratio=1)
    shifted = np.roll(here.mask, (20, 20), axis=(0, 1))
    assert np.abs(moved.mask.astype(int) - shifted).max() <= 2


@pytest.mark.parametrize("count", [478, 68, 5])
def test_seeds_repeat_and_differ(count: int) -> None:
    frame = face_frame(count=count)
    first, again, other = (blended([frame], seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.mask, again.mask)
    assert (first.image != other.image).any()


def test_face_outside_the_picture_is_left() -> None:
    frame = face_frame(count=68, x=-300)
    (forged,) = blended([frame])
    assert not forged.mask.any()
    np.testing.assert_array_equal(forged.image, frame.image)


@pytest.mark.parametrize("name", ["strength", "ratio"])
def test_values_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"{name} must lie in \[0, 1\], got 1.5"):
        SelfBlend(**{name: 1.5})
