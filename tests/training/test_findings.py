"""What is read from the probabilities of validation videos where there are several classes."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from unmask.metrics.class_scaling import fit_class_temperature
from unmask.training.findings import ClassValidation, Validation

LABELS = np.array([0, 0, 0, 0, 1, 1, 2])
NAMED = np.array([0, 0, 1, 0, 1, 2, 2])
ITEMS = np.array(list("abcdefg"))


def probabilities() -> np.ndarray:
    random = np.random.default_rng(0)
    drawn = random.random((len(NAMED), 3)) + 1.5 * np.eye(3)[NAMED]
    return np.asarray(drawn / drawn.sum(1, keepdims=True))


def found(benign: int | None = None, loss: float = 0.5) -> ClassValidation:
    told = probabilities()
    return ClassValidation(told, LABELS, told, LABELS, loss, benign)


def test_classes_count_alike_where_accuracy_chooses() -> None:
    wanted = balanced_accuracy_score(LABELS, NAMED)
    assert found().merit("accuracy") == pytest.approx((wanted, -0.5))
    assert found(loss=0.4).merit("accuracy") > found().merit("accuracy")
    assert found().merit("loss") == (-0.5, 0.0)


def test_metrics_are_those_of_the_videos() -> None:
    chosen = found().choices(ITEMS)
    assert chosen.metrics == {
        "accuracy": pytest.approx(5 / 7),
        "balanced_accuracy": pytest.approx(balanced_accuracy_score(LABELS, NAMED)),
        "macro_f1": pytest.approx(f1_score(LABELS, NAMED, average="macro")),
        "loss": 0.5,
        "videos": 7,
    }
    assert chosen.temperature == fit_class_temperature(LABELS, probabilities())
    assert found().log_row() == {
        "validation_loss": 0.5,
        "validation_accuracy": chosen.metrics["balanced_accuracy"],
    }


def test_without_a_benign_class_there_is_no_threshold() -> None:
    chosen = found().choices(ITEMS)
    assert chosen.face_threshold is None
    assert chosen.video_thresholds == {}
    assert chosen.threshold_rule is None
    with pytest.raises(KeyError):
        found().merit("auc")


def test_with_a_benign_class_all_others_together_make_a_score() -> None:
    scored, score = found(benign=1), 1 - probabilities()[:, 1]
    wanted = roc_auc_score(LABELS != 1, score)
    assert scored.merit("auc") == pytest.approx((wanted, -0.5))
    assert scored.log_row()["validation_auc"] == pytest.approx(wanted)
    alarm = Validation(score, (LABELS != 1) * 1, score, (LABELS != 1) * 1, 0.5)
    chosen, of_alarm = scored.choices(ITEMS), alarm.choices(ITEMS)
    assert chosen.metrics["auc"] == of_alarm.metrics["auc"]
    assert chosen.metrics["accuracy"] == pytest.approx(5 / 7)
    assert chosen.face_threshold == of_alarm.face_threshold
    assert chosen.video_thresholds == of_alarm.video_thresholds
    assert chosen.temperature == found().choices(ITEMS).temperature


def test_under_attack_it_is_right_where_the_likeliest_class_is() -> None:
    assert found().under_attack() == {"robust_accuracy": pytest.approx(5 / 7)}
    told = found(benign=0).under_attack()
    assert set(told) == {"robust_accuracy", "robust_auc"}
    robust = replace(found(benign=0), robust=told)
    assert robust.merit("robust_auc") == (told["robust_auc"], -0.5)
    assert robust.choices(ITEMS).metrics["robust_accuracy"] == told["robust_accuracy"]


def test_of_two_classes_accuracy_is_that_at_even_odds() -> None:
    labels, scores = np.array([0, 0, 0, 1]), np.array([0.1, 0.2, 0.6, 0.7])
    two = Validation(scores, labels, scores, labels, 0.5)
    assert two.merit("accuracy") == pytest.approx(((2 / 3 + 1) / 2, -0.5))
