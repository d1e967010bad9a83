"""The attribution protocol from the catalog to the page, on patterns that stand for makers."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from makers.maker_faces import PATTERNS, make_makers
from makers.prepared_faces import Prepared
from unmask.attribution.open_set import calibrate
from unmask.benchmark.attribution import attribution_benchmark
from unmask.benchmark.attribution_results import (
    AttributionResult,
    OpenSetResult,
    read_attribution_results,
    read_open_set_results,
)
from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings
from unmask.benchmark.leakage import LeakageError
from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.table import make_face_table, read_face_table
from unmask.training.checkpoint import read_card

MAKERS = tuple(PATTERNS)
COMMON: dict[str, object] = {
    "size": 32,
    "steps": 12,
    "batch": 8,
    "validate_every": 6,
    "learning_rate": 3e-3,
}
TRAINING: dict[str, dict[str, object]] = {
    "dma_sta": COMMON | {"detector_options": ("frames=2", "width=0.0625")},
    "phase_resnet": COMMON,
}
FACELESS = "c0/p5_dots.mp4"  # of the test


@dataclass(frozen=True)
class Study:
    settings: AttributionBenchmarkSettings
    page: Path

    @property
    def results(self) -> dict[tuple[str, str], AttributionResult]:
        found = read_attribution_results(self.settings.out / "results")
        return {(one.detector, one.test.quality): one for one in found}

    def unknown(self, detector: str, left_out: str, held_out: str = "") -> OpenSetResult:
        wanted = (detector, left_out, held_out, "c10")
        found = read_open_set_results(self.settings.out / "results")
        (one,) = (
            of for of in found if (of.detector, of.left_out, of.held_out, of.test.quality) == wanted
        )
        return one

    def videos(self, name: str, **wanted: str) -> pl.DataFrame:
        """Return the mean of the probabilities of each video, as the definition has it."""
        rows = pl.read_parquet(self.settings.out / f"scores/{name}.parquet").filter(**wanted)
        return rows.group_by("item", "maker").agg(pl.col("^p_.*$").mean()).sort("item")

    def files(self) -> dict[str, int]:
        out = self.settings.out
        return {
            path.relative_to(out).as_posix(): path.stat().st_mtime_ns
            for folder in ("checkpoints", "scores")
            for path in (out / folder).rglob("*.*")
        }


def settings_of(prepared: Prepared, out: Path, **changes: Any) -> AttributionBenchmarkSettings:
    whole = AttributionBenchmarkSettings(
        prepared.catalog,
        prepared.faces,
        out,
        detectors=tuple(TRAINING),
        qualities=("c0", "c10"),
        leave_out=("lines",),
        resamples=100,
        workers=1,
        device="cpu",
    )
    return replace(whole, **changes)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    changes = {FACELESS: {"status": "unreadable", "reason": "broken"}}
    return make_makers(tmp_path_factory.mktemp("makers"), persons=12, changes=changes)


@pytest.fixture(scope="module")
def study(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Study:
    settings = settings_of(prepared, tmp_path_factory.mktemp("attribution") / "out")
    return Study(settings, attribution_benchmark(settings, training=TRAINING))


def named(videos: pl.DataFrame) -> pl.Series:
    """Return the class with the largest probability."""
    names = [name for name in videos.columns if name.startswith("p_")]
    return (
        videos.select(pl.concat_list(names).list.arg_max())
        .to_series()
        .replace_strict(
            dict(enumerate(name.removeprefix("p_") for name in names)), return_dtype=pl.String
        )
    )


def test_every_detector_has_a_result_at_every_quality_with_all_that_made_it(study: Study) -> None:
    assert set(study.results) == {(name, at) for name in TRAINING for at in ("c0", "c10")}
    for (detector, tested), one in study.results.items():
        card = read_card(study.settings.out / f"checkpoints/{detector}-c10")
        assert (one.checkpoint.name, one.checkpoint.sha256) == (
            f"{detector}-c10",
            card.weights_sha256,
        )
        assert one.classes == MAKERS == tuple(sorted(MAKERS))
        assert (one.train.quality, one.train.methods) == ("c10", MAKERS)
        assert (one.test.quality, one.test.split, one.test.dataset) == (tested, "test", "made")
        assert one.settings["train_quality"] == "c10"
        assert one.settings["training"]["steps"] == 12
        assert one.chance == 0.25
        assert (study.settings.out / one.scores).is_file()
    assert study.results["dma_sta", "c0"].frames == 2


def test_accuracy_and_confusion_are_those_of_the_videos_mean_probabilities(study: Study) -> None:
    for (detector, tested), one in study.results.items():
        videos = study.videos(f"{detector}-c10", split="test", quality=tested)
        videos = videos.filter(pl.col("maker") != "real")
        judged = named(videos)
        assert one.metrics["accuracy"].value == pytest.approx((judged == videos["maker"]).mean())
        for maker, row in zip(one.classes, one.confusion, strict=True):
            own = judged.filter(videos["maker"] == maker)
            assert row == tuple((own == name).sum() for name in one.classes)


def test_counts_are_of_videos_and_say_what_was_dropped(study: Study) -> None:
    every, one = study.results["dma_sta", "c10"].counts, study.results["dma_sta", "c0"].counts
    assert every.trained == dict.fromkeys(MAKERS, 6)
    assert every.validated == dict.fromkeys(MAKERS, 4)
    assert every.tested == dict.fromkeys(MAKERS, 2)
    assert (every.faces, every.persons, every.dropped) == (4 * 2 * 2, 2, {})
    assert one.tested == dict.fromkeys(MAKERS, 2) | {"dots": 1}
    assert one.dropped == {"unreadable": 1}


def test_persons_of_the_test_are_in_no_training(study: Study) -> None:
    people = read_catalog(study.settings.catalog).filter(split="test").people()["person"].unique()
    assert people.sort().to_list() == ["made/p11", "made/p5"]
    cards = [read_card(path) for path in (study.settings.out / "checkpoints").iterdir()]
    assert len(cards) == 6
    assert not any(set(people) & set(card.seen_persons) for card in cards)


def test_network_has_not_learned_the_maker_that_is_left_out(study: Study) -> None:
    for detector in TRAINING:
        one = study.unknown(detector, "lines")
        card = read_card(study.settings.out / "checkpoints" / one.checkpoint.name)
        assert one.classes == card.classes == ("chequers", "dots", "stripes")
        assert "lines" not in card.trained_on["methods"]
        assert [(of.name, of.videos) for of in one.unknown] == [("lines", 2), ("real", 2)]
        assert one.counts.tested == dict.fromkeys(one.classes, 2)
        other = study.unknown(detector, "lines", "stripes")
        assert other.classes == ("chequers", "dots")
        assert [of.name for of in other.unknown] == ["lines", "real"]


def test_reals_are_unknown_to_a_network_of_all_makers(study: Study) -> None:
    one = study.unknown("phase_resnet", "")
    assert one.classes == MAKERS
    assert [of.name for of in one.unknown] == ["real"]


def confidences(videos: pl.DataFrame) -> pl.Series:
    return videos.select(pl.max_horizontal("^p_.*$")).to_series()


def test_threshold_is_chosen_on_known_videos_of_the_validation(study: Study) -> None:
    one = study.unknown("dma_sta", "lines")
    videos = study.videos("dma_sta-c10-without-lines", split="val")
    known = confidences(videos.filter(pl.col("maker").is_in(one.classes)))
    assert len(known) == 3 * 4
    assert one.threshold.value == pytest.approx(calibrate(known, accepted=0.95).threshold)
    assert one.threshold.chosen_on == "95% of the videos of known makers"
    tested = study.videos("dma_sta-c10-without-lines", split="test", quality="c10", maker="lines")
    refused = (confidences(tested) < one.threshold.value).mean()
    assert one.unknown[0].metrics["refused"].value == refused


def test_threshold_is_chosen_between_known_videos_and_those_of_a_second_maker(study: Study) -> None:
    one = study.unknown("dma_sta", "lines", "stripes")
    videos = study.videos("dma_sta-c10-without-lines+stripes", split="val")
    known = confidences(videos.filter(pl.col("maker").is_in(["chequers", "dots"])))
    held_out = confidences(videos.filter(pl.col("maker") == "stripes"))
    assert one.threshold.value == pytest.approx(calibrate(known, held_out).threshold)
    assert "of stripes" in one.threshold.chosen_on


def test_page_shows_attention_over_right_and_wrong_clips(study: Study) -> None:
    page = study.page.read_text()
    assert "<h3>dma_<wbr>sta-<wbr>c10</h3>" in page
    assert "<h3>phase_" not in page.split("Attention")[-1]
    clips = re.findall(r'<strong>(\w+)</strong> named <span class="(\w+)">(\w+)</span>', page)
    assert clips
    assert all((kind == "real") == (maker == name) for maker, kind, name in clips)
    assert page.count('<ol class="frames">') == len(clips)
    assert len(re.findall(r"<img src", page)) == 2 * len(clips)


def test_page_tells_what_to_type_to_get_it_again_without_any_path(study: Study) -> None:
    page = study.page.read_text()
    assert (
        "unmask benchmark attribution catalog.parquet faces.parquet out "
        "--detectors dma_sta,phase_resnet --qualities c0,c10 --leave-out lines --resamples 100<"
    ) in page
    assert str(study.settings.out.parent) not in page
    assert "The people in these clips do not exist" not in page


def told(one: AttributionResult) -> AttributionResult:
    """Return a result without when, and by which state of the source, it was measured."""
    return replace(one, created="", commit="")


def test_second_run_trains_and_scores_nothing_again(study: Study) -> None:
    before, results = study.files(), study.results
    attribution_benchmark(study.settings, training=TRAINING)
    assert study.files() == before
    assert {key: told(one) for key, one in study.results.items()} == {
        key: told(one) for key, one in results.items()
    }


def test_lost_scores_and_weights_are_made_again_alike(study: Study) -> None:
    out = study.settings.out
    scores = out / "scores/dma_sta-c10.parquet"
    weights = out / "checkpoints/phase_resnet-c10/weights.safetensors"
    kept = pl.read_parquet(scores), weights.read_bytes()
    scores.unlink()
    weights.unlink()

    attribution_benchmark(study.settings, training=TRAINING)

    assert pl.read_parquet(scores).equals(kept[0])
    assert weights.read_bytes() == kept[1]


def test_journal_that_was_cut_short_is_continued(study: Study) -> None:
    journal, before = study.settings.out / "journal.jsonl", study.files()
    entries = {json.loads(line)["key"]: line for line in journal.read_text().splitlines()}
    *done, last = entries.values()
    journal.write_text("".join(f"{line}\n" for line in done) + last[:20])
    attribution_benchmark(study.settings, training=TRAINING)
    assert journal.read_text().splitlines() == [*done, last]
    changed = {name for name, at in study.files().items() if before[name] != at}
    assert len(changed) == 1
    assert changed.pop().startswith("scores/")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, "whose seed was 0, not 1; choose another folder"),
        ({"with_real": True}, "whose with_real was False, not True"),
        ({"train_quality": "c0"}, "whose train_quality was 'c10', not 'c0'"),
        ({"methods": ("dots", "lines", "stripes")}, "whose makers was"),
    ],
)
def test_other_study_in_the_folder_is_refused(
    study: Study, changes: dict[str, Any], words: str
) -> None:
    before = study.files()
    with pytest.raises(InvalidInputError, match=words):
        attribution_benchmark(replace(study.settings, **changes), training=TRAINING)
    assert study.files() == before


def test_other_training_in_the_folder_is_refused(study: Study) -> None:
    other = TRAINING | {"dma_sta": TRAINING["dma_sta"] | {"steps": 5}}
    with pytest.raises(InvalidInputError, match="whose training dma_sta was"):
        attribution_benchmark(study.settings, training=other)


def test_results_of_a_detector_that_is_no_longer_asked_for_go(study: Study, tmp_path: Path) -> None:
    out = tmp_path / "out"
    few = settings_of_study(study, out, detectors=("phase_resnet",), leave_out=("none",))
    attribution_benchmark(few, training=TRAINING)
    found = Study(few, out / "report.html")
    assert set(found.results) == {("phase_resnet", "c0"), ("phase_resnet", "c10")}
    fewer = replace(few, qualities=("c10",))
    attribution_benchmark(fewer, training=TRAINING)
    assert set(found.results) == {("phase_resnet", "c10")}
    assert not (out / "tables/attribution_open_set_c0.md").exists()


def settings_of_study(study: Study, out: Path, **changes: Any) -> AttributionBenchmarkSettings:
    return replace(study.settings, out=out, **changes)


def test_real_is_the_first_class_where_it_is_wanted_and_mixed_qualities_are_one_more_training(
    study: Study, tmp_path: Path
) -> None:
    settings = settings_of_study(
        study,
        tmp_path / "out",
        detectors=("phase_resnet",),
        leave_out=("none",),
        with_real=True,
        mixed=True,
        methods=("lines", "dots"),
    )
    attribution_benchmark(settings, training=TRAINING)
    found = read_attribution_results(settings.out / "results")
    assert {(one.train.quality, one.test.quality) for one in found} == {
        (trained, tested) for trained in ("c10", "mixed") for tested in ("c0", "c10")
    }
    assert {one.classes for one in found} == {("real", "dots", "lines")}
    mixed = next(one for one in found if one.train.quality == "mixed")
    assert mixed.counts.trained == dict.fromkeys(mixed.classes, 12)
    with pytest.raises(NotFoundError):
        read_open_set_results(settings.out / "results")


def test_training_settings_are_read_from_the_file(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "training.toml"
    file.write_text(
        "size = 32\nsteps = 2\nbatch = 8\n[phase_resnet]\ndetector_options = ['depth=8']\n"
    )
    settings = settings_of_study(
        study,
        tmp_path / "out",
        detectors=("phase_resnet",),
        leave_out=("none",),
        qualities=("c10",),
        training=file,
    )
    attribution_benchmark(settings)
    (one,) = read_attribution_results(settings.out / "results")
    assert one.settings["training"]["steps"] == 2
    noted = json.loads((settings.out / "study.json").read_text())
    assert noted["training phase_resnet"]["detector_options"] == ["depth=8"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train_quality": "c11"}, "has no 'c11'; did you mean 'c10'"),
        ({"qualities": ("c0", "c23")}, "the catalog's column quality has no 'c23'"),
        ({"methods": ("dots", "line")}, "has no 'line'; did you mean 'lines'"),
        ({"leave_out": ("strips",)}, "has no 'strips'; did you mean 'stripes'"),
    ],
)
def test_what_the_catalog_does_not_hold_is_refused_before_any_training(
    study: Study, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(NotFoundError, match=words):
        attribution_benchmark(
            settings_of_study(study, tmp_path / "out", **changes), training=TRAINING
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("item", "column"),
    [
        ("c10/p0_dots.mp4", "source_person"),  # which is learned
        ("c10/p3_real.mp4", "person"),  # which a threshold may be chosen on
    ],
)
def test_test_video_with_a_person_of_training_or_threshold_is_refused_before_any_training(
    tmp_path: Path, item: str, column: str
) -> None:
    prepared = make_makers(tmp_path / "data", changes={item: {column: "p5"}})
    few = settings_of(prepared, tmp_path / "out", detectors=("phase_resnet",))
    with pytest.raises(LeakageError, match=r"1 seen persons \(made/p5\); test on another"):
        attribution_benchmark(few, training=TRAINING)
    assert not (tmp_path / "out").exists()


def test_maker_without_any_test_video_is_told_before_any_training(tmp_path: Path) -> None:
    changes = {FACELESS: {"status": "unreadable", "reason": "broken"}}
    prepared = make_makers(tmp_path / "data", changes=changes)
    few = settings_of(prepared, tmp_path / "out", detectors=("phase_resnet",))
    with pytest.raises(
        InvalidInputError,
        match="that phase_resnet can judge, with tracks of 1 faces or more, got none of dots",
    ):
        attribution_benchmark(few, training=TRAINING)
    assert not (tmp_path / "out").exists()


def test_maker_whose_tracks_are_too_short_for_clips_is_told_before_any_training(
    tmp_path: Path,
) -> None:
    prepared = make_makers(tmp_path / "data")
    faces = read_face_table(prepared.faces)
    is_short = pl.col("item").is_in(["c10/p5_dots.mp4"]) & (pl.col("frame") > 0)
    rows = faces.table.filter(~is_short).to_dicts()
    make_face_table(rows, prepared.faces.parent).write(prepared.faces)
    few = settings_of(prepared, tmp_path / "out")
    with pytest.raises(
        InvalidInputError,
        match="at c10 that dma_sta can judge, with tracks of 2 faces or more, got none of dots",
    ):
        attribution_benchmark(few, training=TRAINING)
    assert not (tmp_path / "out").exists()
