"""The verb that builds the defence data set: its parts, its faces, and what survives a kill."""

import json
import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from makers.forged_tree import METHODS, make, write_victim
from makers.people import Person, scene, write_frames
from unmask.adversarial import defense_dataset, defense_faces
from unmask.adversarial.attack import AttackSettings
from unmask.adversarial.defense_dataset import DefenseDatasetSettings, build_defense_dataset
from unmask.adversarial.defense_faces import Task, make_faces
from unmask.attack_contracts import Attack, Victim
from unmask.catalog import Catalog, hash_file, make_catalog, read_catalog
from unmask.cli.build import app
from unmask.datasets.defense_names import PARTS, says_attacked
from unmask.datasets.doctor import examine
from unmask.datasets.index import IndexSettings, index
from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.attack_table import make_attack_table, read_attack_table, write_attack_table
from unmask.faces.prepare import FacesSettings, prepare_faces
from unmask.video.picture import read_picture, read_png_mark
from unmask.video.read import read_frame

NAMES = [part.name for part in PARTS]
TABLES = ("catalog.parquet", "attacks.parquet")
QUICK = {"white_options": ("iterations=3",), "black_options": ("iterations=2", "pairs=2")}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tree of forged videos and two victims."""
    folder = tmp_path_factory.mktemp("defense")
    make(folder / "tree", faceless=["FaceSwap/002_006"])
    write_victim(folder / "meso", seed=1)
    write_victim(folder / "other", seed=2, detector="mesoinception4")
    return folder


def settings(place: Path, out: Path, **changes: Any) -> DefenseDatasetSettings:
    given: dict[str, Any] = {
        "source": place / "tree",
        "xception": str(place / "other"),
        "mesonet": str(place / "meso"),
        "every": 2,
        "together": 8,
        "workers": 1,
        **QUICK,
    }
    return DefenseDatasetSettings(**(given | {"out": out} | changes))


@pytest.fixture(scope="module")
def built(place: Path) -> Catalog:
    """Return the catalog of the whole data set, made once."""
    return build_defense_dataset(settings(place, place / "built"))


def images(catalog: Catalog) -> list[dict[str, Any]]:
    return catalog.filter(kind="image").rows()


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file but the journals, whose lines stand in the order of the work."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(files)}


def test_five_parts_have_a_face_of_every_second_frame_of_the_first_ids(built: Catalog) -> None:
    # 4 methods, of the targets 001 and 002, at frames 0, 2 and 4; one of the videos shows nobody.
    usable = Counter(row["original_label"] for row in images(built) if row["status"] == "ok")
    assert usable == dict.fromkeys(NAMES, 21)
    assert {row["status"] for row in images(built)} == {"ok", "no_face"}
    faceless = [row for row in images(built) if row["status"] == "no_face"]
    assert {row["person"] for row in faceless} == {"002"}
    assert len(faceless) == 15
    assert {row["reason"] for row in faceless} == {"the frame shows no face"}
    for part in NAMES:
        there = {path.name for path in (built.root / part).iterdir()}
        assert there == set(METHODS)
    built.check_media()


def test_rows_tell_what_was_attacked_how_and_from_what(built: Catalog) -> None:
    rows = {row["id"]: row for row in built.rows()}
    video = rows["manipulated_sequences/Face2Face/raw/videos/001_870.mp4"]
    clean = rows["original-dfvideos-faces/Face2Face/001_870_000002.png"]
    attacked = rows["b-adv-dfvideos-MesoNet-faces/Face2Face/b_001_870_000002.png"]
    assert clean["parents"] == [video["id"]]
    assert attacked["parents"] == [clean["id"]]
    assert (clean["family"], clean["method"]) == ("expression", "Face2Face")
    assert (attacked["family"], attacked["method"]) == ("adversarial", "nes")
    for row in (clean, attacked):
        shared = ("dataset", "label", "person", "source_person", "split", "quality", "licence")
        assert {name: row[name] for name in shared} == {name: video[name] for name in shared}
        assert row["sha256"] == hash_file(built.media(row["path"]))
        assert (row["kind"], row["frames"]) == ("image", 1)
    told = json.loads(attacked["settings"])
    assert (told["attack"], told["victim"], told["forgery"]) == ("nes", "meso", "Face2Face")
    assert (told["frame"], told["every"], told["start"]) == (2, 2, 0)
    assert (told["options"]["iterations"], told["options"]["epsilon"]) == (2, 16 / 255)
    assert read_catalog(built.root / "catalog.parquet").table.equals(built.table)


def test_clean_faces_are_those_of_unmask_faces(built: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "videos.parquet"
    videos = built.filter(kind="video").moved(tmp_path)
    videos.write(path)
    table = prepare_faces(
        FacesSettings(path, tmp_path / "faces", sampling="every:2", size=0, workers=1)
    )
    crops = {
        (item, frame): read_picture(table.crop(crop))
        for item, frame, crop in table.usable().table.select("item", "frame", "crop").iter_rows()
    }
    rows = built.filter(original_label=NAMES[0], status="ok").rows()
    assert len(rows) == len(crops)
    for row in rows:
        crop = crops[row["parents"][0], json.loads(row["settings"])["frame"]]
        np.testing.assert_array_equal(read_picture(built.media(row["path"])), crop)


def test_attacked_faces_stay_within_epsilon_of_their_frames(built: Catalog) -> None:
    videos = {row["id"]: built.media(row["path"]) for row in built.filter(kind="video").rows()}
    parents = {row["id"]: row["parents"][0] for row in images(built)}
    attacked = built.filter(family="adversarial", status="ok").rows()
    for row in attacked[::7]:
        told = json.loads(row["settings"])
        frame = read_frame(videos[parents[row["parents"][0]]], told["frame"]).image
        left, top, right, bottom = told["region"]
        change = read_picture(built.media(row["path"])).astype(int) - frame[top:bottom, left:right]
        assert 0 < np.abs(change).max() <= 16


def test_attack_table_has_a_row_for_each_attacked_image(built: Catalog) -> None:
    table = read_attack_table(built.root / "attacks.parquet")
    items = built.filter(family="adversarial").table
    assert sorted(table["item"]) == sorted(items["id"])
    usable = table.filter(status="ok")
    assert usable["found"].all()
    assert usable.select(pl.col("score_found").is_between(0, 1)).to_series().all()
    assert (usable["linf"] <= 16 / 255).all()
    white = usable.filter(pl.col("item").str.starts_with("w-"))
    assert (white["score_after"] < white["score_before"]).all()
    assert table.filter(status="no_face")["queries"].null_count() == 12
    parents = dict(items.select("id", pl.col("parents").list.first()).iter_rows())
    assert dict(table.select("item", "parent").iter_rows()) == parents


def test_attack_runs_so_that_equal_seeds_give_equal_faces(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[bool] = []

    class Notes(Attack):
        def perturb(self, victim: Victim, faces: Tensor, random: torch.Generator) -> Tensor:
            noted.append(torch.are_deterministic_algorithms_enabled())
            return faces

    monkeypatch.setattr(defense_faces, "create_attack", lambda *told: (Notes(), {}))
    few: dict[str, Any] = {"videos": 1, "every": 9, "xception": "", "methods": ("Deepfakes",)}
    build_defense_dataset(settings(place, tmp_path, device="cpu", **few))
    assert noted == [True, True]
    assert not torch.are_deterministic_algorithms_enabled()


def test_device_is_by_default_the_fastest_that_is_there() -> None:
    given = DefenseDatasetSettings(Path("tree"), mesonet="meso")
    assert given.device == AttackSettings("fgsm", Path("catalog"), victim="meso").device == "auto"


def test_another_mask_under_the_same_name_has_other_faces(place: Path, tmp_path: Path) -> None:
    """Both people are there; the mask says which of them is forged."""
    frame = scene((288, 144), [Person("P001", 4, 4, 132), Person("P002", 148, 4, 132)])
    write_frames(tmp_path / "both.mp4", [frame])
    row = {"id": "both.mp4", "path": "both.mp4", "dataset": "mine", "label": 1, "method": "swap"}
    made = make_catalog([row | {"family": "swap", "mask": "mask.mp4"}], tmp_path)
    made.write(tmp_path / "catalog.parquet")
    lefts = []
    for forged in (slice(0, 144), slice(144, 288)):
        mask = np.zeros_like(frame)
        mask[:, forged] = 255
        write_frames(tmp_path / "mask.mp4", [mask])
        catalog = build_defense_dataset(
            settings(place, tmp_path / "out", source=tmp_path / "catalog.parquet", xception="")
        )
        clean = catalog.filter(family="swap", kind="image").rows()
        lefts.append(json.loads(clean[0]["settings"])["region"][0])
    assert lefts[0] < 100 < lefts[1]


def test_names_and_marks_say_what_is_attacked(built: Catalog) -> None:
    for row in images(built):
        if row["status"] == "ok":
            path = built.media(row["path"])
            assert says_attacked(path.name) == (row["family"] == "adversarial")
            mark = read_png_mark(path)
            assert mark is not None
            assert mark.endswith("from the data set faceforensics")
            assert mark.startswith(row["method"])


def test_reader_finds_what_was_built(built: Catalog, tmp_path: Path) -> None:
    read = index(IndexSettings("defensedataset", built.root, tmp_path, workers=1))
    same = ["id", "kind", "label", "original_label", "family", "method", "person",
            "source_person", "quality", "sha256", "frames", "width", "height"]  # fmt: skip
    usable = built.filter(kind="image").usable()
    assert read.table.select(same).sort("id").equals(usable.table.select(same).sort("id"))
    parents = dict(usable.filter(family="adversarial").table.select("id", "parents").iter_rows())
    found = read.filter(family="adversarial").table.select("id", "parents")
    assert dict(found.iter_rows()) == parents
    levels = {finding.what: finding.level for finding in examine("defensedataset", built.root)}
    assert levels["w-adv-dfvideos-MesoNet-faces: 21 images"] == "present"
    assert [what for what, level in levels.items() if level == "suspicious"] == []


def test_a_kill_in_the_middle_loses_nothing(
    built: Catalog, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def killed_at_the_sixth(task: Task) -> list[dict[str, Any]]:
        if len(done) == 5:
            raise KeyboardInterrupt
        return counted(task)

    def counted(task: Task) -> list[dict[str, Any]]:
        done.append(task.key)
        return make_faces(task)

    chosen = settings(place, tmp_path / "out")
    monkeypatch.setattr(defense_dataset, "make_faces", killed_at_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        build_defense_dataset(chosen)
    assert not (chosen.out / "catalog.parquet").exists()
    monkeypatch.setattr(defense_dataset, "make_faces", counted)
    again = build_defense_dataset(chosen)
    assert len(done) == len(set(done)) > 6
    assert again.table.drop("path", "mask").equals(built.table.drop("path", "mask"))
    assert {name: content for name, content in contents(chosen.out).items() if ".png" in name} == {
        name: content for name, content in contents(built.root).items() if ".png" in name
    }


def test_second_run_works_on_lost_and_changed_images_only(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings(
        place, tmp_path, methods=("Deepfakes",), videos=1, every=4, xception="", together=1
    )
    first = build_defense_dataset(chosen)
    before = contents(tmp_path)
    lost, changed = (first.media(row["path"]) for row in images(first)[1:4:2])
    lost.unlink()
    changed.write_bytes(b"other")
    worked: list[str] = []

    def counted(task: Task) -> list[dict[str, Any]]:
        worked.append(task.way.part.name)
        return make_faces(task)

    monkeypatch.setattr(defense_dataset, "make_faces", counted)
    build_defense_dataset(chosen)
    assert worked == [NAMES[0], NAMES[3]]
    assert contents(tmp_path) == before
    build_defense_dataset(chosen)
    assert len(worked) == 2


def test_second_run_does_nothing_where_a_catalog_tells_no_hashes(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = a_catalog(tmp_path, ["ann.mp4"])
    chosen = settings(place, tmp_path / "out", source=source, xception="")
    first = build_defense_dataset(chosen)

    def is_never_called(task: Task) -> Any:
        raise AssertionError

    monkeypatch.setattr(defense_dataset, "make_faces", is_never_called)
    assert build_defense_dataset(chosen).table.equals(first.table)


def test_workers_give_the_same_files(built: Catalog, place: Path, tmp_path: Path) -> None:
    few = {"methods": ("Deepfakes", "FaceSwap"), "videos": 1, "every": 4, "xception": ""}
    one, two = settings(place, tmp_path / "1", **few), settings(place, tmp_path / "2", **few)
    build_defense_dataset(one)
    build_defense_dataset(replace(two, workers=2))
    pictures = [
        {name: data for name, data in contents(chosen.out).items() if ".png" in name}
        for chosen in (one, two)
    ]
    assert len(pictures[0]) == 3 * 2 * 2
    assert pictures[0] == pictures[1]


def test_listing_begins_at_000_and_ids_at_001(place: Path, tmp_path: Path) -> None:
    few: dict[str, Any] = {"videos": 1, "every": 9, "xception": "", "methods": ("Deepfakes",)}
    by_ids = build_defense_dataset(settings(place, tmp_path / "ids", **few))
    listed = build_defense_dataset(
        settings(place, tmp_path / "listing", numbering="listing", start=1, **few)
    )
    assert {row["person"] for row in by_ids.rows()} == {"001"}
    assert {row["person"] for row in listed.rows()} == {"000"}
    assert {json.loads(row["settings"])["frame"] for row in images(listed)} == {1}
    assert {json.loads(row["settings"])["numbering"] for row in images(listed)} == {"listing"}


def a_catalog(folder: Path, ids: list[str], **columns: Any) -> Path:
    """Write a catalog of one-frame forgeries."""
    frame = scene((144, 144), [Person("P001", 4.0, 4, 132)])
    rows = []
    for item in ids:
        write_frames(folder / item, [frame])
        row = {"id": item, "path": item, "dataset": "mine", "label": 1, "method": "swap"}
        rows.append(row | {"family": "swap", "person": item[:3]} | columns)
    make_catalog(rows, folder).write(folder / "catalog.parquet")
    return folder / "catalog.parquet"


def test_any_catalog_will_do_and_names_that_mislead_are_changed(
    place: Path, tmp_path: Path
) -> None:
    ids = ["new_001.mp4", "b/crab.mp4", "c/crab.mp4"]
    catalog = build_defense_dataset(
        settings(place, tmp_path / "out", source=a_catalog(tmp_path, ids), xception="")
    )
    rows = [row for row in images(catalog) if row["status"] == "ok"]
    assert len(rows) == 9
    assert len({row["path"] for row in rows}) == 9
    for row in rows:
        assert says_attacked(Path(row["path"]).name) == (row["family"] == "adversarial")
    clean = sorted(Path(row["path"]).name for row in rows if row["family"] == "swap")
    assert clean[2] == "new-001_000000.png"
    assert clean[0].startswith("crab-")
    assert {row["dataset"] for row in rows} == {"mine"}


def test_a_video_that_cannot_be_read_is_told_and_the_rest_goes_on(
    place: Path, tmp_path: Path
) -> None:
    source = a_catalog(tmp_path, ["ann.mp4", "bob.mp4"])
    (tmp_path / "bob.mp4").write_bytes(b"\0" * 100)
    catalog = build_defense_dataset(settings(place, tmp_path / "out", source=source, xception=""))
    status = {(row["person"], row["status"]) for row in images(catalog)}
    assert status == {("ann", "ok"), ("bob", "unreadable")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"xception": "", "mesonet": ""}, "xception or mesonet must be given, got neither"),
        ({"videos": 0}, "videos must be 1 or more, got 0"),
        ({"start": -1}, "start must be 0 or more, got -1"),
        ({"quality": "c40"}, "must hold usable forged videos of the quality c40, got 16 of raw"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    changes: dict[str, Any], message: str, place: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        build_defense_dataset(settings(place, tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"numbering": "id"}, "the choice of numbering has no 'id'; did you mean 'ids'"),
        ({"methods": ("Deepfake",)}, "the source has no 'Deepfake'; did you mean 'Deepfakes'"),
        ({"black": "ness"}, "unmask.attacks has no 'ness'; did you mean 'nes'"),
    ],
)
def test_names_that_are_misspelt_are_answered(
    changes: dict[str, Any], message: str, place: Path, tmp_path: Path
) -> None:
    with pytest.raises(NotFoundError, match=message):
        build_defense_dataset(settings(place, tmp_path, **changes))


def test_another_network_than_the_part_says_is_warned_of(
    place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few: dict[str, Any] = {"videos": 1, "every": 9, "mesonet": "", "methods": ("Deepfakes",)}
    with caplog.at_level(logging.WARNING):
        build_defense_dataset(settings(place, tmp_path, **few))
    assert "the parts of XceptionNet get a victim that is mesoinception4" in caplog.text


def test_images_of_an_earlier_build_are_told(
    place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    few: dict[str, Any] = {"videos": 1, "xception": "", "methods": ("Deepfakes",)}
    build_defense_dataset(settings(place, tmp_path, every=2, **few))
    for name in TABLES:
        (tmp_path / name).unlink()
    with caplog.at_level(logging.WARNING):
        build_defense_dataset(settings(place, tmp_path, every=4, **few))
    assert "3 images are of an earlier build and in no catalog" in caplog.text


def test_a_build_goes_on_with_another_victim_and_more_videos_but_loses_none(
    place: Path, tmp_path: Path
) -> None:
    few: dict[str, Any] = {"videos": 1, "every": 4, "xception": "", "methods": ("Deepfakes",)}
    small = settings(place, tmp_path, **few)
    first = build_defense_dataset(small)
    whole = replace(small, videos=2, xception=str(place / "other"))
    both = build_defense_dataset(whole)
    assert set(first.table["id"]) < set(both.table["id"])
    before = [contents(tmp_path / part) for part in NAMES]
    lost = r"8 such as '.*-XceptionNet-.*' in .*; ask for all victims, videos and frames that it"
    with pytest.raises(InvalidInputError, match=rf"out must not hold items .*, got {lost}"):
        build_defense_dataset(replace(whole, xception=""))
    for changes in ({"videos": 1}, {"start": 1}, {"every": 9}, {"methods": ("FaceSwap",)}):
        with pytest.raises(InvalidInputError, match="out must not hold items that its new catalog"):
            build_defense_dataset(replace(whole, **changes))
    assert [contents(tmp_path / part) for part in NAMES] == before
    assert read_catalog(tmp_path / "catalog.parquet").table.equals(both.table)


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_something_else_are_not_written_over(
    place: Path, tmp_path: Path, name: str
) -> None:
    source, out = a_catalog(tmp_path, ["ann.mp4"]), tmp_path / "out"
    make_catalog([{"id": "mine", "path": "mine.mp4", "dataset": "mine"}], out).write(
        out / TABLES[0]
    )
    write_attack_table(make_attack_table([{"item": "mine", "status": "ok"}]), out / TABLES[1])
    (out / next(one for one in TABLES if one != name)).unlink()
    before = contents(out)
    with pytest.raises(
        InvalidInputError, match=rf"new {name} would not name, got 1 such as 'mine'"
    ):
        build_defense_dataset(settings(place, out, source=source, xception=""))
    assert contents(out) == before


def test_the_catalog_that_is_read_is_not_written_over(place: Path, tmp_path: Path) -> None:
    source = a_catalog(tmp_path, ["ann.mp4"])
    before = contents(tmp_path)
    with pytest.raises(InvalidInputError, match="source must be another catalog than the one that"):
        build_defense_dataset(settings(place, tmp_path / "sub/..", source=source, xception=""))
    assert contents(tmp_path) == before


def test_command_line_names_the_group_and_the_verb(place: Path, tmp_path: Path) -> None:
    given = [
        "defense-dataset",
        str(place / "tree"),
        "--out",
        str(tmp_path),
        "--methods",
        "FaceSwap",
    ]
    victim = ["--mesonet", str(place / "meso"), "--black-options", "iterations=1,pairs=1"]
    told = CliRunner().invoke(app, [*given, *victim, "--videos", "1", "--workers", "1"])
    assert told.output.endswith(f"4 items (4 ok) in {tmp_path}\n")
