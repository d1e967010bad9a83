import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from makers.defended import make_fragile, make_guard
from makers.prepared_faces import Prepared, make_prepared
from unmask.benchmark import defence_runs
from unmask.benchmark.defence import defence
from unmask.benchmark.defence_checks import UNBOUND
from unmask.benchmark.defence_faces import faces_of, items_to_test
from unmask.benchmark.defence_results import (
    Check,
    DefenceResult,
    Tried,
    read_defence_results,
    read_guard_results,
)
from unmask.benchmark.defence_settings import DefenceSettings
from unmask.benchmark.defence_tables import success_table
from unmask.benchmark.defence_words import limits, verdict
from unmask.benchmark.leakage import LeakageError
from unmask.benchmark.results import Decisions
from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError
from unmask.training.checkpoint import load_checkpoint, save_checkpoint


@dataclass(frozen=True)
class Study:
    settings: DefenceSettings
    page: Path
    prepared: Prepared

    @property
    def results(self) -> dict[str, DefenceResult]:
        found = read_defence_results(self.settings.out / "results")
        return {one.defence.name: one for one in found}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("defence")
    prepared = make_prepared(root / "data", persons=12, frames=3)
    first = make_fragile(root / "first", prepared)
    other = make_fragile(root / "other", prepared, seed=1, methods=("another",))
    guard = make_guard(root / "phase")
    settings = DefenceSettings(
        prepared.catalog,
        prepared.faces,
        root / "out",
        defences=(str(first), f"{first}@resize_pad:0.8", str(other), f"{first}&{guard}"),
        guards=(str(guard),),
        attacks=("fgsm", "square:queries=30"),
        adaptive="pgd:iterations=5:restarts=2",
        draws=2,
        faces_per_video=2,
        resamples=100,
        batch=3,
        workers=1,
        device="cpu",
    )
    return Study(settings, defence(settings), prepared)


def test_every_defence_and_guard_has_a_result_that_is_read_again(study: Study) -> None:
    assert set(study.results) == {"first", "first@resize_pad-0.8", "other", "first+phase"}
    (guard,) = read_guard_results(study.settings.out / "results")
    assert {(one.made_on, one.attack) for one in guard.tellings} == {
        (name, attack) for name in study.results for attack in ("fgsm", "square", "adaptive")
    }
    assert guard.faces == 8


def test_white_box_attacks_fool_an_undefended_detector_within_the_radius(study: Study) -> None:
    result = study.results["first"]
    assert result.robust["clean"].value == 1
    for name in ("adaptive", "adaptive at 8", "unbounded"):
        assert success(result, name) == 1
    assert tried(result, "adaptive").faces == 4
    assert result.robust["all"].value == 0
    assert judged(study)["linf"].max() == pytest.approx(4 / 255, abs=1e-6)


def test_accuracy_under_attack_is_the_mean_of_reals_right_and_fakes_found(study: Study) -> None:
    for name, result in study.results.items():
        rows = pl.read_parquet(study.settings.out / "judged.parquet")
        reals = rows.filter(
            pl.col("attack") == "clean", pl.col("seen_by") == name, pl.col("label") == 0
        )
        right = float((reals["after"] < 0.5).mean())  # type: ignore[arg-type]
        assert result.robust_accuracy == (right + result.robust["all"].value) / 2


def tried(result: DefenceResult, attack: str, *, static: bool = False) -> Tried:
    found = result.trial(attack, static=static)
    assert found is not None
    return found


def success(result: DefenceResult, attack: str, *, static: bool = False) -> float:
    return tried(result, attack, static=static).measures["success"].value


def judged(study: Study) -> pl.DataFrame:
    rows = pl.read_parquet(study.settings.out / "judged.parquet")
    return rows.filter(pl.col("attack") == "adaptive")


