import numpy as np
import pytest

from makers.known_detectors import Tint, TintElsewhere
from unmask.adversarial.attack_clip import scores_of


def test_scores_need_no_64_bits_of_the_device() -> None:
    crops = [np.full((9, 9, 3), level, np.uint8) for level in (120, 140)]
    scores = scores_of(TintElsewhere(), crops)
    assert scores == pytest.approx(scores_of(Tint(), crops))
    assert 0 < scores[0] < scores[1] < 1
