"""The landmark swap: known faces in, known places and colours out."""

import itertools

import numpy as np
import pytest

from makers.drawn_face import face_frame, landmarks, picture, pose
from unmask.contracts import FaceFrame, ForgedFrame
from unmask.errors import InvalidInputError
from unmask.faces.blend import fill
from unmask.faces.topology import outline, region
from unmask.generators.landmark_swap import FADE_FRAMES, LandmarkSwap

COUNTS = pytest.mark.parametrize("count", [478, 68, 5])


def swapped(
    target: list[FaceFrame], source: list[FaceFrame], **options: object
) -> list[ForgedFrame]:
    return list(LandmarkSwap(**options)(target, source, np.random.default_rng(0)))  # type: ignore[arg-type]


@COUNTS
@pytest.mark.parametrize("blending", ["feather", "poisson"])
def test_swap_of_a_face_with_itself_returns_nearly_the_same_picture(
    count: int, blending: str
) -> None:
    frame = face_frame(count=count)
    (forged,) = swapped([frame], [frame], blending=blending)
    difference = np.abs(forged.image.astype(int) - frame.image)
    assert forged.mask.max() == 255
    assert difference.max() <= 3
    assert difference.mean() < 0.2


@COUNTS
def test_face_of_the_source_comes_to_lie_on_the_targets_landmarks(count: int) -> None:
    target = face_frame(count=count, seed=1)
    source = face_frame(count=count, seed=2, size=48, x=90, y=80, turn=0.25)
    upright = picture(pose(), seed=2)
    (forged,) = swapped([target], [source], match=False)
    assert target.landmarks is not None
    eyes = (forged.mask == 255) & (fill(region(target.landmarks, "left_eye"), (200, 200)) > 0)
    skin = (forged.mask == 255) & (upright.std(axis=2) > 12)
    assert eyes.sum() > 10
    assert forged.image[eyes].mean() < 60
    # The texture does not move with the drawn face: only the colour is to be compared.
    np.testing.assert_allclose(
        np.median(forged.image[skin], axis=0), np.median(upright[skin], axis=0), atol=8
    )


def test_outside_the_mask_the_frame_is_bit_identical_and_inside_it_is_not() -> None:
    target = face_frame(seed=1)
    for blending in ("feather", "poisson"):
        (forged,) = swapped([target], [face_frame(seed=2)], blending=blending)
        np.testing.assert_array_equal(
            forged.image[forged.mask == 0], target.image[forged.mask == 0]
        )
        changed = (forged.image != target.image).any(axis=2)
        assert changed[forged.mask >= 128].mean() > 0.95


@COUNTS
def test_mask_lies_inside_the_outline_and_spares_the_inner_mouth(count: int) -> None:
    target = face_frame(count=count)
    known = target.landmarks
    assert known is not None
    opened = known.copy()
    if count == 68:
        opened[65:68, 1] += 12
        opened[55:60, 1] += 12
    (forged,) = swapped(
        [FaceFrame(0, 0.0, target.image, opened)], [face_frame(count=count, seed=2)]
    )
    face = fill(outline(opened), (200, 200))
    assert not forged.mask[face == 0].any()
    assert (forged.mask[face > 0] >= 128).mean() > 0.5
    if count == 68:
        x, y = region(opened, "inner_mouth").mean(axis=0).round().astype(int)
        assert forged.mask[y, x] < 10


def test_colours_follow_the_target() -> None:
    target, source = face_frame(seed=1), face_frame(seed=2)
    (forged,) = swapped([target], [source])
    (unmatched,) = swapped([target], [source], match=False)
    inside = forged.mask == 255
    wanted = target.image[inside].mean(axis=0)
    assert np.abs(forged.image[inside].mean(axis=0) - wanted).max() < 12
    assert np.abs(unmatched.image[inside].mean(axis=0) - wanted).max() > 25


