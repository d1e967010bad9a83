import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from makers.study import make_result
from unmask.benchmark.results import Measured, Measures, Part, read_result, read_results
from unmask.errors import InvalidInputError, NotFoundError


def test_written_result_is_read_back_the_same(tmp_path: Path) -> None:
    result, _ = make_result()
    path = result.write(tmp_path)
    assert path.name == f"{result.name}.json"
    assert read_results(tmp_path) == [result]


def test_result_without_an_interval_is_read_back_the_same(tmp_path: Path) -> None:
    result, _ = make_result()
    metrics = {"auc": Measured(1.0, None, None, "no interval")}
    changed = replace(result, video=Measures(metrics, result.video.decisions))
    assert read_result(changed.write(tmp_path)) == changed


def test_published_figure_stands_in_the_file(tmp_path: Path) -> None:
    result, _ = make_result(detector="xception", dataset="deepfakemnist")
    content = json.loads(result.write(tmp_path).read_text())
    assert content["published"][0]["value"] == 0.8552
    assert content["version"] == 1


def test_same_thing_measured_again_replaces_its_file(tmp_path: Path) -> None:
    result, _ = make_result()
    result.write(tmp_path)
    replace(result, created="2026-11-22T10:00:00+00:00").write(tmp_path)
    assert [one.created[:10] for one in read_results(tmp_path)] == ["2026-11-22"]


def test_different_things_have_different_names() -> None:
    result, _ = make_result()
    others = [
        replace(result, seed=1),
        replace(result, oracle=True),
        replace(result, detector="xception "),
        replace(result, test=Part("openpeople", ("c40",), "test")),
        replace(result, test=Part("openpeople", ("c23",), "test", ("self_blend",))),
        replace(result, train=Part("openpeople", ("raw", "c23", "c40"), "train")),
    ]
    assert len({result.name, *(one.name for one in others)}) == 7


def test_name_tells_what_was_trained_and_tested() -> None:
    result, _ = make_result(trained=("raw",), tested="c40")
    assert result.name.startswith("compression-xception-openpeople-raw-on-openpeople-c40-")


def test_nothing_half_written_is_left_or_read(tmp_path: Path) -> None:
    result, _ = make_result()
    broken = Measures({"auc": Measured(float("nan"), 0, 1, "")}, result.frame.decisions)
    with pytest.raises(InvalidInputError, match="must hold finite numbers, got others in"):
        replace(result, frame=broken).write(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_measure_that_was_not_taken_is_answered_with_the_closest() -> None:
    result, _ = make_result()
    with pytest.raises(
        NotFoundError, match=r"video level of .* has no 'acuracy'; did you mean 'acc"
    ):
        result.measured("acuracy", "video")


def test_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"must hold result files, got none in .*; run the"):
        read_results(tmp_path)


def set_at(*keys: Any, value: object) -> Callable[[dict[str, Any]], object]:
    def change(content: dict[str, Any]) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_at("version", value=2), "version must be 1, got 2; measure it again with this"),
        (set_at("seed", value="0"), "seed must be a whole number, got '0'; correct the file"),
        (set_at("seed", value=True), "seed must be a whole number, got True"),
        (set_at("oracle", value=1), "oracle must be true or false, got 1"),
        (set_at("test", value="c23"), "test must be an object, got 'c23'"),
        (set_at("test", "qualities", value="c23"), "test.qualities must be a list, got 'c23'"),
        (set_at("test", "qualities", value=[23]), r"test.qualities\[0\] must be text, got 23"),
        (
            set_at("frame", "metrics", "auc", "value", value=None),
            "frame.metrics.auc.value must be a number, got None",
        ),
        (
            set_at("frame", "metrics", "auc", "lov", value=0.1),
            "frame.metrics.auc has no 'lov'; did you mean 'low'",
        ),
        (set_at("detectr", value="meso4"), "Result has no 'detectr'; did you mean 'detector'"),
        (
            set_at("published", value=[{"metric": "auc", "level": "clip"}]),
            r"published\[0\].value must be given, got nothing",
        ),
        (lambda content: content.pop("commit"), "commit must be given, got nothing; measure it"),
    ],
)
def test_misread_file_is_refused_with_its_name_and_the_key(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = make_result()[0].write(tmp_path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInputError, match=message) as caught:
        read_results(tmp_path)
    assert str(caught.value).startswith(path.name)


def test_level_must_be_one_of_two(tmp_path: Path) -> None:
    path = make_result(detector="xception", dataset="deepfakemnist")[0].write(tmp_path)
    path.write_text(path.read_text().replace('"level": "frame"', '"level": "clip"'))
    with pytest.raises(InvalidInputError, match=r"level must be one of frame, video, got 'clip'"):
        read_results(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[1]", "\x00"])
def test_file_that_is_no_json_object_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "broken.json").write_text(content)
    with pytest.raises(InvalidInputError, match=r"^broken.json: .* must be .*; measure it again"):
        read_results(tmp_path)
