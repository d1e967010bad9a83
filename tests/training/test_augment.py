import cv2
import numpy as np
import pytest

from unmask.contracts import Image
from unmask.training.augment import Augmentation


def some_image() -> Image:
    noise = np.random.default_rng(0).normal(128, 60, (32, 48, 3))
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1).clip(0, 255), np.uint8)


def test_nothing_happens_where_every_probability_is_zero() -> None:
    image = some_image()
    assert np.array_equal(Augmentation()(image, np.random.default_rng(0)), image)


def test_flip_mirrors_the_face() -> None:
    image = some_image()
    flipped = Augmentation(flip=1.0)(image, np.random.default_rng(0))
    assert np.array_equal(flipped, image[:, ::-1])


@pytest.mark.parametrize("name", ["colour", "blur", "downscale", "jpeg"])
def test_each_change_keeps_the_shape_and_stays_moderate(name: str) -> None:
    image = some_image()
    before = image.copy()
    for seed in range(20):
        changed = Augmentation(**{name: 1.0})(image, np.random.default_rng(seed))
        assert changed.shape == image.shape
        assert changed.dtype == np.uint8
        difference = np.abs(changed.astype(float) - image).mean()
        assert 0 < difference < 60
    assert np.array_equal(image, before)


@pytest.mark.parametrize("name", ["blur", "downscale"])
def test_blur_and_downscaling_lose_fine_detail(name: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    changed = Augmentation(**{name: 1.0})(image, np.random.default_rng(1))
    assert np.diff(changed.astype(float), axis=1).std() < np.diff(image.astype(float), axis=1).std()


def test_colour_is_one_linear_map_of_every_pixel() -> None:
    colours = np.random.default_rng(0).integers(80, 170, (16, 16, 3), np.uint8)
    changed = Augmentation(colour=1.0)(colours, np.random.default_rng(3))
    inputs = np.column_stack([colours.reshape(-1, 3), np.ones(256)]).astype(float)
    wanted = changed.reshape(-1, 3).astype(float)
    fitted = inputs @ np.linalg.lstsq(inputs, wanted, rcond=None)[0]
    assert np.abs(fitted - wanted).max() < 1


def test_grey_stays_grey_whatever_the_saturation() -> None:
    grey = np.full((4, 4, 3), 100, np.uint8)
    for seed in range(10):
        changed = Augmentation(colour=1.0)(grey, np.random.default_rng(seed)).astype(int)
        assert np.ptp(changed, axis=-1).max() <= 1


def test_changes_happen_as_often_as_they_were_asked_for() -> None:
    image = some_image()
    changes = sum(
        not np.array_equal(Augmentation(flip=0.25)(image, np.random.default_rng(seed)), image)
        for seed in range(400)
    )
    assert 70 <= changes <= 130


def test_one_change_never_moves_the_numbers_of_another() -> None:
    image = some_image()
    alone = Augmentation(blur=1.0)(image, np.random.default_rng(5))
    both = Augmentation(flip=1.0, blur=1.0)(image, np.random.default_rng(5))
    assert np.abs(both[:, ::-1].astype(int) - alone).max() <= 1
