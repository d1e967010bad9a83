import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from makers.people import Person, scene, write_frames
from unmask.catalog import make_catalog
from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.prepare import FacesSettings, prepare_faces
from unmask.faces.table import read_face_table

SIZE = (160, 160)
NAMES = ("P001", "P002", "P004", "P005")


def catalog(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write a catalog of clips of people and return its path."""
    path = folder / "catalog.parquet"
    make_catalog([{"dataset": "made", "label": 0} | row for row in rows], folder).write(path)
    return path


def clips(folder: Path, count: int = 3, frames: int = 4) -> list[dict[str, Any]]:
    """Write clips of one person each; return their rows."""
    rows = []
    for number in range(count):
        person = Person(NAMES[number % 4], 5.0, 5, 150)
        path = write_frames(folder / f"{number}.mp4", [scene(SIZE, [person])] * frames)
        size = {"frames": frames, "width": SIZE[0], "height": SIZE[1]}
        rows.append({"id": f"some/{number}.mp4", "path": path.name, "quality": "raw"} | size)
    return rows


@pytest.fixture
def settings(tmp_path: Path) -> FacesSettings:
    """Return settings for a catalog of three clips."""
    return FacesSettings(
        catalog(tmp_path, clips(tmp_path)),
        tmp_path / "faces",
        sampling="spread:2",
        size=32,
        smallest=40,
        workers=1,
    )


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of all crops."""
    found = sorted((folder / "crops").rglob("*"))
    return {str(file.relative_to(folder)): file.read_bytes() for file in found if file.is_file()}


def test_the_table_names_every_asked_frame_in_the_catalogs_order(settings: FacesSettings) -> None:
    made = prepare_faces(settings)
    read = read_face_table(settings.out / "faces.parquet")
    assert read.table.equals(made.table)
    assert read.table["item"].to_list() == [f"some/{k}.mp4" for k in (0, 0, 1, 1, 2, 2)]
    assert read.table["frame"].to_list() == [1, 3] * 3
    assert set(read.table["status"]) == {"ok"}
    assert set(files(settings.out)) == set(read.table["crop"])
    assert read.settings["profile"] == "square"
    assert str(made) == f"6 rows of 3 items (6 ok) in {settings.out}"


def test_a_second_run_does_nothing_again(
    settings: FacesSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = prepare_faces(settings)
    monkeypatch.setattr("unmask.faces.prepare.prepare_clips", pytest.fail)
    assert prepare_faces(settings).table.equals(first.table)


def test_a_deleted_crop_is_made_again(settings: FacesSettings) -> None:
    prepare_faces(settings)
    before = files(settings.out)
    (settings.out / "crops/some/1.mp4/000001_0.png").unlink()
    prepare_faces(settings)
    assert files(settings.out) == before


def test_new_items_are_added_and_changed_ones_done_again(
    tmp_path: Path, settings: FacesSettings
) -> None:
    prepare_faces(settings)
    rows = clips(tmp_path / "more", count=4)
    catalog(tmp_path, [row | {"path": f"more/{row['path']}"} for row in rows])
    write_frames(tmp_path / "more/1.mp4", [np.zeros((160, 160, 3), np.uint8)] * 4)
    made = prepare_faces(settings)
    assert made.table["item"].n_unique() == 4
    assert made.table.filter(item="some/1.mp4")["status"].to_list() == ["no_face"] * 2
    assert not list((settings.out / "crops/some/1.mp4").iterdir())


def test_other_settings_replace_what_was_made(settings: FacesSettings) -> None:
    square = prepare_faces(settings)
    before = files(settings.out)
    jpeg = prepare_faces(replace(settings, crop_format="jpg", sampling="first:1"))
    assert set(files(settings.out)) == set(jpeg.table["crop"])
    assert prepare_faces(settings).table.equals(square.table)
    assert files(settings.out) == before


def test_processes_give_the_table_of_one_process(tmp_path: Path, settings: FacesSettings) -> None:
    alone = prepare_faces(settings)
    together = prepare_faces(replace(settings, out=tmp_path / "both", workers=2))
    assert together.table.equals(alone.table)
    assert files(tmp_path / "both") == files(settings.out)


def test_a_killed_run_is_continued_to_the_same_table(tmp_path: Path) -> None:
    path = catalog(tmp_path, clips(tmp_path, count=8, frames=6))
    whole = FacesSettings(path, tmp_path / "whole", sampling="all", smallest=40, workers=1)
    wanted = prepare_faces(whole)
    broken = replace(whole, out=tmp_path / "broken")
    code = (
        "from pathlib import Path; from unmask.faces.prepare import *;"
        f"prepare_faces(FacesSettings(Path({str(path)!r}), Path({str(broken.out)!r}),"
        " sampling='all', smallest=40, workers=1))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=dict(os.environ))
    deadline = time.monotonic() + 60
    while len(files(broken.out)) < 9 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (broken.out / "faces.parquet").exists()
    assert prepare_faces(broken).table.equals(wanted.table)
    assert files(broken.out) == files(whole.out)


def test_copies_in_other_qualities_get_the_boxes_of_the_original(
    tmp_path: Path, settings: FacesSettings
) -> None:
    rows = clips(tmp_path, count=1)
    blank = write_frames(tmp_path / "blank.mp4", [np.zeros((160, 160, 3), np.uint8)] * 4)
    copy = {"id": "c23/0.mp4", "path": blank.name, "quality": "c23", "parents": [rows[0]["id"]]}
    again = {"id": "c40/0.mp4", "quality": "c40", "parents": ["c23/0.mp4"]}
    catalog(tmp_path, [rows[0] | copy | again, rows[0] | copy, rows[0]])
    made = prepare_faces(settings).table
    assert made["item"].unique(maintain_order=True).to_list() == [
        "c40/0.mp4",
        "c23/0.mp4",
        rows[0]["id"],
    ]
    assert made["status"].to_list() == ["ok"] * 6
    assert made.group_by("item").agg("left", "bottom").select("left", "bottom").n_unique() == 1
    alone = prepare_faces(replace(settings, boxes_from_parents=False)).table
    assert alone["status"].to_list() == ["no_face"] * 4 + ["ok"] * 2
    assert prepare_faces(settings).table.equals(made)
    assert set(files(settings.out)) == set(made["crop"])


@pytest.mark.parametrize("change", [{"label": 1, "method": "swap"}, {"frames": 3}, {"width": 80}])
def test_what_was_made_otherwise_is_searched_itself(
    tmp_path: Path, settings: FacesSettings, change: dict[str, Any]
) -> None:
    rows = clips(tmp_path, count=1)
    blank = write_frames(tmp_path / "blank.mp4", [np.zeros((160, 160, 3), np.uint8)] * 4)
    child = {"id": "child", "path": blank.name, "quality": "c23", "parents": [rows[0]["id"]]}
    catalog(tmp_path, [rows[0], rows[0] | child | change])
    made = prepare_faces(settings).table
    assert made.filter(item="child")["status"].unique().to_list() == ["no_face"]


def test_unusable_and_unreadable_items_have_a_row_each(
    tmp_path: Path, settings: FacesSettings
) -> None:
    (tmp_path / "empty.mp4").touch()
    catalog(
        tmp_path,
        [
            *clips(tmp_path, count=1),
            {"id": "empty", "path": "empty.mp4"},
            {"id": "absent", "path": "absent.mp4"},
            {"id": "failed", "path": "x.mp4", "status": "not_forged", "reason": "no face in it"},
        ],
    )
    made = prepare_faces(settings)
    assert made.table["status"].to_list() == ["ok", "ok", *["unreadable"] * 3]
    reasons = made.table["reason"].to_list()[2:]
    assert "got the empty file" in reasons[0]
    assert "path must be an existing file" in reasons[1]
    assert reasons[2] == "not_forged: no face in it"


def test_what_could_not_be_read_is_tried_again_on_request(
    tmp_path: Path, settings: FacesSettings
) -> None:
    row = clips(tmp_path, count=1)[0] | {"path": "late.mp4", "sha256": "0" * 64}
    catalog(tmp_path, [row])
    assert prepare_faces(settings).table["status"].to_list() == ["unreadable"]
    (tmp_path / "0.mp4").rename(tmp_path / "late.mp4")
    assert prepare_faces(settings).table["status"].to_list() == ["unreadable"]
    assert prepare_faces(replace(settings, retry_failed=True)).table["status"].to_list() == [
        "ok",
        "ok",
    ]


@pytest.mark.parametrize("item", ["a//b", "a/./b", "a/b/", "./a"])
def test_an_id_that_is_no_folder_is_refused(
    tmp_path: Path, settings: FacesSettings, item: str
) -> None:
    catalog(tmp_path, [{"id": item, "path": "x.mp4"}])
    with pytest.raises(InvalidInputError, match="an id must name a folder below `crops`, got"):
        prepare_faces(settings)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"profile": "sqare"}, "the choice of profile has no 'sqare'; did you mean 'square'?"),
        ({"faces": "some"}, "the choice of faces has no 'some'"),
        ({"crop_format": "jpeg"}, "the choice of crop_format has no 'jpeg'; did you mean 'jpg'?"),
    ],
)
def test_a_misspelt_choice_is_answered_with_the_closest(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotFoundError, match=message.replace("?", r"\?")):
        FacesSettings(Path("catalog.parquet"), Path("out"), **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": -1}, "size must be 1 or more, or 0 for square and clip, got -1"),
        ({"size": 0, "profile": "aligned"}, "size must be 1 or more, or 0 for square and clip"),
        ({"smallest": 5}, "smallest must be 12 pixels or more, got 5"),
        ({"confidence": 1.0}, "confidence must lie between 0 and 1, got 1.0"),
        ({"search_every": 0}, "search_every must be 1 or more, got 0"),
        ({"sampling": "spread"}, "sampling must be all, every:N, spread:N"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        FacesSettings(Path("catalog.parquet"), Path("out"), **change)


@pytest.mark.shared
def test_every_talker_is_in_the_table(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data/talkers"
    rows = [
        {"id": path.name, "path": str(path), "dataset": "talkers"}
        for path in sorted(folder.iterdir())
        if path.stat().st_size < 500_000  # the longer clips take longer
    ]
    make_catalog(rows, tmp_path).write(tmp_path / "catalog.parquet")
    settings = FacesSettings(
        tmp_path / "catalog.parquet", tmp_path / "faces", sampling="spread:2", workers=1
    )
    made = prepare_faces(settings).table
    assert made["item"].n_unique() == len(rows)
    counts = made.group_by("item").agg((pl.col("status") == "ok").sum().alias("ok"))
    faceless = counts.filter(pl.col("ok") < 2)["item"].to_list()
    assert faceless == ["pyfeat-no_face.mp4"]
