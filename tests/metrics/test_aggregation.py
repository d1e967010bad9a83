import numpy as np
import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.metrics.aggregation import RULES, aggregate

TEN = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("mean", 0.46),
        ("median", 0.45),
        ("max", 1.0),
        ("top_tenth", 1.0),
        ("trimmed_mean", 0.45),
        ("fraction", 0.5),
    ],
)
def test_each_rule_gives_what_its_name_says(rule: str, expected: float) -> None:
    shuffled = np.random.default_rng(0).permutation(TEN)
    _, scores = aggregate(shuffled, ["a"] * 10, rule=rule)
    assert scores[0] == pytest.approx(expected)


def test_top_tenth_of_eleven_scores_is_the_mean_of_two() -> None:
    _, scores = aggregate([*TEN, 0.9], ["a"] * 11, rule="top_tenth")
    assert scores[0] == pytest.approx(0.95)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_videos_with_interleaved_rows_are_kept_apart(rule: str) -> None:
    videos, scores = aggregate([0.9, 0.1, 0.9, 0.1, 0.1], ["b", "a", "b", "a", "a"], rule=rule)
    assert videos.tolist() == ["a", "b"]
    assert scores[0] < 0.5 < scores[1]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_video_of_one_frame_has_a_score(rule: str) -> None:
    _, scores = aggregate([0.5], ["a"], rule=rule)
    assert 0 <= scores[0] <= 1


def test_misspelt_rule_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="aggregation rules has no 'meen'; did you mean 'mean'"):
        aggregate([0.5], ["a"], rule="meen")


def test_rows_without_a_video_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="give one video id for each score"):
        aggregate([0.5, 0.6], ["a"])
