from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, roc_auc_score

from makers.study import make_scores
from unmask.benchmark.measure import (
    SCORES,
    check_scores,
    choose_thresholds,
    hardest,
    measure,
    video_scores,
)
from unmask.benchmark.results import METRICS, Thresholds
from unmask.errors import InvalidInputError, NotFoundError

HALF = Thresholds(0.5, 0.5, "fixed", "nothing")
SOME = make_scores(seed=1, apart=2.0, quality="c23")
PERFECT = SOME.with_columns(score=0.1 + 0.8 * pl.col("label"))


def test_frame_measures_pool_the_faces_of_the_whole_set() -> None:
    found = measure(SOME, thresholds=HALF, seed=0, resamples=100).frame.metrics
    labels, scores = SOME["label"].to_numpy(), SOME["score"].to_numpy()
    assert found["auc"].value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found["brier"].value == pytest.approx(brier_score_loss(labels, scores), abs=1e-12)
    assert found["accuracy"].value == pytest.approx(accuracy_score(labels, scores >= 0.5))


def test_video_measures_are_of_the_mean_over_frames_and_faces() -> None:
    found = measure(SOME, thresholds=HALF, seed=0, resamples=100).video.metrics
    videos = SOME.group_by("item").agg(pl.col("score").mean(), pl.col("label").first())
    expected = roc_auc_score(videos["label"], videos["score"])
    assert found["auc"].value == pytest.approx(expected, abs=1e-12)


def test_every_metric_is_measured_and_all_but_the_calibration_error_have_an_interval() -> None:
    found = measure(SOME, thresholds=HALF, seed=0, resamples=200)
    for level in (found.frame, found.video):
        assert list(level.metrics) == list(METRICS)
        for name, one in level.metrics.items():
            if name == "ece":
                assert one.low is None
                assert "resampling itself raises" in one.method
            else:
                assert one.low is not None
                assert one.high is not None
                assert one.low <= one.value <= one.high
                assert one.method == "95 % bootstrap by video, 200 resamples"


def test_interval_of_frames_comes_from_videos() -> None:
    few = measure(SOME, thresholds=HALF, seed=0, resamples=200).frame.metrics["auc"]
    fourfold = pl.concat([SOME.with_columns(frame=pl.col("frame") + 1000 * n) for n in range(4)])
    more = measure(fourfold, thresholds=HALF, seed=0, resamples=200).frame.metrics["auc"]
    assert more.value == pytest.approx(few.value)
    assert (more.low, more.high) == pytest.approx((few.low, few.high))


def test_persons_can_be_drawn_instead_of_videos() -> None:
    found = measure(SOME, thresholds=HALF, seed=0, resamples=100, cluster="person")
    assert found.video.metrics["auc"].method == "95 % bootstrap by person, 100 resamples"


def test_unknown_persons_cannot_be_drawn() -> None:
    with pytest.raises(InvalidInputError, match="got 480 rows without; resample items"):
        measure(
            SOME.with_columns(person=pl.lit(None, pl.String)),
            thresholds=HALF,
            seed=0,
            cluster="person",
        )


def test_perfect_detector_has_an_interval_in_closed_form() -> None:
    found = measure(PERFECT, thresholds=HALF, seed=0, resamples=100).frame.metrics
    assert (found["auc"].value, found["auc"].high) == (1.0, 1.0)
    assert found["auc"].low == pytest.approx(0.95, abs=0.01)  # of 40 videos each, not 240 frames
    assert found["auc"].method == "95 % Newcombe score interval"
    assert found["accuracy"].method == "95 % Wilson score interval"
    assert found["eer"].low is None


def test_same_seed_gives_the_same_measures_whatever_the_order_of_the_rows() -> None:
    once = measure(SOME, thresholds=HALF, seed=3, resamples=100)
    shuffled = SOME.sample(fraction=1, shuffle=True, seed=0)
    again = measure(shuffled, thresholds=HALF, seed=3, resamples=100)
    for name, one in once.video.metrics.items():
        other = again.video.metrics[name]
        assert (one.value, one.low) == pytest.approx((other.value, other.low), abs=1e-12)