def test_static_attacks_are_those_made_on_the_first(study: Study) -> None:
    result = study.results["other"]
    assert [(one.attack, one.is_static) for one in result.tried if one.is_static] == [
        ("fgsm", True),
        ("square", True),
        ("adaptive", True),
    ]
    rows = judged(study).filter(pl.col("made_on") == "first", pl.col("seen_by") == "other")
    fooled = (rows.filter(pl.col("before") >= 0.5)["after"] < 0.5).mean()
    assert success(result, "adaptive", static=True) == fooled
    assert not any(one.is_static for one in study.results["first"].tried)


def test_adaptive_attack_averages_over_the_draws_of_a_random_defence_only(study: Study) -> None:
    drawn = {name: tried(one, "adaptive").options["draws"] for name, one in study.results.items()}
    assert drawn == {"first": 1, "first@resize_pad-0.8": 2, "other": 1, "first+phase": 1}
    random = tried(study.results["first@resize_pad-0.8"], "adaptive")
    assert 0 <= random.measures["over_draws"].value <= 1
    assert "over_draws" not in tried(study.results["first"], "adaptive").measures


def test_methods_that_a_checkpoint_was_not_trained_on_are_told_apart(study: Study) -> None:
    known = {
        name: [(one.method, one.known) for one in study.results[name].methods]
        for name in ("first", "other")
    }
    assert known == {
        "first": [("chequers", True)],
        "other": [("chequers", False)],  # and no `other`: the first was trained on it
    }


