"""What is learned: fakes, attacked faces, or any other classes of items."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.metrics import roc_auc_score

from makers.attacked_faces import make_attacked, name_of
from makers.prepared_faces import Prepared
from unmask.attacks.fgsm import FGSM
from unmask.benchmark.evaluate import EvaluateSettings, evaluate
from unmask.benchmark.leakage import LeakageError
from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError, NotFoundError
from unmask.training.checkpoint import load_checkpoint
from unmask.training.data import Faces, load_data
from unmask.training.loop import train
from unmask.training.sampling import benign_counterparts, sampler_for
from unmask.training.score import score_faces
from unmask.training.settings import TrainSettings
from unmask.training.state import refuse_other_training
from unmask.training.target import TARGETS


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return make_attacked(tmp_path_factory.mktemp("attacked"), persons=12)


def settings_for(prepared: Prepared, out: Path, **changes: Any) -> TrainSettings:
    short: dict[str, Any] = {
        "detector": "phase_resnet",
        "detector_options": ("depth=8",),
        "size": 64,
        "target": "adversarial",
        "sampling": "paired",
        "batch": 16,
        "epochs": 1,
        "device": "cpu",
    }
    return TrainSettings(prepared.catalog, prepared.faces, out, **(short | changes))


@pytest.fixture(scope="module")
def trained(attacked: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("checkpoint")
    unchanged = dict.fromkeys(("colour", "blur", "downscale", "jpeg"), 0.0)
    return train(settings_for(attacked, out, epochs=8, learning_rate=3e-3, **unchanged))


def test_each_target_gives_an_item_its_class() -> None:
    items = pl.DataFrame(
        [
            (0, None, None),
            (1, "swap", "iae"),
            (0, "adversarial", "fgsm"),
            (1, "adversarial", "fgsm"),
            (None, None, None),
        ],
        schema={"label": pl.Int8, "family": pl.String, "method": pl.String},
        orient="row",
    )
    numbers = {
        name: target.numbered(items, target.classes(items))["label"].to_list()
        for name, target in TARGETS.items()
    }
    assert numbers == {
        "label": [0, 1, 0, 1, None],
        "adversarial": [0, 0, 1, 1, 0],
        "method": [None, 1, None, 0, None],
        "maker": [0, 2, 0, 1, None],
    }
    assert TARGETS["method"].classes(items) == ("fgsm", "iae")
    assert TARGETS["maker"].classes(items) == ("real", "fgsm", "iae")
    for name in ("label", "adversarial"):
        assert TARGETS[name].judged(items)["label"].to_list() == numbers[name]
    assert TARGETS["maker"].judged(items)["label"].to_list() == [0, 1, 0, 1, None]


def test_only_the_question_who_made_a_fake_leaves_reals_out() -> None:
    items = pl.DataFrame({"label": [0, 1, 1, None], "method": [None, "iae", None, None]})
    items = items.with_columns(family=pl.lit(None))
    for name, target in TARGETS.items():
        wanted = items.tail(3) if name == "method" else items
        assert target.concerned(items).equals(wanted)


def test_attacked_faces_are_one_class_whatever_they_show(attacked: Prepared) -> None:
    data = load_data(settings_for(attacked, Path()))
    assert data.train.classes == ("clean", "adversarial")
    told = data.train.table.select("family", "label")
    assert set(told.unique().rows()) == {(None, 0), ("swap", 0), ("adversarial", 1)}
    fakes = load_data(settings_for(attacked, Path(), target="label"))
    assert fakes.train.classes == ("real", "fake")
    assert fakes.faces_hash != data.faces_hash


def test_an_attacked_face_is_paired_with_the_face_it_was_made_from(attacked: Prepared) -> None:
    data = load_data(settings_for(attacked, Path()))
    pairs = benign_counterparts(data.train, data.ancestors)
    assert len(pairs) == len(data.train) // 2
    items, frames = data.train.table["item"], data.train.table["frame"]
    for clean, changed in pairs.tolist():
        assert items[changed] == name_of(items[clean])
        assert frames[changed] == frames[clean]


def test_chosen_methods_are_attacks_beside_all_that_is_clean(attacked: Prepared) -> None:
    data = load_data(settings_for(attacked, Path(), methods=("some_attack",)))
    assert set(data.train.table["method"]) == {None, "chequers", "some_attack"}
    with pytest.raises(NotFoundError, match="method has no 'some_attac'; did you mean 'some_att"):
        load_data(settings_for(attacked, Path(), methods=("some_attac",)))


def test_a_split_without_attacked_faces_is_refused(tmp_path: Path) -> None:
    prepared = make_attacked(tmp_path, frames=1, changes={"split": "test"})
    with pytest.raises(InvalidInputError, match="'train' must have adversarial faces, got none"):
        load_data(settings_for(prepared, tmp_path))


def test_attacked_faces_of_persons_never_seen_are_told(attacked: Prepared, trained: Path) -> None:
    detector, card = load_checkpoint(trained)
    assert card.classes == detector.classes == ("clean", "adversarial")
    assert card.trained_on["target"] == "adversarial"
    assert card.detector_settings == {"size": 64, "depth": 8}
    test = read_catalog(attacked.catalog).filter(split="test")
    found = score_faces(detector, attacked.faces, test).join(
        test.table, left_on="item", right_on="id"
    )
    assert roc_auc_score(found["family"].eq_missing("adversarial"), found["score"]) > 0.95
    assert roc_auc_score(found["label"], found["score"]) < 0.8
    assert card.metrics["auc"] > 0.95


def test_a_score_is_the_probability_of_an_attack(trained: Path) -> None:
    detector, _ = load_checkpoint(trained)
    faces = torch.rand(2, 1, 3, 64, 64)
    with torch.no_grad():
        wanted = detector(faces).softmax(-1)[:, 1]
        torch.testing.assert_close(detector.scores(faces), wanted)
        torch.testing.assert_close(detector.odds(faces).sigmoid(), wanted)


def test_it_is_no_victim(trained: Path) -> None:
    detector, _ = load_checkpoint(trained)
    with pytest.raises(InvalidInputError, match="declares which of its classes is 'real'"):
        FGSM()(detector, torch.rand(1, 1, 3, 64, 64), torch.ones(1, dtype=torch.int64))


def test_evaluation_asks_what_the_checkpoint_has_learned(
    attacked: Prepared, trained: Path, tmp_path: Path
) -> None:
    settings = EvaluateSettings(
        trained, attacked.catalog, attacked.faces, tmp_path, resamples=100, device="cpu"
    )
    (result,) = evaluate(settings)
    scores = pl.read_parquet(next(tmp_path.glob("scores/*.parquet")))
    families = read_catalog(attacked.catalog).table.select("id", "family")
    told = scores.join(families, left_on="item", right_on="id", maintain_order="left")["family"]
    is_attacked = told.eq_missing("adversarial").cast(pl.Int8)
    assert scores["label"].to_list() == is_attacked.to_list()
    wanted = roc_auc_score(is_attacked, scores["score"])
    assert result.frame.metrics["auc"].value == pytest.approx(wanted)
    with pytest.raises(LeakageError, match="seen persons"):
        evaluate(replace(settings, split="val"))


def test_a_card_without_a_target_was_trained_on_the_label(
    attacked: Prepared, tmp_path: Path
) -> None:
    settings = settings_for(attacked, tmp_path, target="label")
    now = {"target": "label", "adversarial": "", "seed": 0}
    refuse_other_training(settings.out, {"seed": 0}, now)
    with pytest.raises(InvalidInputError, match="whose target was 'label', not 'adversarial'"):
        refuse_other_training(settings.out, {"seed": 0}, now | {"target": "adversarial"})


def test_balanced_takes_all_classes_equally_often() -> None:
    labels = np.repeat([0, 1, 2], [5, 2, 9])
    faces = Faces(pl.DataFrame({"label": labels}), ("real", "one", "other"))
    order = sampler_for("balanced", faces, pl.DataFrame(), seed=0)(0)
    assert faces.labels[order].tolist() == [0, 1, 2] * 9


def test_an_unknown_target_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="target has no 'labels'; did you mean 'label'"):
        TrainSettings(Path(), Path(), Path(), target="labels")
