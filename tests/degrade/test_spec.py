"""Chains of degradations, told as text."""

import numpy as np
import pytest

from unmask.contracts import Image
from unmask.degrade.h264 import H264
from unmask.degrade.noise import Noise
from unmask.degrade.spec import parse_degradation
from unmask.errors import InvalidInputError, NotFoundError


def frames() -> list[Image]:
    slope = np.linspace(0, 250, 64, dtype=np.uint8)
    return [np.repeat(np.roll(slope, i)[None, :, None], 48, 0).repeat(3, 2) for i in range(4)]


@pytest.mark.parametrize(
    ("text", "name", "crf"),
    [
        ("raw", "raw", None),
        ("c0", "raw", None),
        ("c23", "c23", 23),
        ("h264:30", "c30", 30),
        ("h264", "c23", 23),
        ("h264:0", "h264-0", 0),
        ("h264:23+h264:40", "c23+c40", 40),
        ("raw+c40", "c40", 40),
        (" jpeg ", "jpeg-75", None),
        ("jpeg:quality=50", "jpeg-50", None),
        ("resize:2.50", "resize-2.5", None),
        ("noise:5 + c40", "noise-5+c40", 40),
        ("block_wise:5:paper_quirks", "block_wise-5-paper_quirks", None),
        ("block_wise:5:paper_quirks=false", "block_wise-5", None),
        ("camera:4000:blur=1", "camera-blur=1", None),
        ("camera:blur=0.00000001", "camera-blur=0.00000001", None),
        ("video_compression:5", "video_compression-5", 40),
    ],
)
def test_a_text_has_one_name_and_the_name_means_the_same(
    text: str, name: str, crf: int | None
) -> None:
    for written in (text, name):
        chain = parse_degradation(written)
        assert (chain.name, chain.crf) == (name, crf)


def test_values_reach_the_degradation() -> None:
    first, second = parse_degradation("noise:2.5+h264:17").steps
    assert isinstance(first, Noise)
    assert first.sigma == 2.5
    assert isinstance(second, H264)
    assert second.crf == 17


def test_steps_are_done_from_left_to_right() -> None:
    chain = parse_degradation("color_contrast:5+color_contrast:5:paper_quirks")
    (first, *_) = chain([np.full((4, 4, 3), 255, np.uint8)], np.random.default_rng(0))
    # 255 becomes 127.5 + 0.35 * 127.5, and then 0.35 of that.
    assert first[0, 0, 0] == round(0.35 * 172)


def test_each_step_has_random_numbers_of_its_own() -> None:
    grey = [np.full((64, 64, 3), 128, np.uint8)]
    (once,) = parse_degradation("noise:8")(grey, np.random.default_rng(0))
    (twice,) = parse_degradation("noise:8+noise:8")(grey, np.random.default_rng(0))
    assert (twice - 128.0).std() == pytest.approx(np.sqrt(2) * (once - 128.0).std(), rel=0.05)


def test_a_compression_in_the_last_place_is_left_to_the_writing() -> None:
    random = np.random.default_rng(0)
    np.testing.assert_array_equal(
        list(parse_degradation("c40").before_writing(frames(), random)), frames()
    )


def test_a_compression_before_another_is_done_in_memory() -> None:
    random = np.random.default_rng(0)
    once = list(parse_degradation("c40")(frames(), random))
    np.testing.assert_array_equal(
        list(parse_degradation("c40+c23").before_writing(frames(), random)), once
    )


def test_raw_leaves_the_frames_as_they_are() -> None:
    assert parse_degradation("raw").steps == ()
    np.testing.assert_array_equal(
        list(parse_degradation("raw")(frames(), np.random.default_rng(0))), frames()
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "gausian_blur:3",
            r"unmask\.degrade has no 'gausian_blur'; did you mean 'gaussian_blur'\?",
        ),
        ("jpg:50", "did you mean 'jpeg'"),
        ("crf23", "unmask.degrade has no 'crf23'; did you mean 'c23'"),
        (
            "block_wise:3:paper_quirk",
            "the degradation block_wise has no 'paper_quirk'; did you mean",
        ),
        ("../noise", "unmask.degrade has no"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_closest(text: str, message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        parse_degradation(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a degradation must be like c23, jpeg:50 or resize:4.c40, got ''"),
        ("c23+", "a degradation must be like"),
        ("jpeg:", "a degradation must be like"),
        ("jpeg:5.5", "quality of jpeg must be a whole number, got '5.5'"),
        ("noise:2x", "sigma of noise must be a number, got '2x'"),
        ("block_wise:paper_quirks=maybe", "paper_quirks of block_wise must be true or false"),
        ("c52", "crf must lie between 0 and 51, got 52"),
    ],
)
def test_a_wrong_value_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parse_degradation(text)
