import pytest

from unmask.errors import InvalidInputError
from unmask.video.sample import Sampling, evenly_spaced, parse_sampling


@pytest.mark.parametrize(
    ("text", "total", "numbers"),
    [
        ("all", 4, [0, 1, 2, 3]),
        ("every:3", 10, [0, 3, 6, 9]),
        ("every:1", 3, [0, 1, 2]),
        ("spread:4", 8, [1, 3, 5, 7]),
        ("first:2", 10, [0, 1]),
        ("consecutive:4", 10, [3, 4, 5, 6]),
        ("consecutive:10", 10, list(range(10))),
    ],
)
def test_each_rule_chooses_the_frames_that_its_name_says(
    text: str, total: int, numbers: list[int]
) -> None:
    assert parse_sampling(text).numbers(total) == numbers


@pytest.mark.parametrize("text", ["spread:50", "first:50", "consecutive:50"])
def test_a_short_video_gives_all_the_frames_it_has(text: str) -> None:
    assert parse_sampling(text).numbers(7) == list(range(7))


@pytest.mark.parametrize("text", ["all", "every:2", "spread:2", "first:2", "consecutive:2"])
def test_a_video_without_frames_gives_none(text: str) -> None:
    assert parse_sampling(text).numbers(0) == []


@pytest.mark.parametrize("text", ["all", "every:50", "spread:32", "first:270", "consecutive:16"])
def test_a_sampling_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_sampling(text)) == text
    assert parse_sampling(str(parse_sampling(text))) == parse_sampling(text)


@pytest.mark.parametrize(
    "text", ["", "some", "spread", "spread:", "spread:0", "spread:-1", "spread:x", "all:3", "²"]
)
def test_a_misspelt_sampling_is_refused_with_what_it_may_be(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"sampling must be all, every:N.*got '"):
        parse_sampling(text)


@pytest.mark.parametrize("total", [1, 2, 9, 270, 271])
def test_evenly_spaced_frames_are_the_middles_of_equal_stretches(total: int) -> None:
    for count in range(1, total + 1, 7):
        middles = [(i + 0.5) * total / count for i in range(count)]
        assert evenly_spaced(total, count) == [int(middle + 1e-9) for middle in middles]


def test_too_short_a_video_is_refused_with_its_length() -> None:
    with pytest.raises(InvalidInputError, match="between 1 and the 5 frames of the video, got 6"):
        evenly_spaced(5, 6)


def test_samplings_with_the_same_rule_are_equal() -> None:
    assert Sampling("spread", 32) == parse_sampling("spread:32")
