"""Measures of attribution, against their definitions and against scikit-learn."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
    top_k_accuracy_score,
)

from makers.attribution_study import MAKERS, WAY, make_unknown, make_videos
from unmask.benchmark.attribution_measure import (
    Confidences,
    measure_accepted,
    measure_known,
    measure_unknown,
    probabilities_of,
    truth_of,
)


@pytest.fixture(scope="module")
def videos() -> pl.DataFrame:
    return make_videos(MAKERS, strength=1.5, videos=15)


def test_measures_of_known_makers_are_those_of_scikit_learn(videos: pl.DataFrame) -> None:
    truth, chances = truth_of(videos, MAKERS), probabilities_of(videos, MAKERS)
    judged = chances.argmax(1)

    found = measure_known(videos, MAKERS, WAY)

    assert {name: one.value for name, one in found.metrics.items() if name != "ece"} == {
        "accuracy": pytest.approx(accuracy_score(truth, judged)),
        "balanced_accuracy": pytest.approx(balanced_accuracy_score(truth, judged)),
        "macro_f1": pytest.approx(f1_score(truth, judged, average="macro")),
        "top_2_accuracy": pytest.approx(top_k_accuracy_score(truth, chances, k=2)),
        "log_loss": pytest.approx(log_loss(truth, chances)),
    }
    assert found.confusion == tuple(map(tuple, confusion_matrix(truth, judged).tolist()))
    expected = precision_recall_fscore_support(truth, judged)
    for place, one in enumerate(found.per_class):
        values = [one.metrics[name].value for name in ("precision", "recall", "f1")]
        assert values == pytest.approx([each[place] for each in expected[:3]])
        assert (one.name, one.videos) == (MAKERS[place], 15)


def test_every_measure_but_the_calibration_error_lies_in_its_interval(videos: pl.DataFrame) -> None:
    found = measure_known(videos, MAKERS, WAY)
    for name, one in found.metrics.items():
        if name == "ece":
            assert one.low is None
            assert "resampling itself" in one.method
            continue
        assert one.low is not None
        assert one.high is not None
        assert one.low < one.value < one.high
        assert "bootstrap by video, 100 resamples" in one.method


def test_first_two_are_not_measured_where_there_are_only_two() -> None:
    made = make_videos(("a", "b"), makers=("a", "b"))
    assert "top_2_accuracy" not in measure_known(made, ("a", "b"), WAY).metrics


def test_class_that_no_video_was_given_has_no_precision() -> None:
    made = made_videos([("a", 0.9), ("a", 0.8), ("b", 0.7), ("b", 0.6)])
    a, b = measure_known(made, ("a", "b"), WAY).per_class
    assert a.metrics["precision"].value == 0.5
    assert b.metrics.keys() == {"recall", "f1"}
    assert b.metrics["recall"].value == 0


def made_videos(rows: Sequence[tuple[str, float]]) -> pl.DataFrame:
    """Return videos of makers a and b with the probability of a."""
    return pl.DataFrame(
        [
            {"item": str(number), "maker": maker, "p_a": chance, "p_b": 1 - chance}
            for number, (maker, chance) in enumerate(rows)
        ]
    )


def confidences(values: Sequence[float], right: Sequence[bool], start: str = "k") -> Confidences:
    items = np.array([f"{start}{number}" for number in range(len(values))])
    return Confidences(items, np.array(values), np.array(right))


KNOWN = confidences([0.9, 0.8, 0.7, 0.4], [True, False, True, True])


def test_shares_at_the_threshold_are_counted() -> None:
    found = measure_accepted(KNOWN, 0.7, WAY)
    assert {name: one.value for name, one in found.items()} == {
        "accepted": 3 / 4,  # the one at the threshold among them
        "accuracy": 3 / 4,
        "accuracy_of_accepted": 2 / 3,
    }


def test_accuracy_of_the_accepted_is_not_told_where_there_are_none() -> None:
    assert "accuracy_of_accepted" not in measure_accepted(KNOWN, 0.95, WAY)


def test_measures_of_the_unknown_are_counted_pair_by_pair() -> None:
    unknown = confidences([0.8, 0.3], [False, False], "u")

    found = measure_unknown(KNOWN, unknown, 0.5, WAY)

    pairs = [
        (known > other) + (known == other) / 2 for known in KNOWN.values for other in unknown.values
    ]
    right = [
        is_right * ((known > other) + (known == other) / 2)
        for known, is_right in zip(KNOWN.values, KNOWN.right, strict=True)
        for other in unknown.values
    ]
    assert found["auroc"].value == pytest.approx(np.mean(pairs))
    assert found["oscr"].value == pytest.approx(np.mean(right))
    assert found["fpr_at_tpr"].value == 0.5  # all known are accepted from 0.4 on, and 0.8 with them
    assert found["refused"].value == 0.5


def test_auroc_of_a_made_study_is_that_of_scikit_learn() -> None:
    result, known, unknown = make_unknown()
    is_known = np.repeat([1, 0], [len(known), len(unknown)])
    values = np.concatenate([known.values, unknown.values])
    found = result.unknown[0].metrics["auroc"]
    assert found.value == pytest.approx(roc_auc_score(is_known, values))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
