import re
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray

from unmask.attribution.confidence import confidence_of_logits
from unmask.attribution.video import named, video_confidence, video_probabilities
from unmask.errors import InvalidInputError, NotFoundError
from unmask.metrics.class_scaling import at_temperature

CLASSES = ("dfaker", "iae", "original")
NAMES = [f"p_{name}" for name in CLASSES]
LOGITS = np.random.default_rng(0).normal(0, 2, (6, 3))
ITEMS = ["b", "a", "b", "b", "a", "c"]


def table(logits: NDArray[np.float64], items: list[str], *, levelled: bool = False) -> pl.DataFrame:
    """Return faces as they are scored, in the given order."""
    values = torch.from_numpy(logits)
    made = pl.DataFrame(values.softmax(-1).numpy(), NAMES).insert_column(
        0, pl.Series("item", items)
    )
    level = pl.Series(values.logsumexp(-1).numpy())
    return made.with_columns(level=level) if levelled else made


def of(item: str) -> NDArray[np.float64]:
    return LOGITS[[one == item for one in ITEMS]]


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = torch.from_numpy(logits).softmax(-1).numpy()
    return found


def test_mean_of_a_video_is_that_of_its_faces_probabilities() -> None:
    found = video_probabilities(table(LOGITS, ITEMS), CLASSES)
    assert found["item"].to_list() == ["a", "b", "c"]
    assert found["faces"].to_list() == [2, 3, 1]
    expected = [softmax(of(item)).mean(0) for item in "abc"]
    np.testing.assert_allclose(found.select(NAMES).to_numpy(), expected, atol=1e-12)


def test_geometric_mean_of_a_video_is_the_softmax_of_its_faces_mean_logits() -> None:
    found = video_probabilities(table(LOGITS, ITEMS), CLASSES, aggregate="geometric")
    expected = [softmax(of(item).mean(0)) for item in "abc"]
    np.testing.assert_allclose(found.select(NAMES).to_numpy(), expected, atol=1e-12)


def test_one_face_that_is_surely_wrong_outvotes_the_geometric_mean_only() -> None:
    logits = np.array([[2.0, 0.0, 0.0]] * 4 + [[-90.0, 0.0, 0.0]])
    chosen = {
        aggregate: named(
            video_probabilities(table(logits, ["a"] * 5), CLASSES, aggregate=aggregate), CLASSES
        )["maker"].item()
        for aggregate in ("mean", "geometric")
    }
    assert chosen["mean"] == "dfaker"
    assert chosen["geometric"] != "dfaker"


