"""Clips of consecutive faces, and how a network of clips is shown them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor

from makers.made_by import make_made_by
from unmask.catalog import Catalog, make_catalog
from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.table import make_face_table
from unmask.torch_contracts import Detector
from unmask.training.augment import Augmentation
from unmask.training.batches import Loader, Plan
from unmask.training.clips import data_in_clips, in_clips
from unmask.training.data import Faces, load_data
from unmask.training.runs import thinned
from unmask.training.score import class_probabilities, score_faces
from unmask.training.settings import TrainSettings
from unmask.training.store import FaceStore

SIDE = 8


def some_faces(**faces_of: int) -> Faces:
    """Return faces of items with so many, each `<item>_<track>`; the file bears its place."""
    rows = []
    for name, count in faces_of.items():
        item, track = name.split("_")
        rows += [
            {"item": item, "frame": 3 * place, "track": int(track), "crop": f"{name}_{place}"}
            for place in range(count)
        ]
    return Faces(pl.DataFrame(rows).with_columns(label=pl.lit(0)).sort("item", "frame", "track"))


def test_clips_are_consecutive_faces_of_one_track_and_do_not_overlap() -> None:
    found = in_clips(some_faces(a_0=7, a_1=3, b_0=3), 3)
    assert [list(clip) for clip in found.clips] == [
        ["a_0_0", "a_0_1", "a_0_2"],
        ["a_1_0", "a_1_1", "a_1_2"],
        ["a_0_3", "a_0_4", "a_0_5"],
        ["b_0_0", "b_0_1", "b_0_2"],
    ]
    rows = found.table.select("item", "frame", "track").rows()
    assert rows == [("a", 0, 0), ("a", 0, 1), ("a", 9, 0), ("b", 0, 0)]


def test_a_track_is_shown_as_often_as_clips_fit_into_it_from_anywhere() -> None:
    found = in_clips(some_faces(a_0=7, b_0=3, b_1=2), 3, anywhere=True)
    assert [len(clip) for clip in found.clips] == [7, 7, 3]
    assert found.table["item"].to_list() == ["a", "a", "b"]


def with_frames(faces: Faces, frames: list[int]) -> Faces:
    return replace(faces, table=faces.table.with_columns(frame=pl.Series(frames)))


@pytest.mark.parametrize("anywhere", [False, True])
def test_no_clip_goes_over_a_gap(*, anywhere: bool) -> None:
    """Steps of 3 are usual here, so that 6 is a face missed and 7 a gap."""
    frames = [0, 3, 9, 12, 15, 22, 25, 28, 31, 34, 60]
    found = in_clips(with_frames(some_faces(a_0=11), frames), 3, anywhere=anywhere)
    names = [f"a_0_{place}" for place in range(11)]
    wanted = [names[:5], names[5:10]] if anywhere else [names[:3], names[5:8]]
    assert [list(clip) for clip in found.clips] == wanted
    assert found.table["frame"].to_list() == [0, 22]


def kept(faces: Faces, count: int, frames: int) -> list[str]:
    return thinned(faces.table, count, frames=frames)["crop"].to_list()


def test_thinning_keeps_whole_clips_spread_over_the_video_as_scoring_cuts_them() -> None:
    faces = some_faces(a_0=30, b_0=2)
    scored = [list(clip) for clip in in_clips(faces, 5).clips]
    both = ["b_0_0", "b_0_1"]
    assert kept(faces, 10, 5) == scored[1] + scored[4] + both
    assert kept(faces, 14, 5) == scored[1] + scored[4] + both
    assert kept(faces, 3, 5) == scored[3] + both
    assert kept(faces, 99, 5) == [crop for clip in scored for crop in clip] + both
    less = Faces(thinned(faces.table, 10, frames=5))
    assert [list(clip) for clip in in_clips(less, 5).clips] == [scored[1], scored[4]]
    assert [list(clip) for clip in in_clips(less, 5, anywhere=True).clips] == [scored[1], scored[4]]


def test_thinning_keeps_an_item_of_two_people_who_are_seen_at_the_same_time() -> None:
    found = in_clips(Faces(thinned(some_faces(a_0=15, a_1=15).table, 10, frames=10)), 10)
    assert [list(clip) for clip in found.clips] == [[f"a_1_{place}" for place in range(10)]]


def test_thinning_of_a_training_is_in_clips_of_its_network(tmp_path: Path) -> None:
    prepared = make_made_by(tmp_path, frames=9)
    settings = TrainSettings(
        *(prepared.catalog, prepared.faces, tmp_path), target="method", detector="dma_sta",
        detector_options=("frames=3",), frames_per_video=3, validation_frames_per_video=6,
    )  # fmt: skip
    data = load_data(settings)
    whole = load_data(replace(settings, frames_per_video=None, validation_frames_per_video=None))
    wanted = [list(clip) for clip in in_clips(whole.train, 3).clips][1::3]
    assert [list(clip) for clip in data_in_clips(data, 3).train.clips] == wanted
    assert len(data.validation) * 9 == len(whole.validation) * 6


def test_items_with_fewer_faces_are_left_out_and_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = in_clips(some_faces(a_0=2, a_1=2, b_0=3, c_0=1), 3)
    assert found.table["item"].to_list() == ["b"]
    assert "left out: 2 items without 3 faces of one track" in caplog.text


def test_single_faces_stay_as_they_are() -> None:
    faces = some_faces(a_0=2)
    assert in_clips(faces, 1) is faces
    assert faces.clips == [["a_0_0"], ["a_0_1"]]


def test_a_class_without_a_clip_is_refused(tmp_path: Path) -> None:
    fewer = {f"iae/p{number}.mp4": 3 for number in range(6)}
    prepared = make_made_by(tmp_path, frames=4, fewer=fewer)
    data = load_data(TrainSettings(prepared.catalog, prepared.faces, tmp_path, target="method"))
    assert len(data_in_clips(data, 3).validation) == 2 * 3
    with pytest.raises(
        InvalidInputError, match=r"'train' must have iae clips, got no 4 faces of one track"
    ):
        data_in_clips(data, 4)


def numbered_crops(folder: Path, count: int) -> Faces:
    """Return one item whose crops are bright on the left, by their place."""
    for place in range(count):
        image = np.zeros((SIDE, SIDE, 3), np.uint8)
        image[:, : SIDE // 2] = 10 * (place + 1)
        cv2.imwrite(str(folder / f"{place}.png"), image)
    rows = [
        {"item": "a", "frame": place, "track": 0, "crop": str(folder / f"{place}.png"), "label": 0}
        for place in range(count)
    ]
    return Faces(pl.DataFrame(rows))


def shown(faces: Faces, augmentation: Augmentation | None = None, **settings: Any) -> Tensor:
    """Return clips (epochs, T, 3, H, W) of three faces, one of each of many epochs."""
    plan = Plan(lambda epoch: np.zeros(1, np.int64), batch=1)
    loader = Loader(
        in_clips(faces, 3, anywhere=True),
        plan,
        FaceStore(),
        size=SIDE,
        augmentation=augmentation or Augmentation(),
        seed=5,
        frames=3,
        **settings,
    )
    return torch.cat([batch.faces for (batch,) in loader.batches(0, 40)])


def test_in_training_a_clip_starts_anywhere_anew_each_time_and_keeps_its_order(
    tmp_path: Path,
) -> None:
    clips = shown(numbered_crops(tmp_path, 5))
    assert clips.shape == (40, 3, 3, SIDE, SIDE)
    places = clips[:, :, 0, 0, 0] // 10 - 1
    assert set(places[:, 0].tolist()) == {0, 1, 2}
    assert (places.diff(dim=1) == 1).all()


def test_all_frames_of_a_clip_are_changed_alike(tmp_path: Path) -> None:
    """Published code flips each frame by itself with the torchvision of today."""
    faces, often = numbered_crops(tmp_path, 3), Augmentation(flip=0.5)

    def is_mirrored(**settings: Any) -> Tensor:
        return shown(faces, often, **settings)[:, :, 0, 0, 0] == 0

    alike = is_mirrored()
    assert (alike == alike[:, :1]).all()
    assert 10 <= alike[:, 0].sum() <= 30
    alone = is_mirrored(alike=False)
    assert (alone != alone[:, :1]).any()
    assert 40 <= alone.sum() <= 80


@pytest.mark.parametrize("name", ["colour", "blur", "downscale", "jpeg"])
def test_a_change_that_was_drawn_does_the_same_to_equal_faces(name: str) -> None:
    face = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    other = np.ascontiguousarray(face[::-1])
    change: Callable[[Image], Image] = Augmentation(**{name: 1.0}).drawn(np.random.default_rng(1))
    assert np.array_equal(change(face), change(face))
    assert np.array_equal(change(face), Augmentation(**{name: 1.0})(face, np.random.default_rng(1)))
    assert not np.array_equal(change(face), change(other))


class Rising(Detector):
    """Its logits are how much brighter the last of three frames is than the first, and half."""

    def __init__(self, classes: tuple[str, ...] = ("real", "fake", "other")) -> None:
        super().__init__(size=SIDE, classes=classes, frames=3)

    def logits(self, faces: Tensor) -> Tensor:
        rise = 255 * (faces[:, -1] - faces[:, 0]).mean((1, 2, 3))
        return torch.stack([torch.zeros_like(rise), rise, rise / 2], -1)


def a_table(folder: Path, levels: dict[str, list[int]]) -> tuple[Path, Catalog]:
    """Return the file of the face table, and the catalog of items whose faces are grey."""
    rows = []
    for item, greys in levels.items():
        for place, grey in enumerate(greys):
            crop = f"{item}_{place}.png"
            cv2.imwrite(str(folder / crop), np.full((SIDE, SIDE, 3), grey, np.uint8))
            rows.append({"item": item, "frame": 2 * place, "track": 0, "crop": crop})
    table = make_face_table([one | {"status": "ok"} for one in rows], folder)
    table.write(folder / "faces.parquet")
    items = [
        {"id": item, "path": item, "dataset": "made", "label": 1, "status": "ok"} for item in levels
    ]
    return folder / "faces.parquet", make_catalog(items, folder)


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_a_row_of_the_probabilities_is_one_clip(tmp_path: Path, batch: int) -> None:
    levels = {"a": [0, 1, 2, 9, 8, 7, 5], "b": [4, 4], "c": [0, 0, 4]}
    faces, catalog = a_table(tmp_path, levels)
    found = class_probabilities(Rising(), faces, catalog, batch=batch)
    assert found.columns == ["item", "frame", "track", "p_real", "p_fake", "p_other", "level"]
    assert found.select("item", "frame", "track").rows() == [("a", 0, 0), ("a", 6, 0), ("c", 0, 0)]
    logits = np.array([[0, 2, 1], [0, -2, -1], [0, 4, 2]])
    odds = np.exp(logits)
    wanted = odds / odds.sum(1, keepdims=True)
    np.testing.assert_allclose(found.select("^p_.*$").to_numpy(), wanted, atol=1e-6)
    np.testing.assert_allclose(found["level"], np.log(odds.sum(1)), atol=1e-5)
    scores = score_faces(Rising(), faces, catalog, batch=batch)
    assert scores["frame"].to_list() == [0, 6, 0]
    np.testing.assert_allclose(scores["score"], 1 - wanted[:, 0], atol=1e-6)


def test_classes_need_not_be_benign_for_probabilities(tmp_path: Path) -> None:
    faces, catalog = a_table(tmp_path, {"a": [0, 0, 2]})
    makers = Rising(("dfaker", "iae", "dfl-h128"))
    found = class_probabilities(makers, faces, catalog)
    assert {"p_dfaker", "p_iae", "p_dfl-h128"} < set(found.columns)
    with pytest.raises(InvalidInputError, match="must contain 'real' for a score"):
        score_faces(makers, faces, catalog)


def test_nothing_to_score_gives_an_empty_table(tmp_path: Path) -> None:
    faces, catalog = a_table(tmp_path, {"b": [4, 4]})
    found = class_probabilities(Rising(), faces, catalog)
    assert found.is_empty()
    assert "p_fake" in found.columns


def test_the_rest_of_the_columns_follow_the_clip(tmp_path: Path) -> None:
    faces = some_faces(a_0=3, b_0=6)
    labelled = replace(
        faces, table=faces.table.with_columns(label=(pl.col("item") == "b").cast(pl.Int8))
    )
    assert in_clips(labelled, 3).labels.tolist() == [0, 1, 1]
