"""The perturbation VC."""

import pytest

from unmask.degrade.video_compression import VideoCompression


@pytest.mark.parametrize(("level", "crf"), [(1, 30), (2, 32), (3, 35), (4, 38), (5, 40)])
def test_the_level_says_at_which_rate_the_video_is_written(level: int, crf: int) -> None:
    assert VideoCompression(level).crf == crf