@pytest.fixture(scope="module")
def other_study(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Return a study in which no training held the test's method, as far as anybody knows."""
    root = tmp_path_factory.mktemp("new")
    first = make_fragile(root / "first", study.prepared, methods=("another",))
    detector, card = load_checkpoint(first)
    adopted = replace(card, trained_on={"dataset": "unknown", "qualities": [], "methods": []})
    save_checkpoint(root / "adopted", detector, adopted)
    guard = make_guard(root / "phase")
    card_of_guard = load_checkpoint(guard)[1]
    told = {"dataset": "made", "qualities": ["raw"], "methods": ["chequers"]}
    save_checkpoint(guard, load_checkpoint(guard)[0], replace(card_of_guard, trained_on=told))
    settings = replace(
        study.settings,
        out=root / "out",
        defences=(str(first), str(root / "adopted"), f"{first}&{guard}"),
        guards=(),
        attacks=("fgsm:epsilon=1/255", "pgd:epsilon=64/255"),
        adaptive="pgd:iterations=1:step_ratio=0.001:random_start=false",
    )
    return Study(settings, defence(settings), study.prepared)


def test_methods_that_nobody_was_trained_on_are_pooled_alike_for_all(other_study: Study) -> None:
    results = other_study.results
    known = {
        name: [(one.method, one.known) for one in result.methods]
        for name, result in results.items()
    }
    new = [("chequers", False), ("other", False)]
    assert known == {"first": new, "adopted": [("chequers", None)], "first+phase": new}
    table = (other_study.settings.out / "tables/defence_methods_by_face.md").read_text()
    assert "| adopted (trained on unknown) |" in table


def test_attacks_of_another_radius_are_named_so_and_left_out_of_the_worst_case(
    other_study: Study,
) -> None:
    result = other_study.results["first"]
    assert success(result, "pgd") == 1
    assert result.robust["all"].value > 0
    assert result.radius == 4
    told = words(result, result)
    assert "pgd fools" not in told
    heads = "| fgsm (radius 1) | pgd (radius 64) | adaptive | every attack |"
    assert heads in (other_study.settings.out / "tables/defence_overview.md").read_text()


def test_only_faces_that_a_static_attack_has_changed_count(study: Study) -> None:
    rows = judged(study).filter(pl.col("made_on") == "first", pl.col("seen_by") == "other")
    trial = tried(study.results["other"], "adaptive", static=True)
    assert trial.shown == (rows["linf"] > 0).sum()
    some = replace(trial, shown=trial.shown - 1)
    result = replace(study.results["other"], tried=(some,))
    (note, *_) = success_table([result]).notes
    assert note == (
        f"adaptive changed {some.shown} of {result.attacked} faces on the undefended detector; "
        "only those count."
    )


def test_words_compare_the_attacked_faces_with_those_of_fakes(study: Study) -> None:
    result = study.results["first"]
    assert result.counts.faces == 8
    assert not any("evenly spread" in one for one in limits([result]))
    fewer = replace(result, attacked=3)
    assert "3 of the 4 faces of fakes were attacked, evenly spread over them." in limits([fewer])


def test_results_name_no_path(study: Study) -> None:
    text = "".join(path.read_text() for path in (study.settings.out / "results").iterdir())
    assert str(study.settings.out.parent) not in text
    assert str(study.settings.out.parent) not in study.page.read_text()


def test_page_holds_tables_checks_curves_and_pictures(study: Study) -> None:
    page = study.page.read_text()
    for words in ("It does not withstand", "Signs of masked gradients", "Success over the radius"):
        assert words in page
    assert page.count("data:image/jpeg") >= 4 * 3 + 2
    assert not re.search(r'(src|href)="(?!data:|#)', page)


def words(result: DefenceResult, undefended: DefenceResult) -> str:
    return "".join(verdict(result, undefended))


def test_words_say_what_a_defence_withstands_and_what_it_costs(study: Study) -> None:
    first = study.results["first"]
    assert "It does not withstand: adaptive fools 100 % of the faces" in words(first, first)
    half = replace(first.robust["all"], value=0.5)
    assert "finds 100 % of the fakes clean and 50 % under every attack" in words(
        replace(first, robust={**first.robust, "all": half}), first
    )
    auc = first.frame.metrics["auc"]
    worse = {**first.frame.metrics, "auc": replace(auc, value=auc.value - 0.25)}
    costly = replace(first, frame=replace(first.frame, metrics=worse))
    assert f"it costs AUC: {auc.value - 0.25:.3f} against {auc.value:.3f}" in words(costly, first)
    assert "costs AUC" not in words(first, first)


def test_words_warn_of_masked_gradients_and_of_calling_everything_fake(study: Study) -> None:
    first = study.results["first"]
    masked = replace(first, checks=(Check(UNBOUND, "suspicious", "50 % of 4 faces"),))
    told = words(masked, first)
    assert "may be masked (not so: without a bound every face is fooled)" in told
    sound = replace(first, checks=(Check(UNBOUND, "passed", "100 %"),))
    assert "masked" not in words(sound, first)
    alarmed = replace(first, frame=replace(first.frame, decisions=Decisions(1, 3, 0, 4)))
    assert "It calls 75 % of the clean reals fake." in words(alarmed, first)


def test_words_and_page_do_not_take_a_check_that_was_not_done_for_a_passed_one(
    study: Study,
) -> None:
    first = study.results["first"]
    assert {check.state for check in first.checks} == {"not done"}  # of four faces
    assert "masked was not checked: too few faces" in words(first, first)
    assert "0 of 0 checked" in study.page.read_text()


def test_tables_are_written_in_three_ways(study: Study) -> None:
    for name in ("overview", "success", "draws", "methods_by_face", "methods_by_video", "guards"):
        for ending in ("md", "csv", "tex"):
            assert (study.settings.out / "tables" / f"defence_{name}.{ending}").stat().st_size
    overview = (study.settings.out / "tables/defence_overview.md").read_text()
    assert "| fgsm | square | adaptive | every attack | AUC, other |" in overview


def test_resumed_run_gives_the_same_tables(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = {path: path.read_bytes() for path in (study.settings.out / "tables").iterdir()}
    journal = study.settings.out / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-3]) + lines[-3][:40])  # as after a kill
    worked = []

    def judge(run: defence_runs.Run) -> object:
        worked.append(run)
        return original(run)

    original = defence_runs.judge
    monkeypatch.setattr(defence_runs, "judge", judge)
    defence(study.settings)
    assert len(worked) == 3
    assert {path: path.read_bytes() for path in tables} == tables


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"levels": 8.0}, "levels was 4.0, not 8.0"),
        ({"adaptive": "pgd"}, "adaptive was 'pgd:iterations=5:restarts=2', not 'pgd'"),
        ({"faces_per_video": 1}, "faces_per_video was 2, not 1"),
    ],
)
def test_folder_of_another_study_is_refused(
    study: Study, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        defence(replace(study.settings, **changes))


def test_retrained_defence_of_the_same_name_is_refused_in_the_same_folder(
    study: Study, tmp_path: Path
) -> None:
    twin = make_fragile(tmp_path / "first", study.prepared, seed=3)
    with pytest.raises(InvalidInputError, match="whose defence first was"):
        defence(replace(study.settings, defences=(str(twin),)))


def test_files_that_the_settings_no_longer_ask_for_are_removed(
    other_study: Study, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(other_study.settings.out, out)
    (out / "tables/defence_guards.md").write_text("of a guard")
    (out / "results/notes.json").write_text("not ours")
    fewer = replace(other_study.settings, out=out, attacks=("fgsm:epsilon=1/255",))
    defence(replace(fewer, defences=fewer.defences[:1]))
    (result,) = read_defence_results(out / "results")
    assert [one.attack for one in result.tried if one.role == "own"] == ["fgsm"]
    assert not (out / "tables/defence_guards.md").exists()
    assert (out / "results/notes.json").exists()


def test_name_of_a_result_says_nothing_of_batches_and_devices(study: Study) -> None:
    result = study.results["first"]
    other = dict(result.settings) | {"batch": 7, "device": "cuda"}
    assert replace(result, settings=other).name == result.name
    assert replace(result, settings=other | {"levels": 8.0}).name != result.name


def test_checkpoint_that_has_seen_a_person_is_refused(study: Study, tmp_path: Path) -> None:
    detector, card = load_checkpoint(Path(study.settings.defences[0]))
    save_checkpoint(tmp_path / "knows", detector, replace(card, seen_persons=("made/p5",)))
    settings = replace(study.settings, defences=(*study.settings.defences, str(tmp_path / "knows")))
    with pytest.raises(LeakageError, match="made/p5"):
        defence(settings)


def test_two_defences_of_one_name_are_refused(study: Study, tmp_path: Path) -> None:
    twin = make_fragile(tmp_path / "first", study.prepared)
    settings = replace(study.settings, defences=(study.settings.defences[0], str(twin)))
    with pytest.raises(InvalidInputError, match="a name of its own, got 'first' more than once"):
        defence(settings)


def test_few_faces_are_spread_and_copies_under_attack_left_out(study: Study) -> None:
    catalog = read_catalog(study.prepared.catalog)
    attacked = catalog.table.with_columns(
        family=pl.when(pl.col("person") == "p5").then(pl.lit("adversarial"))
    )
    items = items_to_test(type(catalog)(attacked, catalog.root), study.settings)
    assert set(items.table["person"]) == {"p11"}
    faces = faces_of(items_to_test(catalog, study.settings), study.settings)
    assert [one.frame for one in faces] == [0, 2] * 4


def test_a_quality_that_is_not_there_is_refused_with_what_is(study: Study) -> None:
    with pytest.raises(InvalidInputError, match=r"quality c40, got .*test raw"):
        defence(replace(study.settings, quality="c40"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"defences": ()}, "defences must name the undefended detector first, got none"),
        ({"most_faces": -1}, "most_faces must be 0 or more, got -1"),
        ({"draws": 0}, "draws must be 1 or more, got 0"),
        ({"resamples": 99}, "resamples must be 100 or more, got 99"),
        ({"threshold": 1.0}, "threshold must lie between 0 and 1, got 1"),
        ({"levels": 0.0}, "levels must lie between 0 and 255, got 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    study: Study, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidInputError, match=words):
        replace(study.settings, **changes)  # type: ignore[arg-type]


def test_result_of_another_release_is_refused(study: Study, tmp_path: Path) -> None:
    path = next((study.settings.out / "results").glob("defence-*.json"))
    content = json.loads(path.read_text()) | {"version": 99}
    (tmp_path / path.name).write_text(json.dumps(content))
    with pytest.raises(InvalidInputError, match="version must be 1, got 99"):
        read_defence_results(tmp_path)
