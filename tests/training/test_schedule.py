from pathlib import Path
from typing import Any

import pytest

from unmask.training.schedule import learning_rate
from unmask.training.settings import TrainSettings


def rates(steps: int, steps_per_epoch: int = 2, **settings: Any) -> list[float]:
    told = TrainSettings(*(Path(),) * 3, learning_rate=1.0, **settings)
    return [
        learning_rate(told, step, steps=steps, steps_per_epoch=steps_per_epoch)
        for step in range(steps)
    ]


def test_cosine_falls_in_half_a_wave() -> None:
    assert rates(4, schedule="cosine") == pytest.approx([1, 0.853553, 0.5, 0.146447], abs=1e-6)


def test_warm_up_rises_in_a_straight_line_to_the_full_rate() -> None:
    assert rates(5, warm_up_steps=3, schedule="constant") == [0.25, 0.5, 0.75, 1, 1]
    assert rates(5, warm_up_steps=3)[3] == 1


def test_step_falls_by_the_factor_every_so_many_epochs() -> None:
    found = rates(8, schedule="step", step_every=2, step_factor=0.5)
    assert found == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]


def test_a_warm_up_longer_than_the_training_never_ends() -> None:
    assert rates(2, warm_up_steps=9) == [0.1, 0.2]


def test_the_rate_falls_no_lower_than_the_lowest() -> None:
    found = rates(8, schedule="step", step_every=1, step_factor=0.1, lowest_rate=0.01)
    assert found == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01])
    assert min(rates(50, lowest_rate=0.2)) == 0.2