@pytest.mark.parametrize("aggregate", ["mean", "geometric"])
def test_temperature_divides_the_logarithms_of_the_video(aggregate: str) -> None:
    faces = table(LOGITS, ITEMS)
    plain, cooled = (
        video_probabilities(faces, CLASSES, aggregate=aggregate, temperature=one).select(NAMES)
        for one in (1.0, 2.5)
    )
    expected = softmax(np.log(plain.to_numpy()) / 2.5)
    np.testing.assert_allclose(cooled.to_numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("temperature", [0.05, 0.4, 3.0])
def test_a_temperature_is_applied_as_it_was_fitted_to_classes_that_a_network_rules_out(
    temperature: float,
) -> None:
    logits = np.array([[0.0, -2000.0, -60.0], [0.0, -2.0, 1.0]])
    faces = table(logits, ["a", "b"])
    found = video_probabilities(faces, CLASSES, temperature=temperature)
    expected = at_temperature(softmax(logits), temperature)
    np.testing.assert_allclose(found.select(NAMES).to_numpy(), expected, rtol=1e-9)


def test_a_face_that_excludes_a_class_leaves_numbers() -> None:
    logits = np.array([[0.0, -2000.0, 0.0], [0.0, 1.0, 0.0]])
    for aggregate in ("mean", "geometric"):
        found = video_probabilities(table(logits, ["a", "a"]), CLASSES, aggregate=aggregate)
        assert found.select(pl.sum_horizontal(NAMES)).item() == pytest.approx(1)


@pytest.mark.parametrize("rule", ["energy", "max_logit", "max_softmax", "margin", "entropy"])
def test_confidence_of_a_video_of_one_face_is_that_of_its_logits(rule: str) -> None:
    faces = table(LOGITS, list("abcdef"), levelled=True)
    for aggregate in ("mean", "geometric"):
        for temperature in (1.0, 3.0, 0.05):
            videos = video_probabilities(
                faces, CLASSES, aggregate=aggregate, temperature=temperature
            )
            found = video_confidence(videos, CLASSES, rule=rule)
            np.testing.assert_allclose(found, confidence_of_logits(LOGITS, rule), atol=1e-9)


@pytest.mark.parametrize("rule", ["energy", "max_logit"])
def test_energy_of_a_geometric_mean_is_that_of_the_mean_of_the_faces_logits(rule: str) -> None:
    faces = table(LOGITS, ITEMS, levelled=True)
    videos = video_probabilities(faces, CLASSES, aggregate="geometric")
    expected = confidence_of_logits(np.stack([of(item).mean(0) for item in "abc"]), rule)
    np.testing.assert_allclose(video_confidence(videos, CLASSES, rule=rule), expected, atol=1e-12)


def test_a_low_temperature_makes_no_two_videos_equally_sure() -> None:
    faces = table(np.array([[6.0, 0.0, 0.0], [9.0, 0.0, 0.0]]), ["a", "b"])
    videos = video_probabilities(faces, CLASSES, temperature=0.05)
    assert videos["p_dfaker"].to_list() == [1, 1]
    low, high = video_confidence(videos, CLASSES)
    assert low < high


def test_a_video_below_the_threshold_is_of_no_known_maker_and_keeps_its_likeliest() -> None:
    videos = pl.DataFrame(
        {"item": ["a", "b"], "p_dfaker": [0.2, 0.4], "p_iae": [0.7, 0.1], "p_original": [0.1, 0.5]}
    )
    found = named(videos, CLASSES, threshold=0.7)
    assert found["maker"].to_list() == ["iae", "unknown"]
    assert found["likeliest"].to_list() == ["iae", "original"]
    assert found["probability"].to_list() == [0.7, 0.5]
    assert found["ranking"].to_list() == [
        ["iae", "dfaker", "original"],
        ["original", "dfaker", "iae"],
    ]
    assert found["confidence"].to_list() == [0.7, 0.5]


def test_without_a_threshold_each_video_is_given_a_maker() -> None:
    found = named(video_probabilities(table(LOGITS, ITEMS), CLASSES), CLASSES)
    assert found["maker"].to_list() == found["likeliest"].to_list()


def test_no_video_is_given_no_maker() -> None:
    found = named(video_probabilities(table(LOGITS, ITEMS).clear(), CLASSES), CLASSES)
    assert found.height == 0
    assert found.schema["maker"] == pl.String


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: video_probabilities(table(LOGITS, ITEMS), CLASSES, aggregate="geometrical"),
            NotFoundError,
            "did you mean 'geometric'?",
        ),
        (
            lambda: video_probabilities(table(LOGITS, ITEMS), CLASSES, temperature=0),
            InvalidInputError,
            "temperature must be above 0, got 0",
        ),
        (
            lambda: video_probabilities(table(LOGITS, ITEMS), (*CLASSES, "lightweight")),
            InvalidInputError,
            "must have the column 'p_lightweight', got item, p_dfaker",
        ),
        (
            lambda: video_confidence(
                video_probabilities(table(LOGITS, ITEMS), CLASSES), CLASSES, rule="energy"
            ),
            InvalidInputError,
            "must have the column 'level'",
        ),
    ],
)
def test_bad_input_is_refused_with_what_to_do(
    call: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        call()
