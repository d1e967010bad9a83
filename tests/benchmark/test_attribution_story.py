"""What the attribution page says of the people whom it is about."""

from pathlib import Path
from typing import Any

import pytest

from unmask.benchmark.attribution import SOME_STAND_INS, _story
from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings
from unmask.catalog import make_catalog


@pytest.mark.parametrize(
    ("made", "wanted"),
    [(0, (False, ())), (1, (False, (SOME_STAND_INS,))), (2, (True, ()))],
)
def test_page_says_that_some_people_are_made(
    made: int, wanted: tuple[bool, tuple[str, ...]], tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [
        {"id": f"{number}.mp4", "path": f"{number}.mp4", "kind": "video", "dataset": "some"}
        | {"label": 0, "original_label": "pristine stand-in" if number < made else "pristine"}
        for number in range(2)
    ]
    settings = AttributionBenchmarkSettings(Path("c.parquet"), Path("f.parquet"), tmp_path)
    story = _story(settings, make_catalog(rows, tmp_path))
    assert (story.stand_in, story.caveats) == wanted
