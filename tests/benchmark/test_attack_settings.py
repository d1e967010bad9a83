from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from unmask.benchmark.attack_items import spread
from unmask.benchmark.attack_settings import AttackBenchmarkSettings, parse_attack
from unmask.errors import InvalidInputError, NotFoundError


def settings(**changes: Any) -> AttackBenchmarkSettings:
    given: dict[str, Any] = {"victims": ("meso4",), "attacks": ("fgsm",)} | changes
    return AttackBenchmarkSettings(catalog=Path("catalog.parquet"), out=Path("out"), **given)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"victims": ()}, "victims must be one or more different ones, got none"),
        ({"attacks": ("fgsm", "fgsm")}, "attacks must be one or more different ones"),
        ({"attacks": ("fgsm:8/255",)}, "an attack must be like NAME or NAME:option=value"),
        ({"codecs": ("raw",)}, "codecs must lose something, got 'raw'"),
        ({"videos": -1}, "videos must be 0 or more, got -1"),
        ({"clip_frames": -1}, "clip_frames must be 0 or more, got -1"),
        ({"curve_faces": -3}, "curve_faces must be 0 or more, got -3; 0 draws no curve"),
        ({"batch": 0}, "batch must be 1 or more, got 0"),
        ({"resamples": 1}, "resamples must be 100 or more, got 1"),
        ({"threshold": 1.0}, r"threshold must lie in \(0, 1\), got 1.0"),
        ({"threshold": float("nan")}, r"threshold must lie in \(0, 1\), got nan"),
        ({"epsilons": ("0",)}, "epsilons must be numbers of 255 above 0, got 0"),
        ({"epsilons": ("two",)}, "epsilons must be numbers of 255 above 0, got two"),
        ({"frames": "some"}, "sampling must be all"),
    ],
)
def test_setting_that_makes_no_sense_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        settings(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attacks": ("fgms",)}, "did you mean 'fgsm'"),
        ({"attacks": ("fgsm:epsilom=8/255",)}, "did you mean 'epsilon'"),
        ({"preset": "papers"}, "did you mean 'paper'"),
        ({"codecs": ("mjpg",)}, "did you mean 'mjpeg'"),
    ],
)
def test_misspelt_name_is_answered_with_the_closest(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        settings(**changes)


def test_radii_are_in_values_of_one_and_rise() -> None:
    assert settings(epsilons=("4", "1")).radii == (1 / 255, 4 / 255)


def test_name_of_an_attack_with_options_is_legal_for_a_folder() -> None:
    assert parse_attack("nes : epsilon=8/255").name == "nes-epsilon=8_255"


def test_attack_at_any_radius_has_its_other_options_still() -> None:
    spec = parse_attack("robust:transforms=recut:epsilon = 2/255:iterations=9")
    assert spec.at_any_radius == parse_attack("robust:transforms=recut:iterations=9")


def test_few_videos_are_taken_of_all_methods_and_of_different_persons() -> None:
    rows = [
        {"id": f"{method}/{number}", "method": method, "person": f"P{number % 4}"}
        for method, count in (("swap", 40), ("blend", 8))
        for number in range(count)
    ]
    chosen = spread(rows, 8, seed=3)
    assert Counter(one["method"] for one in chosen) == {"swap": 4, "blend": 4}
    assert Counter(one["person"] for one in chosen) == {f"P{number}": 2 for number in range(4)}
    assert chosen == spread(list(rows), 8, seed=3)
    assert chosen != spread(rows, 8, seed=4)


def test_more_videos_than_there_are_gives_all() -> None:
    rows = [{"id": str(number), "method": "swap", "person": None} for number in range(3)]
    assert [one["id"] for one in spread(rows, 9, seed=0)] == ["0", "1", "2"]


def test_taking_all_of_many_videos_does_not_compare_them_with_each_other() -> None:
    rows = [{"id": f"{number:05}", "method": "swap", "person": None} for number in range(20_000)]
    start = perf_counter()
    assert spread(rows, len(rows), seed=0) == rows
    assert perf_counter() - start < 2  # 200 million comparisons take far longer
