from pathlib import Path
from typing import Any

import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.settings import load_settings, to_plain
from unmask.training.settings import TrainSettings

PATHS: dict[str, Any] = {"catalog": Path("c"), "faces": Path("f"), "out": Path("o")}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 0, "epochs must be 1 or more, got 0"),
        ("batch", 0, "batch must be 1 or more, got 0"),
        ("steps", -1, "steps must be 1 or more, got -1"),
        ("warm_up_steps", -1, "warm_up_steps must be 0 or more, got -1"),
        ("learning_rate", 0.0, "learning_rate must be above 0, got 0.0"),
        ("jpeg", 1.5, r"jpeg must be a probability in \[0, 1\], got 1.5"),
        ("step_factor", 2.0, r"step_factor must lie in \(0, 1\], got 2.0"),
        ("norm_momentum", 0.0, r"norm_momentum must lie in \(0, 1\], got 0.0"),
        ("cache_gib", -1.0, r"cache_gib must be 0 or more, got -1\.0"),
        ("momentum", 1.0, r"momentum must lie in \[0, 1\), got 1.0"),
        ("lowest_rate", -0.1, "lowest_rate must be 0 or more, got -0.1"),
        ("adversarial_epsilon", 0.0, r"adversarial_epsilon must lie in \(0, 1\], got 0.0"),
        ("adversarial_share", 1.5, r"adversarial_share must lie in \(0, 1\], got 1.5"),
        ("adversarial_step", -1.0, r"adversarial_step must lie in \(0, 1\], got -1.0"),
        ("adversarial_steps", 0, "adversarial_steps must be 1 or more, got 0"),
    ],
)
def test_a_number_out_of_range_is_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        TrainSettings(**PATHS, **{name: value})


@pytest.mark.parametrize(
    ("name", "value", "closest"),
    [
        ("sampling", "balance", "balanced"),
        ("schedule", "cosin", "cosine"),
        ("selection", "aux", "auc"),
        ("selection", "acuracy", "accuracy"),
        ("optimiser", "sdg", "sgd"),
        ("target", "methods", "method"),
        ("precision", "16-mix", "16-mixed"),
        ("adversarial", "pdg", "pgd"),
    ],
)
def test_an_unknown_choice_is_answered_with_the_closest(
    name: str, value: Any, closest: str
) -> None:
    with pytest.raises(NotFoundError, match=f"{name} has no '{value}'; did you mean '{closest}'"):
        TrainSettings(**PATHS, **{name: value})


def test_pairs_need_a_target_with_real_faces() -> None:
    words = "sampling must be balanced or all where target is method, which leaves reals out, got p"
    with pytest.raises(InvalidInputError, match=words):
        TrainSettings(**PATHS, sampling="paired", target="method")
    assert TrainSettings(**PATHS, sampling="paired", target="maker").batch == 32


def test_fast_training_takes_one_step() -> None:
    with pytest.raises(InvalidInputError, match="adversarial_steps must be 1 where fast attacks"):
        TrainSettings(**PATHS, adversarial="fast", adversarial_steps=2)


def test_pairs_need_an_even_batch() -> None:
    with pytest.raises(InvalidInputError, match="batch must be even where sampling is paired"):
        TrainSettings(**PATHS, sampling="paired", batch=3)


def test_only_one_device_learns_the_head_first() -> None:
    with pytest.raises(InvalidInputError, match="devices must be 1 where head_epochs is given"):
        TrainSettings(**PATHS, head_epochs=1, devices=2)


def test_what_chooses_the_epoch_follows_the_target() -> None:
    usual = {
        name: TrainSettings(**PATHS, target=name).chosen_by
        for name in ("label", "adversarial", "method", "maker")
    }
    assert usual == {
        "label": "auc",
        "adversarial": "auc",
        "method": "accuracy",
        "maker": "accuracy",
    }
    assert TrainSettings(**PATHS, target="maker", selection="auc").chosen_by == "auc"


@pytest.mark.parametrize("selection", ["auc", "robust_auc"])
def test_where_no_class_is_real_no_auc_can_choose(selection: str) -> None:
    with pytest.raises(
        InvalidInputError,
        match=f"selection must be accuracy or loss where target is method, got {selection}",
    ):
        TrainSettings(**PATHS, target="method", selection=selection)


def test_plain_values_make_the_same_settings_again() -> None:
    settings = TrainSettings(**PATHS, qualities=("raw", "c23"), size=128, weights=Path("w.pth"))
    assert load_settings(TrainSettings, to_plain(settings)) == settings


def test_the_detector_gets_only_what_was_given() -> None:
    assert TrainSettings(**PATHS).detector_settings == {}
    assert TrainSettings(**PATHS, size=64, pretrained=False).detector_settings == {
        "size": 64,
        "pretrained": False,
    }
