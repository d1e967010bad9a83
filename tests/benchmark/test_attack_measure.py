from typing import Any

import polars as pl
import pytest

from unmask.benchmark.attack_match import judged_faces, matched, tensor_faces
from unmask.benchmark.attack_measure import JUDGED, Measuring, costs, counts, judgement, step
from unmask.errors import InvalidInputError

WAY = Measuring(resamples=100)
BOX = {"left": 10.0, "top": 10.0, "right": 50.0, "bottom": 50.0}


def judged(*rows: tuple[str, float | None, float | None, float | None]) -> pl.DataFrame:
    """Return faces of (video, before, control, score); a video is named after its method."""
    return pl.DataFrame(
        [
            {"item": item, "method": item[:-1], "frame": place, "track": 0}
            | {"before": before, "control": control, "score": score}
            for place, (item, before, control, score) in enumerate(rows)
        ],
        schema=JUDGED,
    )


FACES = judged(
    ("swap1", 0.9, 0.8, 0.1),
    ("swap1", 0.9, 0.2, 0.2),
    ("swap1", 0.9, None, 0.7),
    ("swap2", 0.6, 0.9, None),  # not found again
    ("swap2", 0.5, 0.9, 0.4),
    ("swap2", 0.2, 0.1, 0.1),  # judged real before: nothing to win
    ("blend1", 0.1, 0.2, 0.3),
    ("blend1", 0.3, 0.2, 0.3),
    ("blend2", 0.8, 0.6, 0.9),
)


def value(rows: pl.DataFrame, name: str) -> float:
    return judgement(rows, "meso4", "c40", WAY).shares[name].value


def test_success_counts_only_faces_that_were_judged_fake_before_and_found_again() -> None:
    # Found and judged fake before: swap1 x 3, swap2 x 1, blend2; judged real: .1, .2, .4.
    assert value(FACES, "success") == pytest.approx(3 / 5)
    found = judgement(FACES, "meso4", "file", WAY)
    assert (found.faces, found.videos) == (5, 3)


def test_a_face_at_the_threshold_is_judged_fake() -> None:
    assert value(judged(("a1", 0.5, 0.5, 0.5), ("a2", 0.5, 0.5, 0.4)), "success") == 0.5


def test_published_rate_counts_every_face_that_was_found() -> None:
    assert value(FACES, "judged_real") == pytest.approx(6 / 8)


def test_control_tells_what_the_codec_does_without_an_attack() -> None:
    # Clean faces of the codec's copy that were judged fake before: .8 .2 .9 .9 .6
    assert value(FACES, "control") == pytest.approx(1 / 5)


@pytest.mark.parametrize("channel", ["tensor", "file"])
def test_without_a_codec_there_is_no_control(channel: str) -> None:
    shares = judgement(FACES, "meso4", channel, WAY).shares
    assert not {"control", "video_control"} & set(shares)


def test_share_found_is_of_all_attacked_faces() -> None:
    assert value(FACES, "found") == pytest.approx(8 / 9)


def test_video_is_fooled_where_less_than_half_of_its_found_faces_are_judged_fake() -> None:
    # Judged fake when clean: swap1 (3 of 3), swap2 (2 of 3), blend2; not blend1 (0 of 2).
    # Attacked: swap1 1 of 3, swap2 0 of 2, blend2 1 of 1. Clean copies: 1 of 2, 2 of 3, 1 of 1.
    assert value(FACES, "video_success") == pytest.approx(2 / 3)
    assert value(FACES, "video_control") == 0


def test_video_with_half_of_its_faces_judged_fake_is_not_fooled() -> None:
    rows = judged(("a1", 0.9, 0.9, 0.9), ("a1", 0.9, 0.9, 0.1), ("b1", 0.9, 0.9, 0.1))
    assert value(rows, "video_success") == 0.5


def test_success_is_told_by_forgery_method() -> None:
    methods = judgement(FACES, "meso4", "file", WAY).methods
    assert {name: one.value for name, one in methods.items()} == {"swap": 0.75, "blend": 0}


