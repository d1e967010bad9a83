import pytest

from unmask.defences.bit_depth import BitDepth
from unmask.defences.jpeg import Jpeg
from unmask.defences.spec import parse_purifiers
from unmask.errors import InvalidInputError, NotFoundError


def test_purifiers_come_in_the_order_of_the_text_with_their_values() -> None:
    jpeg, depth = parse_purifiers("jpeg:60 + bit_depth:3").steps
    assert isinstance(jpeg, Jpeg)
    assert isinstance(depth, BitDepth)
    assert (jpeg.loss.quality, depth.bits) == (60, 3)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("jpeg", "jpeg-75"),
        ("jpeg:quality=60", "jpeg-60"),
        ("jpeg-60+median:5", "jpeg-60+median-5"),
        ("resize_pad:0.8", "resize_pad-0.8"),
    ],
)
def test_a_chain_has_one_name_that_is_read_again(text: str, name: str) -> None:
    assert parse_purifiers(text).name == name
    assert parse_purifiers(name).name == name


@pytest.mark.parametrize("text", ["", "jpeg:75+", "+median", "jpeg:"])
def test_an_empty_purifier_or_value_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"purifiers must be like jpeg:75 or .*, got"):
        parse_purifiers(text)


def test_a_misspelt_purifier_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match=r"unmask\.defences has no 'jepg'; did you mean 'jpeg'"):
        parse_purifiers("jepg:75")


def test_a_helper_file_is_no_purifier() -> None:
    with pytest.raises(NotFoundError, match=r"unmask\.defences has no 'purified'"):
        parse_purifiers("purified")


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="quality must be a whole number, got 'high'"):
        parse_purifiers("jpeg:high")


def test_a_misspelt_value_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="has no 'qualty'; did you mean 'quality'"):
        parse_purifiers("jpeg:qualty=3")
