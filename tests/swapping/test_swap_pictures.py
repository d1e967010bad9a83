from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from makers.drawn_face_sets import drawn_faces, face_set, upright
from unmask.contracts import Image
from unmask.swapping.augment import Draws, draw, no_change
from unmask.swapping.face_set import FaceSet
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.pictures import Batch, Pictures
from unmask.swapping.prepared import area_masks, prepare

SIZES = [(64, 64), (64, 128), (128, 128)]


def pictures(
    faces: FaceSet, input_size: int = 64, output_size: int = 64, *, quirks: bool = False
) -> Pictures:
    prepared = prepare([faces], largest=max(input_size, output_size), whole=quirks)
    return Pictures(
        prepared,
        input_size=input_size,
        output_size=output_size,
        settings=PairSettings(paper_quirks=quirks),
    )


def made(shown: Pictures, draws: Draws) -> Batch:
    return shown.made(np.arange(len(draws.angle)), draws)


def images(batch: Tensor) -> NDArray[Any]:
    return batch.permute(0, 2, 3, 1).numpy()


def without_colours(draws: Draws) -> Draws:
    plain = no_change(len(draws.angle))
    return replace(draws, equalised=plain.equalised, colour=plain.colour)


def difference(first: NDArray[Any], second: NDArray[Any]) -> float:
    return float(np.abs(first.astype(float) - second).mean())


def ramp(size: int) -> FaceSet:
    """Return a face whose grey level is its column as a share of the side times 255."""
    grey = np.broadcast_to(np.linspace(0, 255, size)[None, :, None], (size, size, 3))
    return face_set(np.rint(grey).astype(np.uint8)[None], upright(size)[None])