def test_shares_have_intervals_by_video_that_hold_them() -> None:
    success = judgement(FACES, "meso4", "file", WAY).shares["success"]
    assert success.low is not None
    assert success.high is not None
    assert success.low <= success.value <= success.high
    assert "video" in success.method


def test_bad_victim_has_no_success_at_all() -> None:
    blind = judged(("a1", 0.1, 0.1, 0.1), ("a2", 0.2, 0.2, 0.2))
    shares = judgement(blind, "blind", "file", WAY).shares
    assert set(shares) == {"judged_real", "found"}
    assert shares["judged_real"].value == 1


def test_table_without_a_column_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="must have the column 'control'"):
        judgement(FACES.drop("control"), "meso4", "file", WAY)


def attacked(**columns: list[Any]) -> pl.DataFrame:
    length = len(next(iter(columns.values())))
    whole: dict[str, Any] = {
        "item": ["v/fgsm/a"] * length,
        "parent": ["a"] * length,
        "frame": list(range(length)),
        "track": [0] * length,
        "status": ["ok"] * length,
        "score_before": [0.9] * length,
        "score_after": [0.1] * length,
        "iterations": [1] * length,
        "queries": [1] * length,
        "linf": [2 / 255] * length,
        "l2": [1.0] * length,
        "psnr": [40.0] * length,
        "ssim": [0.9] * length,
    } | {name: [edge] * length for name, edge in BOX.items()}
    return pl.DataFrame(whole | columns)


def test_costs_are_of_the_faces_that_were_judged_fake_before() -> None:
    rows = attacked(
        parent=["a", "a", "b", "b", "c"],
        score_before=[0.9, 0.6, 0.7, 0.8, 0.4],
        linf=[1 / 255, 2 / 255, 3 / 255, 4 / 255, 16 / 255],
        queries=[10, 20, 30, 100, 7],
        iterations=[1, 2, 3, 10, 0],
        psnr=[50.0, 40.0, 45.0, float("inf"), 99.0],
    )
    found = {name: one.value for name, one in costs(rows, WAY).items()}
    assert found["linf"] == pytest.approx(2.5)
    assert found["psnr"] == pytest.approx(45)  # of the faces that were changed at all
    assert (found["queries"], found["iterations"]) == (25, 2.5)
    assert (found["queries_25"], found["queries_75"]) == (17.5, 47.5)


def test_costs_of_an_attack_on_nothing_are_none() -> None:
    assert costs(attacked(score_before=[0.1, 0.2]), WAY) == {}


def test_counts_tell_what_was_attacked_and_what_was_dropped() -> None:
    rows = attacked(
        parent=["a", "a", "b", "b"],
        frame=[0, 0, 0, 1],
        track=[0, 1, 0, None],
        status=["ok", "ok", "ok", "no_face"],
        score_before=[0.9, 0.2, 0.6, None],
    )
    found = counts(rows, items("a", "b"), WAY)
    assert (found.videos, found.persons, found.frames, found.faces) == (2, 1, 2, 3)
    assert (found.judged_fake, found.dropped) == (2, {"no_face": 1})
    assert found.dropped_videos == {}


def items(*names: str, **status: str) -> pl.DataFrame:
    """Return videos of one person."""
    return pl.DataFrame(
        {"id": name, "person": "anna", "status": status.get(name, "ok")} for name in names
    )


def test_videos_that_could_not_be_cut_or_attacked_are_counted_apart_from_frames() -> None:
    rows = attacked(parent=["a", "b"], frame=[0, None], status=["ok", "failed"])
    found = counts(rows, items("a", "b", "c", c="unreadable"), WAY)
    assert (found.videos, found.faces, found.dropped) == (1, 1, {})
    assert found.dropped_videos == {"failed": 1, "unreadable": 1}


def test_face_whose_file_could_not_be_read_is_counted_and_is_none_that_was_not_found() -> None:
    rows = judged(("a1", 0.9, 0.9, 0.1), ("a2", 0.9, None, None), ("a3", 0.9, 0.9, None))
    fault = pl.when(pl.col("item") == "a2").then(pl.lit("file failed"))
    rows = rows.with_columns(score_fault=fault, control_fault=fault)
    found = judgement(rows, "meso4", "c40", WAY)
    assert found.shares["found"].value == 0.5  # a1 of a1 and a3
    assert found.dropped == {"file failed": 1, "clean file failed": 1}


