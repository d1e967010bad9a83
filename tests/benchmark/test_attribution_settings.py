from dataclasses import replace
from pathlib import Path

import pytest

from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings, partner
from unmask.errors import InvalidInputError, NotFoundError

FIVE = ("dfaker", "dfl_h128", "iae", "lightweight", "original")
SETTINGS = AttributionBenchmarkSettings(Path("a"), Path("b"), Path("c"))


def test_by_default_each_maker_is_left_out_alone_and_once_beside_its_partner() -> None:
    assert SETTINGS.left_out(FIVE) == [
        *[(name,) for name in FIVE],
        ("dfaker", "dfl_h128"),
        ("iae", "lightweight"),
        ("dfaker", "original"),
    ]


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8])
def test_every_maker_has_another_as_its_partner(count: int) -> None:
    makers = "abcdefgh"[:count]
    assert all(partner(name, makers) in makers.replace(name, "") for name in makers)


def test_maker_that_is_named_is_left_out_alone_and_with_its_partner() -> None:
    assert replace(SETTINGS, leave_out=("iae",)).left_out(FIVE) == [
        ("iae",),
        ("iae", "lightweight"),
    ]


def test_nothing_is_left_out_where_it_is_not_wanted() -> None:
    assert replace(SETTINGS, leave_out=("none",)).left_out(FIVE) == []


def test_second_maker_is_not_left_out_where_two_classes_would_not_stay_or_it_is_not_wanted() -> (
    None
):
    alone = [(name,) for name in FIVE[:3]]
    assert SETTINGS.left_out(FIVE[:3]) == alone
    assert len(replace(SETTINGS, with_real=True).left_out(FIVE[:3])) == 5
    assert replace(SETTINGS, held_out=False).left_out(FIVE) == [(name,) for name in FIVE]


def test_too_few_makers_to_leave_one_out_are_refused() -> None:
    with pytest.raises(
        InvalidInputError,
        match=r"leave_out must leave 2 classes to tell apart, got 1 of a, b; add makers, or set "
        "leave_out to none",
    ):
        SETTINGS.left_out(("a", "b"))
    assert replace(SETTINGS, with_real=True).left_out(("a", "b")) == [("a",), ("b",)]


def test_unknown_maker_to_leave_out_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="has no 'iea'; did you mean 'iae'"):
        replace(SETTINGS, leave_out=("iea",)).left_out(FIVE)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"leave_out": ("all", "iae")}, InvalidInputError, "leave_out must be all, none or names"),
        ({"accepted": 1.0}, InvalidInputError, "accepted must lie between 0 and 1, got 1.0"),
        ({"resamples": 3}, InvalidInputError, "resamples must be 100 or more, got 3"),
        ({"aggregate": "median"}, NotFoundError, "the aggregates of makers has no 'median'"),
        ({"confidence": "energy"}, NotFoundError, "the rules of confidence has no 'energy'"),
        ({"open_detectors": ("meso5",)}, NotFoundError, "has no 'meso5'; did you mean 'meso4'"),
        ({"detectors": ()}, InvalidInputError, "detectors must name at least one, got none"),
        ({"qualities": ()}, InvalidInputError, "qualities must name at least one, got none"),
    ],
)
def test_setting_that_makes_no_sense_is_refused(
    changes: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        replace(SETTINGS, **changes)  # type: ignore[arg-type]
