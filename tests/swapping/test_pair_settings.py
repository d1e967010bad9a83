from typing import Any

import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.swapping.pair_settings import PairSettings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"iterations": 0}, "iterations must be 1 or more, got 0; correct the setting"),
        ({"batch": 0}, "batch must be 1 or more, got 0"),
        ({"patience": -1}, "patience must be 0 or more, got -1"),
        ({"preview_every": 0}, "preview_every must be 1 or more, got 0"),
        ({"save_every": -0.1}, "save_every must be 0 or more, got -0.1"),
        ({"minutes": 0.0}, "minutes must be above 0, got 0.0"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, got 0.0"),
        ({"coverage": 1.1}, r"coverage must lie in \(0, 1\], got 1.1"),
        ({"width": 3.0}, r"width must lie in \(0, 1\], got 3.0; correct the setting"),
        ({"width": 0.0}, r"width must lie in \(0, 1\], got 0.0"),
        ({"padding": 5.0}, r"padding must lie in \[0, 1\), got 5.0; correct the setting"),
        ({"padding": -1.0}, r"padding must lie in \[0, 1\), got -1.0"),
        ({"batch": 15, "devices": 2}, "batch must be a multiple of the 2 devices, got 15; each"),
    ],
)
def test_values_out_of_range_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        PairSettings(**given)


def test_unknown_precision_is_refused() -> None:
    with pytest.raises(NotFoundError, match="precision has no 'bf16'; did you mean 'bf16-mixed'"):
        PairSettings(precision="bf16")
