"""The courses of the ten actions."""

import numpy as np
import pytest

from unmask.generators.stills_gesture import ACTIONS, PEAKS, Gesture, make_gestures


def gestures(action: str, *, frames: int = 16, rate: float = 25, seed: int = 0) -> list[Gesture]:
    return make_gestures(action, frames, rate, np.random.default_rng(seed))


def test_actions_are_deepfakemnists_ten_with_surprise_spelt_right() -> None:
    assert set(ACTIONS) == {
        "blink", "mouth", "yaw", "nod", "right_slope", "left_slope", "up", "smile", "surprise",
        "embarrass",
    }  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS)
def test_action_starts_and_ends_near_rest_and_reaches_its_height_between(action: str) -> None:
    for seed in range(20):
        course = gestures(action, frames=40, seed=seed)
        for name, peak in vars(PEAKS[action]).items():
            values = np.abs([getattr(gesture, name) for gesture in course])
            if abs(peak) > 0.1:
                assert values[0] < 0.1 * abs(peak) + 0.03, name
                assert values[-1] < 0.2 * abs(peak) + 0.03, name
                assert 0.8 * abs(peak) - 0.03 < values.max() < 1.1 * abs(peak) + 0.03, name


def test_head_never_turns_further_than_25_degrees() -> None:
    turns = [
        abs(gesture.yaw)
        for action in ACTIONS
        for seed in range(30)
        for gesture in gestures(action, frames=32, seed=seed)
    ]
    assert max(turns) < np.deg2rad(25)


@pytest.mark.parametrize("frames", [10, 16, 100])
def test_blink_shuts_the_eyes_in_at_least_one_frame_whatever_the_seed(frames: int) -> None:
    for seed in range(50):
        lids = [gesture.lids for gesture in gestures("blink", frames=frames, seed=seed)]
        assert max(lids) > 0.99
        assert min(lids) == 0


def test_long_clip_repeats_its_action_and_a_shaking_head_changes_sides() -> None:
    yaw = np.array([gesture.yaw for gesture in gestures("yaw", frames=180)])
    far = np.sign(yaw) * (np.abs(yaw) > 0.2)
    sides = far[far != 0]
    assert np.count_nonzero(np.diff(sides)) == 3  # four swings in 7.2 seconds


def test_same_seed_gives_the_same_course_and_another_seed_another() -> None:
    assert gestures("nod", seed=3) == gestures("nod", seed=3)
    assert gestures("nod", seed=3) != gestures("nod", seed=4)


def test_head_drifts_a_little_while_it_blinks() -> None:
    yaw = [gesture.yaw for gesture in gestures("blink", frames=50)]
    assert 0 < np.ptp(yaw) < 0.06
