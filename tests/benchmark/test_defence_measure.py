import polars as pl
import pytest

from unmask.benchmark.defence_measure import (
    JUDGED,
    Measuring,
    changed,
    clean_measures,
    clean_scores,
    flagged,
    fooled_by,
    found_always,
    found_clean,
    methods_measured,
    telling,
    trial_measures,
)

WAY = Measuring(resamples=100)


def judged(
    *faces: tuple[str, float, float], label: int = 1, draws: list[float] | None = None
) -> pl.DataFrame:
    """Return faces of (video, before, after), one frame after the other."""
    return pl.DataFrame(
        [
            {"item": item, "frame": place, "track": 0, "label": label, "attack": "pgd"}
            | {"made_on": "meso4", "seen_by": "meso4", "before": before, "after": after}
            | {"real_draws": draws[place] if draws else None}
            | {"iterations": 3, "queries": 10 * place, "linf": (place + 1) / 255}
            for place, (item, before, after) in enumerate(faces)
        ],
        schema=JUDGED,
    )


FACES = judged(
    ("a", 0.9, 0.1),
    ("a", 0.9, 0.6),
    ("a", 0.5, 0.4),
    ("b", 0.8, 0.5),
    ("b", 0.4, 0.1),  # judged real before: nothing to win
    ("c", 0.3, 0.9),
)


def test_success_is_of_the_faces_that_the_defence_judged_fake_before() -> None:
    faces, measures = trial_measures(FACES, WAY)
    assert faces == 4
    assert measures["success"].value == 2 / 4


def test_a_fake_is_found_where_it_is_judged_fake_before_and_after() -> None:
    _, measures = trial_measures(FACES, WAY)
    assert measures["found"].value == pytest.approx(2 / 6)
    assert found_clean(FACES, WAY).value == pytest.approx(4 / 6)


def test_cost_and_change_are_of_the_same_faces() -> None:
    _, measures = trial_measures(FACES, WAY)
    assert measures["queries"].value == 15  # of 0, 10, 20, 30
    assert measures["linf"].value == pytest.approx(2.5)  # of 1, 2, 3, 4


def test_draws_of_a_random_defence_are_averaged() -> None:
    assert "over_draws" not in trial_measures(FACES, WAY)[1]
    rows = judged(("a", 0.9, 0.1), ("b", 0.9, 0.9), ("c", 0.1, 0.1), draws=[1.0, 0.25, 1.0])
    assert trial_measures(rows, WAY)[1]["over_draws"].value == 0.625


def test_a_detector_that_finds_no_fake_has_no_success_to_tell() -> None:
    faces, measures = trial_measures(judged(("a", 0.1, 0.0), ("b", 0.2, 0.1)), WAY)
    assert (faces, list(measures)) == (0, ["found"])
    assert (measures["found"].value, measures["found"].low) == (0, 0)


def test_nothing_is_told_of_an_attack_that_changed_no_face() -> None:
    assert trial_measures(changed(FACES.with_columns(linf=pl.lit(0.0))), WAY) == (0, {})


def test_draws_that_all_agree_have_an_interval_in_closed_form() -> None:
    rows = judged(("a", 0.9, 0.1), ("b", 0.9, 0.1), draws=[1.0, 1.0])
    found = trial_measures(rows, WAY)[1]["over_draws"]
    assert found.value == 1
    assert found.low == pytest.approx(0.342, abs=1e-3)  # Wilson's of 2 out of 2


def test_reals_are_not_attacked() -> None:
    rows = pl.concat([FACES, judged(("r", 0.9, 0.1), label=0)])
    assert trial_measures(rows, WAY)[1]["success"].value == 2 / 4


def test_worst_attack_is_taken_for_each_face() -> None:
    one = judged(("a", 0.9, 0.1), ("a", 0.9, 0.9), ("b", 0.9, 0.9), ("b", 0.2, 0.9))
    other = judged(("a", 0.9, 0.9), ("a", 0.9, 0.2), ("b", 0.9, 0.8), ("b", 0.2, 0.9))
    assert found_always([one, other], WAY).value == 1 / 4
    assert found_always([one], WAY).value == 2 / 4


def test_intervals_are_by_video_and_in_closed_form_where_all_agree() -> None:
    some = found_clean(FACES, WAY)
    assert "bootstrap by video" in some.method
    every = found_clean(judged(("a", 0.9, 0.9), ("b", 0.9, 0.9)), WAY)
    assert (every.value, every.high) == (1, 1)
    assert every.low == pytest.approx(0.342, abs=1e-3)  # Wilson's of 2 out of 2
    assert "Wilson" in every.method


def test_which_attack_fooled_which_face() -> None:
    one = judged(("a", 0.9, 0.1), ("a", 0.9, 0.9), ("b", 0.2, 0.1))
    other = judged(("a", 0.9, 0.9), ("a", 0.9, 0.2), ("b", 0.2, 0.1))
    found = fooled_by({"one": one, "other": other}, WAY)
    assert found.select("frame", "one", "other").rows() == [(0, True, False), (1, False, True)]


