"""Options of a part, as text."""

import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.generators.landmark_swap import LandmarkSwap
from unmask.options import parse_options


class Part:
    def __init__(
        self, *, name: str = "a", count: int = 1, size: float = 0.5, bold: bool = False
    ) -> None: ...


class Plain:
    pass


def test_given_values_stand_over_the_defaults_in_their_own_types() -> None:
    found = parse_options(Part, ["count=7", "size= 2", "bold=True", "name=x=y"])
    assert found == {"name": "x=y", "count": 7, "size": 2.0, "bold": True}
    assert [type(value) for value in found.values()] == [str, int, float, bool]


def test_fraction_is_read_as_the_field_writes_it() -> None:
    assert parse_options(Part, ["size=8/255"])["size"] == 8 / 255
    with pytest.raises(InvalidInputError, match="size must be a number, got '8/0'"):
        parse_options(Part, ["size=8/0"])


def test_defaults_are_told_where_nothing_is_given() -> None:
    assert parse_options(LandmarkSwap, []) == {
        "blending": "feather",
        "erosion": 0.05,
        "feather": 0.35,
        "match": True,
    }
    assert parse_options(Plain, []) == {}


def test_misspelt_option_is_answered_with_the_closest() -> None:
    with pytest.raises(
        NotFoundError, match="LandmarkSwap has no 'blendin'; did you mean 'blending'"
    ):
        parse_options(LandmarkSwap, ["blendin=poisson"])


def test_option_without_a_value_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        InvalidInputError, match="must be name=value, got 'bold'; choose from name,"
    ):
        parse_options(Part, ["bold"])
    with pytest.raises(InvalidInputError, match="as there are no options"):
        parse_options(Plain, ["bold"])


@pytest.mark.parametrize(
    ("option", "wanted"),
    [("count=1.5", "a whole number"), ("size=big", "a number"), ("bold=7", "true or false")],
)
def test_value_of_another_type_is_refused(option: str, wanted: str) -> None:
    with pytest.raises(InvalidInputError, match=f"must be {wanted}, got"):
        parse_options(Part, [option])
