"""Faces of attacked videos that were left as they were are not learned as attacked."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from makers.attacked_faces import make_attacked, name_of
from makers.prepared_faces import Prepared
from unmask.benchmark.evaluate import EvaluateSettings, evaluate
from unmask.catalog import Catalog, make_catalog, read_catalog
from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.attack_table import make_attack_table, write_attack_table
from unmask.faces.table import FaceTable, make_face_table, read_face_table
from unmask.training.attacked import mark_unchanged
from unmask.training.data import load_data
from unmask.training.loop import train
from unmask.training.settings import TrainSettings

BOX, OTHER = (10.0, 10.0, 50.0, 60.0), (80.0, 10.0, 120.0, 60.0)
VIDEO = "net/nes/clip.mp4"
ATTACK = json.dumps({"attack": "nes", "frames": "every:3"})


def item(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "path": path, "dataset": "made", "family": "adversarial"} | more


def attacked(name: str = VIDEO, path: str = f"attacked/{VIDEO}", **more: Any) -> dict[str, Any]:
    return item(name, path, settings=ATTACK, parents=["clip.mp4"]) | more


def found(frame: int, box: tuple[float, ...], track: int = 0, name: str = VIDEO) -> dict[str, Any]:
    return {"item": name, "frame": frame, "track": track} | dict(
        zip(("left", "top", "right", "bottom"), box, strict=True)
    )


def marked(rows: list[dict[str, Any]], catalog: Catalog) -> list[str]:
    faces = [row | {"crop": "a.png", "status": "ok"} for row in rows]
    return mark_unchanged(make_face_table(faces, Path()).table, catalog)["status"].to_list()


def tell(folder: Path, *rows: dict[str, Any]) -> None:
    table = make_attack_table({"status": "ok", "linf": 4 / 255} | row for row in rows)
    write_attack_table(table, folder / "attacks.parquet")


def test_only_faces_that_were_changed_are_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tell(
        tmp_path / "attacked",
        found(0, BOX),
        found(3, BOX),
        found(6, BOX) | {"linf": 0.0},
        found(9, BOX) | {"linf": 0.0},
        found(9, OTHER, track=1),
        {"item": VIDEO, "frame": 12, "status": "no_face", "linf": None},
    )
    faces = {
        "in an attacked frame": (found(0, BOX), "ok"),
        "a few pixels off and counted otherwise": (found(3, (14, 8, 54, 58), track=7), "ok"),
        "of somebody else there": (found(3, OTHER), "unchanged"),
        "in a frame that was left out": (found(1, BOX), "unchanged"),
        "that was judged wrongly as it is": (found(6, BOX), "unchanged"),
        "beside one that was changed": (found(9, BOX), "unchanged"),
        "changed beside another": (found(9, OTHER), "ok"),
        "where there was none": (found(12, BOX), "unchanged"),
        "of a clean video": (found(1, BOX, name="clip.mp4"), "ok"),
    }
    clean = item("clip.mp4", "clip.mp4", family="swap")
    catalog = make_catalog([clean, attacked()], tmp_path)
    with caplog.at_level(logging.INFO):
        statuses = marked([row for row, _ in faces.values()], catalog)
    assert dict(zip(faces, statuses, strict=True)) == {
        name: status for name, (_, status) in faces.items()
    }
    assert "left out: 5 of 8 attacked faces, as nothing was changed" in caplog.messages


def test_a_copy_in_another_folder_has_the_faces_of_the_attacked_video(tmp_path: Path) -> None:
    tell(tmp_path / "attacked", found(0, BOX))
    copies = [
        item(f"c40/{VIDEO}", f"c40/{VIDEO}", parents=[VIDEO], quality="c40"),
        item(f"jpeg-75/c40/{VIDEO}", "j.mp4", parents=[f"c40/{VIDEO}"], quality="c40+jpeg-75"),
    ]
    copies = [copy | {"settings": '{"degradation": "c40"}'} for copy in copies]
    catalog = make_catalog([attacked(path=f"../attacked/{VIDEO}"), *copies], tmp_path / "degraded")
    for copy in copies:
        faces = [found(frame, BOX, name=copy["id"]) for frame in (0, 1)]
        assert marked(faces, catalog) == ["ok", "unchanged"]
    with pytest.raises(InvalidInputError, match=rf"hold the attacked video .* without '{VIDEO}'"):
        marked([], catalog.filter(quality=["c40", "c40+jpeg-75"]))


def test_an_image_of_one_face_is_changed_where_its_video_was(tmp_path: Path) -> None:
    names = ["wX/001_0.png", "wX/001_50.png"]
    settings = json.dumps({"attack": "nes", "region": [5, 5, 70, 70]})
    rows = [attacked(name, name, kind="image", settings=settings) for name in names]
    tell(tmp_path, found(0, BOX, name=names[0]) | {"linf": 0.0}, found(50, OTHER, name=names[1]))
    faces = [found(0, BOX, name=name) for name in names]
    assert marked(faces, make_catalog(rows, tmp_path)) == ["unchanged", "ok"]


def test_what_others_have_attacked_is_taken_as_changed_as_a_whole(tmp_path: Path) -> None:
    catalog = make_catalog([item("theirs.png", "theirs.png", settings="of 2021")], tmp_path)
    assert marked([found(0, BOX, name="theirs.png")], catalog) == ["ok"]


def test_a_missing_attack_table_is_named(tmp_path: Path) -> None:
    catalog = make_catalog([attacked()], tmp_path)
    with pytest.raises(NotFoundError, match=r"got .*/attacked/attacks.parquet; `unmask attack`"):
        marked([], catalog)


@pytest.fixture
def partly(tmp_path: Path) -> Prepared:
    """Return prepared faces of attacked videos in which only the frames 0 and 2 were attacked."""
    prepared = make_attacked(tmp_path, persons=6)
    catalog, faces = read_catalog(prepared.catalog), read_face_table(prepared.faces)
    is_attacked = pl.col("family").eq_missing("adversarial")
    told = pl.when(is_attacked).then(pl.lit(ATTACK)).otherwise("settings")
    Catalog(catalog.table.with_columns(settings=told), catalog.root).write(prepared.catalog)
    box = dict(zip(("left", "top", "right", "bottom"), BOX, strict=True))
    boxed = faces.table.with_columns(
        pl.lit(edge, pl.Float32).alias(name) for name, edge in box.items()
    )
    FaceTable(boxed, faces.root).write(prepared.faces)
    names = [name_of(one) for one in catalog.table.filter(~is_attacked)["id"]]
    tell(tmp_path, *(found(frame, BOX, name=one) for one in names for frame in (0, 2)))
    return prepared


def test_training_and_evaluation_leave_out_what_no_attack_changed(
    partly: Prepared, tmp_path: Path
) -> None:
    settings = TrainSettings(
        partly.catalog, partly.faces, tmp_path / "run", target="adversarial", device="cpu",
        detector="phase_resnet", detector_options=("depth=8",), size=32, steps=1, batch=4,
    )  # fmt: skip
    frames = load_data(settings).train.table.group_by("label").agg(pl.col("frame").unique().sort())
    assert dict(frames.iter_rows()) == {0: [0, 1, 2, 3], 1: [0, 2]}
    assert (
        1
        in load_data(replace(settings, target="label"))
        .train.table.filter(pl.col("family").eq_missing("adversarial"))["frame"]
        .to_list()
    )
    out = tmp_path / "out"
    evaluate(EvaluateSettings(train(settings), partly.catalog, partly.faces, out, resamples=100))
    scores = pl.read_parquet(next(out.glob("scores/*.parquet")))
    frames = scores.group_by("label").agg(pl.col("frame").unique().sort())
    assert dict(frames.iter_rows()) == {0: [0, 1, 2, 3], 1: [0, 2]}
