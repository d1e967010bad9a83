import io
from pathlib import Path

import numpy as np
import pytest

from unmask.benchmark.attack_pictures import (
    Sight,
    Strip,
    difference,
    strip_element,
    strip_figure,
    write_strips,
)
from unmask.errors import InvalidInputError
from unmask.video.picture import read_picture

CLEAN = np.full((40, 40, 3), 100, np.uint8)


def strip() -> Strip:
    attacked = CLEAN.copy()
    attacked[:20] += 2
    return Strip(
        "nes on meso4",
        "swap/<1>.mp4, frame 3",
        (
            Sight("file", CLEAN, attacked, 0.93, 0.12),
            Sight("c40", CLEAN, CLEAN, 0.81, None),
        ),
    )


def test_difference_is_grey_where_nothing_changed_and_twenty_times_elsewhere() -> None:
    attacked = CLEAN.copy()
    attacked[0, 0] = (101, 98, 120)
    found = difference(CLEAN, attacked)
    assert found[0, 0].tolist() == [148, 88, 255]
    assert (found[1:] == 128).all()


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="must have one shape"):
        difference(CLEAN, CLEAN[:20])


def test_strip_has_three_pictures_a_channel_with_scores_and_says_where_no_face_was_found() -> None:
    text = strip_element(strip())
    assert text.count("<img") == 6
    assert "lossless file" in text
    for told in ("P(fake) 0.930", "P(fake) 0.120", "no face found", "largest 2, mean 1.0 of 255"):
        assert told in text
    assert "&lt;1&gt;" in text


def test_strip_is_drawn_with_a_row_for_clean_attacked_and_difference() -> None:
    drawn = strip_figure(strip())
    assert len(drawn.axes) == 6
    assert drawn.axes[0].get_xlabel() == "P(fake) 0.930"
    file = io.BytesIO()
    drawn.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_strips_are_written_as_files_that_are_named_after_attack_and_victim(tmp_path: Path) -> None:
    write_strips([strip()], tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.name == "nes-on-meso4.png"
    assert read_picture(path).shape[0] > 100