def test_what_was_scored_and_dropped_is_counted() -> None:
    two_faces = pl.concat([SOME, SOME.head(6).with_columns(track=pl.lit(1, pl.Int64))])
    counts = measure(
        two_faces, thresholds=HALF, seed=0, resamples=100, dropped={"no_face": 3}
    ).counts
    assert (counts.videos, counts.real_videos, counts.fake_videos) == (80, 40, 40)
    assert (counts.persons, counts.frames, counts.faces) == (10, 480, 486)
    assert counts.dropped == {"no_face": 3}


def test_decisions_use_the_threshold_of_their_level() -> None:
    thresholds = replace(HALF, frame=1.0, video=0.0)
    found = measure(SOME, thresholds=thresholds, seed=0, resamples=100)
    assert found.frame.decisions.true_positives == 0
    assert found.video.decisions.true_positives == 40


def test_test_set_of_one_class_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="both classes to give the AUC, got 0 real and 240"):
        measure(SOME.filter(label=1), thresholds=HALF, seed=0)


def test_thresholds_are_chosen_on_validation_for_faces_and_for_videos() -> None:
    found = choose_thresholds(PERFECT)
    assert (found.frame, found.video) == pytest.approx((0.5, 0.5))
    assert (found.rule, found.chosen_on) == ("balanced_accuracy", "validation")
    assert choose_thresholds(SOME, rule="fixed", fixed=0.3).chosen_on == "nothing"


def test_hardest_videos_come_with_their_most_misleading_frame() -> None:
    worst = SOME.with_columns(
        score=pl.when((pl.col("item") == "fake/041_c23.mp4") & (pl.col("frame") != 10))
        .then(0.01)
        .when(pl.col("item") == "fake/041_c23.mp4")
        .then(0.0)
        .otherwise(pl.col("score"))
    )
    first = hardest(worst, count=3).row(0, named=True)
    assert (first["item"], first["frame"], first["faces"]) == ("fake/041_c23.mp4", 10, 6)
    assert hardest(worst, count=3).height == 3


def test_video_rows_keep_what_is_known_of_the_video() -> None:
    row = video_scores(SOME).row(0, named=True)
    assert row["item"] == "fake/040_c23.mp4"
    assert (row["person"], row["label"], row["method"]) == ("P000", 1, "landmark_swap")
    expected = SOME.filter(item="fake/040_c23.mp4")["score"].mean()
    assert row["score"] == pytest.approx(expected)


def test_unknown_rule_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'median'"):
        video_scores(SOME, rule="medain")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (SOME.drop("track"), "must have the column 'track' of type Int64, got none; add or cast"),
        (SOME.cast({"label": pl.String}), "column 'label' of type Int8, got String"),
        (pl.DataFrame(schema=SCORES), "must hold at least one face, got none"),
        (
            SOME.with_columns(score=pl.col("score") * 2),
            r"row \d+: column 'score' must lie in \[0, 1\], got 1\.\d+ in '.*'; correct the row",
        ),
        (SOME.with_columns(score=pl.lit(np.nan)), r"row 0: column 'score' must lie .*, got nan"),
        (
            SOME.with_columns(score=pl.lit(None, pl.Float64)),
            "row 0: column 'score' must be given, got None",
        ),
        (
            SOME.with_columns(label=pl.lit(2, pl.Int8)),
            r"row 0: column 'label' must be 0 \(real\) or 1 \(fake\), got 2",
        ),
        (
            SOME.with_columns(item=pl.lit("one.mp4")).unique("label"),
            "row 0: column 'label' must be the same for a whole video, got",
        ),
        (
            pl.concat([SOME, SOME.head(1)]),
            "row 0: column 'frame' must be scored once for each track, got 0 in 'real/000_c23.mp4'",
        ),
    ],
)
def test_table_that_is_no_table_of_scores_is_refused_with_row_and_column(
    table: pl.DataFrame, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        check_scores(table)