def test_step_of_a_curve_is_the_success_of_what_was_judged_fake() -> None:
    rows = pl.DataFrame(
        {
            "item": list("aabb"),
            "score_before": [0.9, 0.8, 0.9, 0.1],
            "score_after": [0.1, 0.9, 0, 0],
        }
    )
    found = step(rows, 4 / 255, WAY)
    assert found is not None
    assert found.epsilon == 4 / 255
    assert found.success.value == pytest.approx(2 / 3)
    assert (found.faces, found.videos) == (3, 2)
    assert step(rows.filter(pl.col("score_before") < 0.5), 4 / 255, WAY) is None


def boxes(item: str, *places: tuple[float, float], score: float = 0.3) -> pl.DataFrame:
    """Return faces 40 pixels wide at the given left upper corners of frame 0."""
    return pl.DataFrame(
        [
            {"item": item, "frame": 0, "track": track, "score": score + track / 10}
            | {"left": x, "top": y, "right": x + 40, "bottom": y + 40}
            for track, (x, y) in enumerate(places)
        ]
    )


def test_face_found_elsewhere_does_not_stand_for_an_attacked_one() -> None:
    wanted = boxes("a", (10, 10)).drop("score")
    # Moved by d of 40 pixels, two boxes share (40 - d) / (40 + d): half at 13.33.
    assert matched(wanted, boxes("a", (24, 10)), "score")["score"].to_list() == [None]
    assert matched(wanted, boxes("a", (23, 10)), "score")["score"].to_list() == [0.3]
    assert matched(wanted, boxes("b", (10, 10)), "score")["score"].to_list() == [None]


def test_of_two_found_faces_the_one_that_shares_most_is_taken_and_each_only_once() -> None:
    wanted = boxes("a", (10, 10), (22, 10)).drop("score")
    found = matched(wanted, boxes("a", (24, 10), (12, 10)), "score")
    assert found["score"].to_list() == [0.4, 0.3]
    assert matched(wanted, boxes("a", (20, 10)), "score")["score"].to_list() == [None, 0.3]


def test_of_a_chain_of_boxes_none_is_lost_to_a_pair_that_shares_more() -> None:
    # The second found face shares most with the first wanted one, which has a better match.
    wanted = boxes("a", (10, 10), (22, 10)).drop("score")
    found = boxes("a", (10, 10), (15, 10))
    assert matched(wanted, found, "score")["score"].to_list() == [0.3, 0.4]


def test_judged_faces_bear_the_scores_of_clean_file_clean_copy_and_attacked_copy() -> None:
    rows = attacked(item=["v/fgsm/a"] * 2, frame=[0, 1], status=["ok", "no_face"])
    clean, copy, hit = (boxes("a", (10, 10), score=one) for one in (0.9, 0.8, 0.2))
    methods = pl.DataFrame({"item": ["a"], "method": ["swap"]})
    hit = hit.with_columns(item=pl.lit("v/fgsm/a"))
    found = judged_faces(rows, before=clean, control=copy, score=hit, methods=methods)
    assert found.rows() == [("a", "swap", 0, 0, 0.9, 0.8, 0.2, None, None)]
    assert tensor_faces(rows, methods).rows() == [("a", "swap", 0, 0, 0.9, 0.9, 0.1, None, None)]


def test_score_that_there_can_be_none_of_says_why() -> None:
    frames = [boxes("a", (10, 10)).with_columns(frame=pl.lit(one, pl.Int64)) for one in range(4)]
    wanted = pl.concat([*frames, boxes("b", (10, 10))]).drop("score")
    unread = frames[1].with_columns(score=pl.lit(None, pl.Float64))
    faults = {("a", 2): "frame unreadable", ("b", None): "file failed"}
    found = matched(wanted, pl.concat([frames[0], unread]), "score", faults)
    assert found["score"].to_list() == [0.3, None, None, None, None]
    told = [None, "crop unreadable", "frame unreadable", None, "file failed"]
    assert found["score_fault"].to_list() == told
