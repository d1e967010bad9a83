from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
import torch
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor

from unmask.torch_contracts import Detector
from unmask.training.adversary import Adversary
from unmask.training.data import Faces
from unmask.training.findings import ClassValidation, Validation
from unmask.training.store import FaceStore
from unmask.training.validation import validate


class Brightness(Detector):
    """Judges a face by its brightness alone: the logit of fake is (mean - 0.5) * 20."""

    def __init__(self, classes: tuple[str, ...] = ("real", "fake")) -> None:
        super().__init__(size=8, classes=classes)

    def logits(self, faces: Tensor) -> Tensor:
        fake = (faces.mean((2, 3, 4)) - 0.5) * 20
        return torch.stack(
            [fake if name == "fake" else torch.zeros_like(fake) for name in self.classes], -1
        )


def grey_faces(folder: Path, levels: list[list[int]], labels: list[int]) -> Faces:
    """Return one video for each list, its faces as grey as the list says."""
    rows = []
    for video, (faces, label) in enumerate(zip(levels, labels, strict=True)):
        for frame, level in enumerate(faces):
            crop = folder / f"{video}_{frame}.png"
            cv2.imwrite(str(crop), np.full((8, 8, 3), level, np.uint8))
            rows.append({"item": f"v{video}", "frame": frame, "crop": str(crop), "label": label})
    return Faces(pl.DataFrame(rows))


@pytest.mark.parametrize("classes", [("real", "fake"), ("fake", "real")])
def test_a_videos_score_is_the_mean_of_its_faces_whatever_the_order_of_classes(
    tmp_path: Path, classes: tuple[str, ...]
) -> None:
    levels, labels = [[100, 120, 150], [140], [90, 200]], [0, 1, 1]
    found = validate(
        Brightness(classes),
        grey_faces(tmp_path, levels, labels),
        batch=2,
        device=torch.device("cpu"),
        store=FaceStore(),
    )
    assert isinstance(found, Validation)
    faces = [expit((np.array(one) / 255 - 0.5) * 20) for one in levels]
    np.testing.assert_allclose(found.video_scores, [one.mean() for one in faces], atol=1e-5)
    np.testing.assert_allclose(found.face_scores, np.concatenate(faces), atol=1e-5)
    assert found.video_labels.tolist() == labels
    assert found.face_labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.auc == roc_auc_score(labels, [one.mean() for one in faces])
    assert found.loss == pytest.approx(log_loss(found.face_labels, np.concatenate(faces)), abs=1e-5)


def test_of_several_classes_a_video_has_the_mean_probability_of_each(tmp_path: Path) -> None:
    levels, labels = [[100, 150], [140], [90, 200]], [0, 1, 2]
    faces = replace(grey_faces(tmp_path, levels, labels), classes=("real", "fake", "other"))
    classes = ("other", "fake", "real")
    found = validate(
        Brightness(classes), faces, batch=2, device=torch.device("cpu"), store=FaceStore()
    )
    assert isinstance(found, ClassValidation)
    odds = np.exp((np.concatenate(levels) / 255 - 0.5) * 20)
    wanted = np.stack([1 / (2 + odds), odds / (2 + odds), 1 / (2 + odds)], 1)
    np.testing.assert_allclose(found.face_probabilities, wanted, atol=1e-5)
    videos = [wanted[:2].mean(0), wanted[2], wanted[3:].mean(0)]
    np.testing.assert_allclose(found.video_probabilities, videos, atol=1e-5)
    assert found.video_labels.tolist() == [2, 1, 0]  # places among the detector's classes
    assert found.face_labels.tolist() == [2, 2, 1, 0, 0]
    assert found.benign == 2
    own = wanted[np.arange(5), found.face_labels]
    assert found.loss == pytest.approx(-np.log(own).mean(), abs=1e-5)


def test_an_adversary_moves_every_face_to_the_wrong_side_as_far_as_it_may(tmp_path: Path) -> None:
    levels, labels = [[100, 110], [125], [140], [120, 150]], [0, 0, 1, 1]
    found = validate(
        Brightness(),
        grey_faces(tmp_path, levels, labels),
        batch=4,
        device=torch.device("cpu"),
        store=FaceStore(),
        adversary=Adversary(epsilon=8 / 255, step=4 / 255, steps=5),
    )
    moved = [
        expit(((np.array(one) + (8 if label == 0 else -8)) / 255 - 0.5) * 20)
        for one, label in zip(levels, labels, strict=True)
    ]
    right = [(one >= 0.5) == label for one, label in zip(moved, labels, strict=True)]
    assert found.robust["robust_auc"] == roc_auc_score(labels, [one.mean() for one in moved])
    assert found.robust["robust_accuracy"] == pytest.approx(np.concatenate(right).mean())
    assert isinstance(found, Validation)
    assert found.auc == 1
    assert 0 < found.robust["robust_auc"] < 1


def made(auc_order: list[float], loss: float) -> Validation:
    labels = np.array([0, 0, 1, 1])
    scores = np.array(auc_order)
    return Validation(scores, labels, scores, labels, loss)


def test_of_equal_auc_the_lower_loss_is_better() -> None:
    good, better = made([0.1, 0.2, 0.8, 0.9], 0.5), made([0.1, 0.3, 0.7, 0.9], 0.4)
    worse = made([0.1, 0.8, 0.2, 0.9], 0.1)
    assert better.merit("auc") > good.merit("auc") > worse.merit("auc")
    assert worse.merit("loss") > better.merit("loss") > good.merit("loss")
    robust = replace(worse, robust={"robust_auc": 0.9}), replace(good, robust={"robust_auc": 0.8})
    assert robust[0].merit("robust_auc") > robust[1].merit("robust_auc")


def test_threshold_and_metrics_are_those_of_the_videos() -> None:
    chosen = made([0.1, 0.2, 0.8, 0.9], 0.5).choices(np.array(["a", "b", "c", "d"]))
    assert chosen.video_thresholds["mean"] == chosen.video_thresholds["max"] == 0.5
    assert chosen.metrics["auc"] == chosen.metrics["accuracy"] == 1
    assert chosen.metrics["videos"] == 4
    assert chosen.temperature > 0


def test_each_rule_for_a_videos_score_has_a_threshold_of_its_own() -> None:
    items = np.array(["a", "a", "b", "b"])
    faces, labels = np.array([0.0, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1])
    found = Validation(faces, labels, np.array([0.2, 0.6]), np.array([0, 1]), 0.5)
    thresholds = found.choices(items).video_thresholds
    assert thresholds["mean"] == pytest.approx(0.4)  # between 0.2 and 0.6
    assert thresholds["max"] == pytest.approx(0.6)  # between 0.4 and 0.8