def test_source_frame_of_the_closest_pose_is_taken() -> None:
    def turned(amount: float, seed: int) -> FaceFrame:
        matrix = pose()
        matrix[0, 0] *= 1 - amount  # a head that turns away becomes narrower
        return FaceFrame(0, 0.0, picture(matrix, seed=seed), landmarks(478, matrix))

    source = [turned(0.0, 3), turned(0.3, 4)]
    for amount, chosen in ((0.02, 0), (0.28, 1)):
        target = turned(amount, 1)
        (both,) = swapped([target], source)
        (alone,) = swapped([target], [source[chosen]])
        np.testing.assert_array_equal(both.image, alone.image)


def test_source_frame_in_which_the_eyes_are_closed_is_not_taken() -> None:
    opened, blinking = (face_frame(count=68, seed=seed) for seed in (3, 4))
    assert blinking.landmarks is not None
    for first in (36, 42):
        eye = blinking.landmarks[first : first + 6]
        eye[:, 1] = eye[:, 1].mean() + 0.1 * (eye[:, 1] - eye[:, 1].mean())
    target = FaceFrame(0, 0.0, face_frame(seed=1).image, blinking.landmarks)
    (both,) = swapped([target], [blinking, opened, opened])
    (alone,) = swapped([target], [opened])
    np.testing.assert_array_equal(both.image, alone.image)


def test_change_of_the_source_frame_fades_and_does_not_jump() -> None:
    def narrow(number: int, amount: float, seed: int) -> FaceFrame:
        matrix = pose()
        matrix[0, 0] *= 1 - amount
        return FaceFrame(number, number / 25, picture(matrix, seed=seed), landmarks(68, matrix))

    source = [narrow(0, 0.0, 3), narrow(1, 0.3, 4)]
    still = [narrow(i, 0.0, 1) for i in range(3)]
    after = [narrow(i, 0.3, 1) for i in range(3, 12)]
    frames = swapped([*still, *after], source, match=False)
    inside = np.logical_and.reduce([frame.mask == 255 for frame in frames])
    tones = [frame.image[inside].mean(axis=0) for frame in frames]
    steps = [np.abs(b - a).max() for a, b in itertools.pairwise(tones)]
    whole = np.abs(tones[-1] - tones[0]).max()
    assert whole > 10
    assert max(steps) < 1.6 * whole / (FADE_FRAMES + 1)
    assert steps[-1] < 0.05 * whole


def test_source_much_larger_than_the_target_is_drawn_without_aliasing() -> None:
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    source = FaceFrame(0, 0.0, stripes, landmarks(68, pose(size=200, x=400, y=280)))
    (forged,) = swapped([face_frame(count=68)], [source], match=False)
    assert np.abs(forged.image[forged.mask == 255].astype(int) - 127).max() < 40


def test_schemes_may_differ_between_source_and_target() -> None:
    for first, second in itertools.permutations([478, 68, 5], 2):
        (forged,) = swapped([face_frame(count=first)], [face_frame(count=second)])
        difference = np.abs(forged.image.astype(int) - face_frame().image)
        assert forged.mask.max() == 255
        assert difference.mean() < 1.5
        # The border is soft all around: nothing is cut off where the smaller mesh ends.
        assert np.abs(np.diff(forged.mask.astype(int), axis=0)).max() < 60


def test_face_beyond_the_border_is_replaced_up_to_it_and_one_outside_is_left() -> None:
    half = face_frame(count=68, x=10)
    (forged,) = swapped([half], [face_frame(count=68, seed=2)])
    assert (forged.mask[60:110, 0] == 255).all()
    outside = face_frame(count=68, x=-300)
    (kept,) = swapped([outside], [face_frame(count=68, seed=2)])
    assert not kept.mask.any()
    np.testing.assert_array_equal(kept.image, outside.image)


def test_unknown_blending_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="one of feather, poisson, got 'laplace'"):
        LandmarkSwap(blending="laplace")


@pytest.mark.parametrize("name", ["erosion", "feather"])
def test_negative_length_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} must be 0 or more, got -0.1"):
        LandmarkSwap(**{name: -0.1})  # type: ignore[arg-type]