def items(**methods: str | None) -> pl.DataFrame:
    rows = [
        {"id": name, "person": name, "method": method, "quality": "raw"}
        for name, method in methods.items()
    ]
    return pl.DataFrame(rows, schema={name: pl.String() for name in rows[0]})


def clean() -> pl.DataFrame:
    """Return scores of two reals, two swaps and two blends, two faces each."""
    reals = judged(*[("r", 0.0, one) for one in (0.1, 0.4)], label=0)
    more = judged(*[("s", 0.0, one) for one in (0.2, 0.3)], label=0)
    fakes = judged(*[("a", 0, 0.9), ("a", 0, 0.8), ("b", 0, 0.35), ("b", 0, 0.45)])  # swaps
    blends = judged(*[("x", 0, 0.05), ("x", 0, 0.15), ("y", 0, 0.25), ("y", 0, 0.6)])
    told = items(r=None, s=None, a="swap", b="swap", x="blend", y="blend")
    return clean_scores(pl.concat([reals, more, fakes, blends]), told)


def test_clean_measures_count_faces_and_videos() -> None:
    found = clean_measures(clean(), WAY)
    # At 0.5: all four faces of reals are right; of the fakes 0.9, 0.8 and 0.6.
    assert found.frame.metrics["accuracy"].value == pytest.approx(7 / 12)
    # Means: reals 0.25, 0.25; fakes 0.85, 0.4, 0.1, 0.425.
    assert found.video.metrics["accuracy"].value == pytest.approx(3 / 6)
    assert found.video.metrics["auc"].value == pytest.approx(3 / 4)


def test_each_method_is_told_from_all_reals_and_new_ones_are_pooled() -> None:
    found = {one.method: one for one in methods_measured(clean(), ["swap"], ["blend"], WAY)}
    assert list(found) == ["blend", "swap", "other"]
    assert [found[name].known for name in found] == [False, True, False]
    # 16 pairs: above all reals are 0.9, 0.8 and 0.45; 0.35 is above three.
    assert found["swap"].frame.value == pytest.approx(15 / 16)
    assert found["blend"].frame.value == pytest.approx((0 + 1 + 2 + 4) / 16)
    assert found["other"].frame == found["blend"].frame
    assert found["swap"].video.value == 1


def test_nothing_is_pooled_where_another_defence_was_trained_on_it() -> None:
    found = methods_measured(clean(), ["swap"], [], WAY)
    assert [(one.method, one.known) for one in found] == [("blend", False), ("swap", True)]


def test_of_a_training_that_nobody_knows_nothing_is_claimed() -> None:
    found = methods_measured(clean(), None, ["blend"], WAY)
    assert [(one.method, one.known) for one in found] == [("blend", None), ("swap", None)]


def test_a_guard_is_measured_on_the_same_faces_before_and_after() -> None:
    rows = judged(("a", 0.1, 0.9), ("a", 0.4, 0.3), ("b", 0.2, 0.6), ("b", 0.6, 0.6))
    found = telling(rows, WAY)
    assert found is not None
    # Above the clean .1 .4 .2 .6 lie: .9 four, .3 two, .6 three and a tie, twice.
    assert found.auc.value == pytest.approx((4 + 2 + 3.5 + 3.5) / 16)
    assert found.caught.value == 3 / 4
    assert (found.made_on, found.attack, found.faces) == ("meso4", "pgd", 4)


def test_a_guard_is_measured_on_faces_that_the_attack_has_changed() -> None:
    rows = judged(("a", 0.1, 0.9), ("b", 0.2, 0.8), ("c", 0.3, 0.3), ("d", 0.9, 0.9))
    unchanged = pl.when(pl.col("item").is_in(["c", "d"])).then(0.0).otherwise(pl.col("linf"))
    found = telling(rows.with_columns(linf=unchanged), WAY)
    assert found is not None
    assert (found.auc.value, found.caught.value) == (1, 1)
    assert (found.faces, found.attacked) == (2, 4)
    assert telling(rows.with_columns(linf=pl.lit(0.0)), WAY) is None


def test_a_guard_without_fault_has_an_interval_in_closed_form() -> None:
    rows = judged(("a", 0.1, 0.9), ("b", 0.1, 0.9), ("c", 0.2, 0.8))
    told = telling(rows, WAY)
    assert told is not None
    found = told.auc
    assert (found.value, found.high) == (1, 1)
    assert found.low is not None
    assert found.low < 0.8


def test_false_alarms_are_a_share_of_clean_faces() -> None:
    rows = judged(("a", 0.9, 0.9), ("b", 0.1, 0.1), ("c", 0.5, 0.5), ("d", 0.2, 0.2))
    assert flagged(rows, WAY).value == 0.5
