import json
from dataclasses import replace
from pathlib import Path

import pytest

from makers.attack_study import CHANNELS, make_attack_result, make_attack_study
from unmask.benchmark.attack_results import read_attack_results
from unmask.benchmark.results import Measured
from unmask.errors import InvalidInputError, NotFoundError


def test_results_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    study = make_attack_study()
    for one in study:
        one.write(tmp_path)
    assert read_attack_results(tmp_path) == sorted(study, key=lambda one: one.name)


def test_name_differs_for_another_radius_victim_seed_or_part() -> None:
    result = make_attack_result()
    others = [
        replace(result, options={"epsilon": 8 / 255, "iterations": 100}),
        replace(result, victim=replace(result.victim, sha256="ff" * 32)),
        replace(result, seed=1),
        replace(result, test=replace(result.test, split="val")),
        replace(result, frames="every:50"),
    ]
    assert len({one.name for one in [result, *others]}) == 6
    assert result.name.startswith("attack-meso4-iterative_fgsm-openpeople-")


def test_share_is_the_victims_own_unless_another_judge_is_named() -> None:
    result = make_attack_result(success=1.0)
    for channel, wanted in zip(CHANNELS, (1, 1, 0.8, 0.6, 0.4), strict=True):
        found = result.share("success", channel)
        assert found is not None
        assert found.value == pytest.approx(wanted)
    other = result.share("success", "c40", "xception")
    assert other is not None
    assert other.value == pytest.approx(0.3)
    assert result.share("success", "c40", "nobody") is None


def test_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    broken = replace(make_attack_result(), costs={"linf": Measured(float("nan"), None, None, "")})
    with pytest.raises(InvalidInputError, match="must hold finite numbers"):
        broken.write(tmp_path)


def test_folder_without_results_of_attacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="must hold results of attacks"):
        read_attack_results(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 9}, "version must be 1, got 9"),
        ({"threshhold": 0.5}, "did you mean 'threshold'"),
        ({"seed": "none"}, "seed must be a whole number, got 'none'"),
    ],
)
def test_file_that_is_no_result_is_refused_with_its_name(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = make_attack_result().write(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises((InvalidInputError, NotFoundError), match=message) as caught:
        read_attack_results(tmp_path)
    assert path.name in str(caught.value)


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = make_attack_result().write(tmp_path)
    path.write_text(path.read_text("utf-8")[:100], "utf-8")
    with pytest.raises(InvalidInputError, match="must be whole JSON"):
        read_attack_results(tmp_path)