def published(
    face: Image, draws: Draws, number: int, input_size: int, output_size: int
) -> tuple[Image, Image]:
    """Return input and target made step by step; colours are left as they are."""
    size = len(face)
    centre = ((size - 1) / 2, (size - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, -np.degrees(draws.angle[number]), draws.zoom[number])
    matrix[:, 2] += draws.shift[number] * size
    changed = cv2.warpAffine(face, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    if draws.flip[number]:
        changed = np.ascontiguousarray(changed[:, ::-1])
    side = int(size * 0.875 // 2) * 2
    border = (size - side) // 2
    crop = changed[border:-border, border:-border]
    target = cv2.resize(crop, (output_size, output_size), interpolation=cv2.INTER_AREA)
    along = np.linspace(border, size - border, 5) - 0.5
    over = 4 * input_size  # four times larger and averaged: without aliasing
    maps: list[NDArray[np.float32]] = []
    for axis, points in enumerate(np.meshgrid(along, along)):
        moved = points + 5 * size / 256 * draws.jitter[number, ..., axis]
        large = cv2.resize(moved.astype(np.float32), (over * 5 // 4, over * 5 // 4))
        maps.append(np.ascontiguousarray(large[over // 8 : -over // 8, over // 8 : -over // 8]))
    x, y = maps
    warped = cv2.remap(changed, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    averaged = cv2.resize(warped, (input_size, input_size), interpolation=cv2.INTER_AREA)
    return np.asarray(averaged, np.uint8), np.asarray(target, np.uint8)


@pytest.mark.parametrize(("input_size", "output_size"), SIZES)
def test_unchanged_face_is_the_middle_of_its_picture(input_size: int, output_size: int) -> None:
    faces = drawn_faces(size=256, count=2)
    found = made(pictures(faces, input_size, output_size), no_change(2))
    for shown in (found.inputs, found.targets):
        assert shown.dtype.is_floating_point is False
        size = shown.shape[-1]
        for face, one in zip(faces.images, images(shown), strict=True):
            crop = cv2.resize(face[16:-16, 16:-16], (size, size), interpolation=cv2.INTER_AREA)
            assert difference(one, crop) < 1.5  # LAB has whole numbers
    if input_size == output_size:
        assert difference(images(found.inputs), images(found.targets)) < 0.5


@pytest.mark.parametrize(("input_size", "output_size"), SIZES)
def test_faces_are_those_of_the_published_steps_one_after_the_other(
    input_size: int, output_size: int
) -> None:
    faces = drawn_faces(size=256, count=6)
    draws = without_colours(draw(np.random.default_rng(0), 6))
    assert draws.flip.any()
    found = made(pictures(faces, input_size, output_size), draws)
    for number, face in enumerate(faces.images):
        inputs, target = published(face, draws, number, input_size, output_size)
        assert difference(images(found.inputs)[number], inputs) < 2
        assert difference(images(found.targets)[number], target) < 2
        other = published(face, no_change(6), number, input_size, output_size)
        assert difference(other[1], target) > 5  # the bound above would notice


@pytest.mark.parametrize("size", [64, 128])
def test_masks_move_with_the_face(size: int) -> None:
    points = np.stack([upright(256)] * 8)
    drawn = np.stack([area_masks(one, 256) for one in points])  # red face, green eyes, blue mouth
    draws = without_colours(draw(np.random.default_rng(3), 8))
    found = made(pictures(face_set(drawn, points), size, size), draws)
    masks = found.masks.numpy().transpose(0, 2, 3, 1)
    assert difference(masks, images(found.targets)) < 4
    still = made(pictures(face_set(drawn, points), size, size), no_change(8))
    assert difference(images(still.targets), images(found.targets)) > 10


def test_colours_of_input_and_target_change_alike() -> None:
    faces = drawn_faces(size=128, count=4)
    drawn = draw(np.random.default_rng(1), 4)
    draws = replace(no_change(4), colour=drawn.colour, equalised=np.ones(4, bool))
    shown = pictures(faces)
    found, plain = made(shown, draws), made(shown, no_change(4))
    assert difference(images(found.inputs), images(found.targets)) < 1
    assert difference(images(found.targets), images(plain.targets)) > 5


def test_lightness_moves_by_its_share() -> None:
    grey = face_set(np.full((2, 64, 64, 3), 119, np.uint8), np.stack([upright(64)] * 2))
    before = cv2.cvtColor(grey.images[0], cv2.COLOR_RGB2LAB)[0, 0].astype(float)
    colour = np.array([[0.3, 0, 0], [-0.3, 0, 0]])
    found = images(made(pictures(grey), replace(no_change(2), colour=colour)).targets)
    after = [cv2.cvtColor(one, cv2.COLOR_RGB2LAB)[0, 0].astype(float) for one in found]
    assert after[0][0] == pytest.approx(before[0] + 0.3 * (255 - before[0]), abs=1)
    assert after[1][0] == pytest.approx(0.7 * before[0], abs=1)
    for one in after:
        assert one[1:] == pytest.approx(before[1:], abs=1)


@pytest.mark.parametrize(
    ("size", "quirks", "shift"),
    [(256, False, 5 / 256), (256, True, 5 / 256), (512, False, 5 / 256), (512, True, 5 / 512)],
)
def test_warp_is_as_strong_at_every_size_but_where_the_paper_is_followed(
    size: int, quirks: bool, shift: float
) -> None:
    shown = pictures(ramp(size), quirks=quirks)
    all_right = replace(no_change(1), jitter=np.ones((1, 5, 5, 2)))
    moved = images(made(shown, all_right).inputs).astype(float)
    still = images(made(shown, no_change(1)).inputs)
    assert (moved - still).mean() == pytest.approx(255 * shift, rel=0.1)


def test_paper_samples_the_input_without_averaging() -> None:
    stripes = np.zeros((1, 512, 512, 3), np.uint8)
    stripes[:, :, ::2] = 255  # of which every seventh is looked at
    faces = face_set(stripes, upright(512)[None])
    usual, paper = (made(pictures(faces, quirks=quirks), no_change(1)) for quirks in (False, True))
    assert usual.inputs.float().std() < 20
    assert paper.inputs.float().std() > 120
    assert paper.targets.float().std() < 40  # the target is averaged in the paper, too


@pytest.mark.parametrize(("quirks", "tiles", "other"), [(False, 2, 4), (True, 4, 2)])
def test_paper_equalises_large_faces_in_more_tiles(quirks: bool, tiles: int, other: int) -> None:
    shown = pictures(drawn_faces(size=512, count=1), quirks=quirks)
    draws = replace(no_change(1), equalised=np.ones(1, bool))
    found = images(made(shown, draws).targets)[0]

    def equal(count: int) -> NDArray[Any]:
        changed = shown.faces.images[0].copy()
        changed[..., 0] = cv2.createCLAHE(2.0, (count, count)).apply(changed[..., 0])
        whole, border = cv2.cvtColor(changed, cv2.COLOR_LAB2RGB), len(changed) // 16
        crop = whole[border:-border, border:-border]
        return np.asarray(cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA))

    assert difference(found, equal(tiles)) < difference(found, equal(other)) / 2
