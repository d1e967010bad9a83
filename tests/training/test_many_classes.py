"""Trainings of seconds that learn which of three makers has made a fake."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.metrics import accuracy_score

from makers.made_by import MAKERS, make_made_by
from makers.prepared_faces import Prepared
from unmask.benchmark.evaluate import EvaluateSettings, evaluate
from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError
from unmask.metrics.aggregation import RULES
from unmask.training.checkpoint import load_checkpoint, read_card
from unmask.training.data import load_data
from unmask.training.learner import Learner
from unmask.training.loop import train
from unmask.training.score import class_probabilities
from unmask.training.settings import TrainSettings


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return make_made_by(tmp_path_factory.mktemp("made"))


def settings_for(prepared: Prepared, out: Path, **changes: Any) -> TrainSettings:
    """Return a training of `method` by a network of clips of three frames."""
    short: dict[str, Any] = {
        "detector": "dma_sta",
        "detector_options": ("frames=3", "width=0.125"),
        "size": 32,
        "target": "method",
        "batch": 9,
        "epochs": 1,
        "device": "cpu",
    }
    return TrainSettings(prepared.catalog, prepared.faces, out, **(short | changes))


FRAMES: dict[str, Any] = {
    "detector": "phase_resnet",
    "detector_options": ("depth=8",),
    "size": 64,
    "batch": 18,
}


def log(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def test_makers_are_told_of_persons_never_seen(prepared: Prepared, tmp_path: Path) -> None:
    learning: dict[str, Any] = {
        "size": 64,
        "epochs": 12,
        "learning_rate": 2e-3,
        "norm_momentum": 0.3,
        "colour": 0.0,
        "blur": 0.0,
        "downscale": 0.0,
        "jpeg": 0.0,
    }
    detector, card = load_checkpoint(train(settings_for(prepared, tmp_path, **learning)))
    assert card.classes == detector.classes == MAKERS
    assert card.selection["by"] == "accuracy"
    assert card.metrics["accuracy"] > 0.6
    rows = log(tmp_path)
    best = rows[card.selection["epoch"] - 1]
    assert float(best["validation_accuracy"]) == card.metrics["balanced_accuracy"]
    assert best["validation_auc"] == ""
    told = max(rows, key=lambda row: (float(row["validation_accuracy"]), -_loss(row)))
    assert best["epoch"] == told["epoch"]
    test = read_catalog(prepared.catalog).filter(split="test", label=1)
    found = class_probabilities(detector, prepared.faces, test)
    truth = found.join(test.table, left_on="item", right_on="id")["method"].to_list()
    named = [MAKERS[place] for place in found.select("^p_.*$").to_numpy().argmax(1)]
    assert accuracy_score(truth, named) > 0.6


def _loss(row: dict[str, str]) -> float:
    return float(row["validation_loss"])


def test_a_card_of_makers_alone_has_no_thresholds(prepared: Prepared, tmp_path: Path) -> None:
    card = read_card(train(settings_for(prepared, tmp_path)))
    assert card.face_threshold is None
    assert card.video_thresholds == {}
    assert card.threshold_rule is None
    assert 1 / 20 <= card.temperature <= 20
    names = {"accuracy", "balanced_accuracy", "macro_f1", "loss", "videos"}
    assert set(card.metrics) == names
    assert card.metrics["videos"] == 2 * 3  # persons, makers; of no real
    assert card.trained_on["methods"] == list(MAKERS)
    assert card.settings["selection"] == "accuracy"


def test_such_a_checkpoint_is_not_evaluated_but_told_where_to_go(
    prepared: Prepared, tmp_path: Path
) -> None:
    out = train(settings_for(prepared, tmp_path / "run"))
    asked = EvaluateSettings(out, prepared.catalog, prepared.faces, tmp_path, device="cpu")
    with pytest.raises(InvalidInputError, match=r"real or clean, got .* benchmark attribut"):
        evaluate(asked)


def test_with_real_as_one_more_class_it_scores_fakes_too(
    prepared: Prepared, tmp_path: Path
) -> None:
    settings = settings_for(prepared, tmp_path / "run", target="maker", **FRAMES)
    detector, card = load_checkpoint(train(settings))
    assert card.classes == detector.classes == ("real", *MAKERS)
    assert card.face_threshold is not None
    assert set(card.video_thresholds) == set(RULES)
    assert {"accuracy", "macro_f1", "auc"} < set(card.metrics)
    (row,) = log(settings.out)
    assert float(row["validation_auc"]) == card.metrics["auc"]
    assert float(row["validation_accuracy"]) == card.metrics["balanced_accuracy"]
    asked = EvaluateSettings(
        settings.out, prepared.catalog, prepared.faces, tmp_path, resamples=100, device="cpu"
    )
    (result,) = evaluate(asked)
    assert (result.counts.real_videos, result.counts.fake_videos) == (1, 3)


def test_a_network_of_clips_is_evaluated_clip_by_clip_and_short_videos_are_counted(
    tmp_path: Path,
) -> None:
    prepared = make_made_by(tmp_path / "made", makers=MAKERS[:2], fewer={"iae/p5.mp4": 2})
    out = train(settings_for(prepared, tmp_path / "run", target="label", precision="bf16-mixed"))
    asked = EvaluateSettings(
        out, prepared.catalog, prepared.faces, tmp_path, resamples=100, device="cpu"
    )
    (result,) = evaluate(asked)
    assert (result.counts.real_videos, result.counts.fake_videos) == (1, 1)
    assert result.counts.frames == 2 * 2  # clips
    assert result.counts.dropped == {"too_few_faces": 1}


def test_only_the_chosen_methods_are_learned(prepared: Prepared, tmp_path: Path) -> None:
    for target, first in (("method", ()), ("maker", ("real",))):
        data = load_data(
            settings_for(prepared, tmp_path, target=target, methods=("original", "iae"))
        )
        assert data.train.classes == (*first, "iae", "original")
        assert set(data.train.table["method"]) - {None} == {"iae", "original"}
        assert (None in set(data.train.table["method"])) == (target == "maker")


def test_methods_of_the_test_split_alone_are_no_classes(tmp_path: Path) -> None:
    prepared = make_made_by(
        tmp_path, frames=1, makers=MAKERS[:2], changes={"iae/p5.mp4": {"method": "unheard_of"}}
    )
    assert load_data(settings_for(prepared, tmp_path)).train.classes == ("dfaker", "iae")


def test_a_single_maker_is_refused(prepared: Prepared, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"must have two classes or more .*, got iae; add"):
        load_data(settings_for(prepared, tmp_path, methods=("iae",)))


def test_a_fake_of_an_unknown_maker_is_refused(tmp_path: Path) -> None:
    prepared = make_made_by(tmp_path, frames=1, changes={"iae/p0.mp4": {"method": None}})
    for target in ("method", "maker"):
        with pytest.raises(InvalidInputError, match=r"method must be known .* 'iae/p0.mp4' and 0"):
            load_data(settings_for(prepared, tmp_path, target=target))


class StoppedError(Exception):
    """Stands for whatever breaks a training off."""


@pytest.mark.parametrize("quirks", [False, True])
def test_a_run_on_clips_that_was_stopped_ends_with_the_same_weights(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quirks: bool
) -> None:
    same: dict[str, Any] = {"steps": 5, "optimiser": "sgd", "paper_quirks": quirks, "batch": 6}
    whole = train(settings_for(prepared, tmp_path / "whole", **same))
    broken = settings_for(prepared, tmp_path / "broken", **same, checkpoint_seconds=0.0)
    step = Learner.step
    for steps in (3, 4):  # an epoch has three

        def or_stop(
            self: Learner, batches: Any, number: int, *more: Any, at: int = steps, **named: Any
        ) -> float:
            if number == at:
                raise StoppedError
            return step(self, batches, number, *more, **named)

        with monkeypatch.context() as patched:
            patched.setattr(Learner, "step", or_stop)
            with pytest.raises(StoppedError):
                train(broken)
    assert weights(train(broken)) == weights(whole)
    assert read_card(broken.out).metrics == read_card(whole).metrics


def momentum_before_each_step(
    settings: TrainSettings, monkeypatch: pytest.MonkeyPatch
) -> list[bool]:
    """Return whether the optimiser remembered any gradient when each step began."""
    told: list[bool] = []
    step = Learner.step

    def watched(self: Learner, *more: Any, **named: Any) -> float:
        told.append(bool(self._optimiser.optimizer.state))
        return step(self, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Learner, "step", watched)
        train(settings)
    return told


def test_momentum_is_forgotten_at_every_epoch_only_as_published(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = settings_for(prepared, tmp_path / "a", optimiser="sgd", epochs=2, batch=6)
    assert momentum_before_each_step(plain, monkeypatch) == [False, *[True] * 5]
    quirks = replace(plain, out=tmp_path / "b", paper_quirks=True)
    assert momentum_before_each_step(quirks, monkeypatch) == [False, True, True] * 2


def test_a_network_attacked_in_training_tells_how_robust_its_classes_are(
    prepared: Prepared, tmp_path: Path
) -> None:
    card = read_card(train(settings_for(prepared, tmp_path, adversarial="fast", **FRAMES)))
    assert 0 <= card.metrics["robust_accuracy"] <= 1
    assert "robust_auc" not in card.metrics
