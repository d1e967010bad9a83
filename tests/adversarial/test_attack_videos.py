"""The verb `attack`: what it writes, keeps, and says."""

import json
import logging
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
import torch

from makers.attackable import ANN, BEN, SIZE, clip_row, make_attackable, make_victim, picture
from unmask.adversarial import attack as module
from unmask.adversarial.attack import AttackSettings, attack
from unmask.adversarial.opening import open_victim
from unmask.catalog import Catalog, hash_file, read_catalog
from unmask.contracts import Image
from unmask.degrade.apply import DegradeSettings, degrade_videos
from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.attack_table import SCHEMA, read_attack_table
from unmask.faces.crop import square_region
from unmask.faces.prepare import FacesSettings, prepare_faces
from unmask.training.checkpoint import load_checkpoint
from unmask.video.picture import read_picture, read_png_mark
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter, read_mark

TIMES = (0.0, 0.04, 0.2)
PREFIX = "victim/iterative_fgsm"


@dataclass(frozen=True)
class Study:
    """A catalog that was attacked once, for the tests that only look."""

    settings: AttackSettings
    catalog: Catalog

    def row(self, parent: str) -> dict[str, Any]:
        (row,) = self.catalog.filter(id=f"{PREFIX}/{parent}").rows()
        return row

    def figures(self, parent: str) -> list[dict[str, Any]]:
        table = read_attack_table(self.settings.out / "attacks.parquet")
        return table.filter(parent=parent).to_dicts()

    def before(self, parent: str) -> list[Image]:
        (row,) = self.catalog.filter(id=parent).rows()
        return images(self.catalog, row)

    def after(self, parent: str) -> list[Image]:
        return images(self.catalog, self.row(parent))


def images(catalog: Catalog, row: dict[str, Any]) -> list[Image]:
    path = catalog.media(row["path"])
    if row["kind"] == "image":
        return [read_picture(path)]
    return [frame.image for frame in read_frames(path)]


def region(face: dict[str, Any]) -> tuple[slice, slice]:
    box = (face["left"], face["top"], face["right"], face["bottom"])
    square = square_region(box, *SIZE)
    assert square is not None
    return slice(square[1], square[3]), slice(square[0], square[2])


def run(folder: Path, catalog: Path, victim: Path, **more: Any) -> AttackSettings:
    return AttackSettings("iterative_fgsm", catalog, str(victim), folder, **({"workers": 1} | more))


def image_row(root: Path) -> dict[str, Any]:
    """Write a picture of Ann as a real item and return its row."""
    path = root / "ann.png"
    cv2.imwrite(str(path), cv2.cvtColor(picture(ANN), cv2.COLOR_RGB2BGR))
    return {
        "id": "stills/ann.png", "path": "ann.png", "kind": "image", "dataset": "made", "label": 1,
        "quality": "raw", "sha256": hash_file(path),
    }  # fmt: skip


def mask_of_ann(root: Path) -> str:
    """Write a mask of the two people's clip in which only Ann is forged."""
    mask = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    mask[20:110, 30:100] = 255
    with VideoWriter(root / "mask.mp4", 25, lossless=True) as writer:
        for moment in TIMES:
            writer.write(mask, moment)
    return "mask.mp4"


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the checkpoint of a detector that calls the people fake."""
    return make_victim(tmp_path_factory.mktemp("victim") / "victim")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, victim: Path) -> Study:
    """Attack clips of every kind."""
    root = tmp_path_factory.mktemp("study")
    both = clip_row(root, "both.mp4", ANN, BEN, times=TIMES, sound=True, mask=mask_of_ann(root))
    broken = clip_row(root, "broken.mp4", ANN)
    (root / "clips/broken.mp4").write_bytes(b"no video")
    rows = [
        both,
        clip_row(root, "blinks.mp4", BEN, faceless=(1,), label=0, family=None, method=None),
        clip_row(root, "empty.mp4", frames=2),
        broken,
        image_row(root),
        clip_row(root, "c23.mp4", ANN, quality="c23", crf=23),
    ]
    settings = run(root / "out", make_attackable(root, *rows), victim, labels="all", batch=3)
    return Study(settings, attack(settings))


def test_row_tells_how_the_attacked_item_came_to_be(study: Study, victim: Path) -> None:
    row, parent = study.row("swap/both.mp4"), study.catalog.filter(id="swap/both.mp4").rows()[0]
    told = json.loads(row["settings"])
    expected = parent | {
        "id": f"{PREFIX}/swap/both.mp4",
        "path": f"{PREFIX}/swap/both.mp4",
        "family": "adversarial",
        "method": "iterative_fgsm",
        "parents": ["swap/both.mp4"],
        "seed": 0,
        "settings": row["settings"],
        "sha256": hash_file(study.catalog.media(row["path"])),
        "frames": 3,
        "frames_per_second": row["frames_per_second"],
        "width": SIZE[0],
        "height": SIZE[1],
    }
    assert row == expected
    assert told == {
        "attack": "iterative_fgsm",
        "victim": "victim",
        "victim_sha256": open_victim(str(victim)).sha256,
        "preset": "paper",
        "options": told["options"],
        "frames": "all",
        "faces": "all",
        "faceless_frames": 0,
    }
    assert told["options"]["epsilon"] == pytest.approx(16 / 255)
    assert told["options"]["iterations"] == 100


def test_catalog_holds_what_was_there_and_what_was_made(study: Study) -> None:
    before = read_catalog(study.settings.catalog).moved(study.settings.out)
    assert study.catalog.table.head(len(before)).equals(before.table)
    assert len(study.catalog) == len(before) + 5  # the one of quality c23 was not asked for
    written = read_catalog(study.settings.out / "catalog.parquet")
    assert written.table.equals(study.catalog.table)


def test_times_sound_and_number_of_frames_are_kept(study: Study) -> None:
    path = study.catalog.media(study.row("swap/both.mp4")["path"])
    frames = list(read_frames(path))
    np.testing.assert_allclose([frame.time for frame in frames], TIMES, atol=1e-3)
    assert probe(path).has_audio
    assert read_mark(path) == "iterative_fgsm against victim"


def test_pixels_change_in_every_face_within_epsilon_and_nowhere_else(study: Study) -> None:
    faces = study.figures("swap/both.mp4")
    assert len(faces) == 6  # the mask shows one of the two as forged; both are attacked
    for number, (old, new) in enumerate(
        zip(study.before("swap/both.mp4"), study.after("swap/both.mp4"), strict=True)
    ):
        change = new.astype(int) - old
        assert 0 < np.abs(change).max() <= 16
        for face in (one for one in faces if one["frame"] == number):
            assert np.abs(change[region(face)]).max() > 0
            change[region(face)] = 0
        assert not change.any()


def test_figures_are_those_of_the_written_file(study: Study, victim: Path) -> None:
    detector, _ = load_checkpoint(victim)
    before, after = study.before("swap/both.mp4"), study.after("swap/both.mp4")
    for face in study.figures("swap/both.mp4"):
        old, new = (one[face["frame"]][region(face)] for one in (before, after))
        change = (new.astype(float) - old) / 255
        assert face["linf"] == pytest.approx(np.abs(change).max())
        assert face["l2"] == pytest.approx(np.sqrt((change**2).sum()))
        assert face["psnr"] == pytest.approx(-10 * np.log10((change**2).mean()))
        assert 0.5 < face["ssim"] < 1
        assert 0 < face["iterations"] < face["queries"]
        faces = torch.stack([torch.from_numpy(one.copy()) for one in (old, new)])
        scores = detector.scores(faces.permute(0, 3, 1, 2)[:, None] / 255).tolist()
        assert [face["score_before"], face["score_after"]] == pytest.approx(scores, abs=1e-5)


def test_fakes_pass_as_real_and_are_found_again(study: Study, victim: Path) -> None:
    detector, _ = load_checkpoint(victim)
    faces = study.figures("swap/both.mp4")
    assert all(face["score_before"] > 0.5 > face["score_after"] for face in faces)
    assert all(face["found"] for face in faces)
    found = pl.read_parquet(study.settings.out / f"found/{PREFIX}/faces.parquet")
    again = found.filter(item=f"{PREFIX}/swap/both.mp4").sort("frame", "left").to_dicts()
    picture = study.after("swap/both.mp4")
    for face, other in zip(
        sorted(faces, key=lambda one: (one["frame"], one["left"])), again, strict=True
    ):
        crop = torch.from_numpy(picture[other["frame"]][region(other)].copy())
        score = detector.scores(crop.permute(2, 0, 1)[None, None] / 255).item()
        assert face["score_found"] == pytest.approx(score, abs=1e-5)


def test_a_frame_without_a_face_is_copied_and_counted(study: Study) -> None:
    before, after = study.before("swap/blinks.mp4"), study.after("swap/blinks.mp4")
    np.testing.assert_array_equal(before[1], after[1])
    rows = study.figures("swap/blinks.mp4")
    assert [row["status"] for row in rows] == ["ok", "no_face", "ok"]
    assert rows[1]["found"] is None
    assert json.loads(study.row("swap/blinks.mp4")["settings"])["faceless_frames"] == 1


def test_a_real_item_stays_real_and_what_is_fooled_already_is_left_alone(study: Study) -> None:
    row = study.row("swap/blinks.mp4")
    assert (row["label"], row["family"]) == (0, "adversarial")
    assert read_mark(study.catalog.media(row["path"])) is not None
    ok = [one for one in study.figures("swap/blinks.mp4") if one["status"] == "ok"]
    assert all(one["score_before"] > 0.9 for one in ok)  # the victim errs without any help
    still = [one for one in ok if one["iterations"] == 0]
    assert all((one["linf"], one["psnr"]) == (0, None) for one in still)
    assert all(one["score_after"] >= one["score_before"] for one in ok)


def test_items_without_a_face_or_that_cannot_be_read_get_a_row_with_the_reason(
    study: Study,
) -> None:
    empty, broken = study.row("swap/empty.mp4"), study.row("swap/broken.mp4")
    assert empty["status"] == "no_face"
    assert empty["reason"] == "none of the 2 chosen frames shows a face; choose others, or all"
    assert broken["status"] == "unreadable"
    assert "can read, got" in broken["reason"]
    for row in (empty, broken):
        assert row["sha256"] is None
        assert not study.catalog.media(row["path"]).exists()
    assert [one["status"] for one in study.figures("swap/empty.mp4")] == ["no_face"] * 2
    assert [one["status"] for one in study.figures("swap/broken.mp4")] == ["unreadable"]


def test_an_image_is_attacked_as_one_frame_and_written_as_png(study: Study) -> None:
    row = study.row("stills/ann.png")
    assert (row["path"], row["kind"]) == (f"{PREFIX}/stills/ann.png", "image")
    assert read_png_mark(study.catalog.media(row["path"])) == "iterative_fgsm against victim"
    (face,) = study.figures("stills/ann.png")
    assert face["score_after"] < 0.5 < face["score_before"]
    (old,), (new,) = study.before("stills/ann.png"), study.after("stills/ann.png")
    change = np.abs(new.astype(int) - old)
    assert change.max() == round(face["linf"] * 255)
    change[region(face)] = 0
    assert not change.any()


def test_a_second_run_does_nothing_and_gives_the_same(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = read_attack_table(study.settings.out / "attacks.parquet")

    def is_never_called(*words: object) -> Any:
        raise AssertionError

    monkeypatch.setattr(module, "attack_clip", is_never_called)
    assert attack(study.settings).table.equals(study.catalog.table)
    assert read_attack_table(study.settings.out / "attacks.parquet").equals(table)


def test_copies_in_other_codecs_are_made_and_their_faces_found_anew(
    study: Study, tmp_path: Path
) -> None:
    attacked = study.catalog.filter(family="adversarial", status="ok", kind="video")
    attacked.write(study.settings.out / "attacked.parquet")
    ladder = degrade_videos(
        DegradeSettings(
            study.settings.out / "attacked.parquet", tmp_path, ("mjpeg", "c30"), workers=1
        )
    )
    copies = ladder.filter(quality=["mjpeg-3", "c30"])
    assert sorted(copies.table["id"]) == sorted(
        f"{quality}/{item}" for quality in ("mjpeg-3", "c30") for item in attacked.table["id"]
    )
    assert set(copies.table["family"]) == {"adversarial"}
    found = prepare_faces(
        FacesSettings(
            tmp_path / "catalog.parquet",
            tmp_path / "faces",
            size=0,
            sampling="all",
            boxes_from_parents=False,
            workers=1,
        )
    ).table
    assert set(found["item"]) == set(ladder.table["id"])
    boxes = found.filter(pl.col("frame") == 0).select("item", "left", "right")
    told = {item: (left, right) for item, left, right in boxes.iter_rows()}
    lossless = f"{PREFIX}/swap/blinks.mp4"
    assert told[f"c30/{lossless}"] != told[lossless]  # found in the copy, not taken over


def test_attacks_add_up_in_one_folder_and_none_is_dropped(
    study: Study, victim: Path, tmp_path: Path
) -> None:
    row = clip_row(tmp_path, "ann.mp4", ANN, frames=2)
    path = make_attackable(tmp_path, row)
    first = run(tmp_path / "out", path, victim)
    attack(first)
    second = replace(first, method="fgsm", name="one-step", catalog=first.out / "catalog.parquet")
    both = attack(second)
    assert both.table["id"].to_list() == [
        "swap/ann.mp4",
        f"{PREFIX}/swap/ann.mp4",
        "victim/one-step/swap/ann.mp4",
    ]
    table = read_attack_table(first.out / "attacks.parquet")
    assert table["item"].unique(maintain_order=True).to_list() == both.table["id"].to_list()[1:]
    assert table.columns == list(SCHEMA)
    with pytest.raises(
        InvalidInputError, match=r"must not hold items that its new catalog\.parquet would not"
    ):
        attack(replace(second, catalog=path, name="another"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"method": "fgsm"}, "attack fgsm for"),
        ({"options": ("epsilon=1/255",)}, r"epsilon 0\.0039\d+ for .*, which was made with 0\.06"),
        ({"frames": "first:1"}, "frames first:1 for .*, which was made with all"),
        ({"faces": "main"}, "faces main for"),
        ({"seed": 1}, "seed 1 for .*, which was made with 0"),
    ],
)
def test_an_attack_is_not_replaced_by_one_that_is_made_otherwise(
    study: Study, changes: dict[str, Any], told: str
) -> None:
    files = {path: path.stat().st_mtime_ns for path in study.settings.out.rglob("*.mp4")}
    other = replace(study.settings, name="iterative_fgsm", **changes)
    for catalog in (study.settings.catalog, study.settings.out / "catalog.parquet"):
        with pytest.raises(
            InvalidInputError,
            match=rf"must be made as before, got {told}.*; give this attack a --",
        ):
            attack(replace(other, catalog=catalog))
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_an_attack_is_not_replaced_by_one_on_another_victim_of_the_same_name(
    study: Study, tmp_path: Path
) -> None:
    other = make_victim(tmp_path / "victim", seed=1)
    with pytest.raises(InvalidInputError, match="must be made as before, got victim_sha256"):
        attack(replace(study.settings, victim=str(other)))


def test_an_attack_in_another_catalog_is_not_replaced_either(study: Study, tmp_path: Path) -> None:
    catalog = study.settings.out / "catalog.parquet"
    with pytest.raises(InvalidInputError, match="must be made as before, got seed 1"):
        attack(replace(study.settings, catalog=catalog, out=tmp_path / "elsewhere", seed=1))


def test_a_folder_with_a_catalog_of_other_items_is_refused(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "catalog.parquet"
    Catalog(
        study.catalog.filter(id="swap/c23.mp4").table.with_columns(id=pl.lit("mine")), tmp_path
    ).write(path)
    before = path.read_bytes()
    with pytest.raises(
        InvalidInputError,
        match=r"must not hold items that its new .*, got 1 such as 'mine' in .* to add to it",
    ):
        attack(replace(study.settings, out=tmp_path))
    assert path.read_bytes() == before


def test_another_setting_without_a_catalog_of_before_makes_the_file_anew_each_time(
    victim: Path, tmp_path: Path
) -> None:
    path = make_attackable(tmp_path, clip_row(tmp_path, "ann.mp4", ANN, frames=2))
    wide = run(tmp_path / "out", path, victim, options=("lead=0.999999",), frames="first:1")
    narrow = replace(wide, options=("epsilon=1/255",))
    hashes = []
    for settings in (wide, narrow, wide):
        (row,) = attack(settings).filter(family="adversarial").rows()
        (settings.out / "catalog.parquet").unlink()
        assert hash_file(settings.out / row["path"]) == row["sha256"]
        hashes.append(row["sha256"])
        table = read_attack_table(settings.out / "attacks.parquet")
        assert table["frame"].to_list() == [0]
        assert (table["linf"][0] <= 1.001 / 255) == (settings is narrow)
    assert hashes[0] == hashes[2] != hashes[1]
    rows = [frame.image for frame in read_frames(wide.out / row["path"])]
    np.testing.assert_array_equal(rows[1], picture(ANN, shift=2))  # it was not asked for


def test_main_faces_are_those_that_the_mask_chooses(victim: Path, tmp_path: Path) -> None:
    row = clip_row(tmp_path, "both.mp4", ANN, BEN, frames=3, mask=mask_of_ann(tmp_path))
    settings = run(
        tmp_path / "out", make_attackable(tmp_path, row), victim, faces="main", frames="first:1"
    )
    attack(settings)
    (face,) = read_attack_table(settings.out / "attacks.parquet").to_dicts()
    assert face["right"] < SIZE[0] / 2  # Ann's half of the picture
    assert face["found"]


def test_an_item_that_cannot_be_written_fails_and_the_others_are_made(
    victim: Path, tmp_path: Path
) -> None:
    rows = [clip_row(tmp_path, f"{name}.mp4", ANN, frames=1) for name in ("taken", "free")]
    settings = run(tmp_path / "out", make_attackable(tmp_path, *rows), victim)
    place = settings.out / PREFIX / "swap/taken.mp4"
    place.mkdir(parents=True)
    taken, free = attack(settings).filter(family="adversarial").rows()
    assert (taken["status"], free["status"]) == ("failed", "ok")
    assert "Is a directory" in taken["reason"]
    place.rmdir()
    assert attack(settings).filter(status="failed").table.height == 1
    assert len(attack(replace(settings, retry_failed=True)).usable()) == 4


def test_an_id_that_another_item_has_is_refused(victim: Path, tmp_path: Path) -> None:
    row = clip_row(tmp_path, "a.mp4", ANN, frames=1)
    path = make_attackable(tmp_path, row, row | {"id": f"{PREFIX}/swap/a.mp4", "quality": "c23"})
    with pytest.raises(
        InvalidInputError, match=r"id of an attacked item must be free, got 'victim"
    ):
        attack(run(tmp_path / "out", path, victim))


PROGRAM = """
import sys
from pathlib import Path
from unmask.adversarial.attack import AttackSettings, attack

if __name__ == "__main__":
    catalog, victim, out = sys.argv[1:]
    attack(AttackSettings("iterative_fgsm", Path(catalog), victim, Path(out), workers=1, batch=1))
"""


@pytest.fixture
def killed(tmp_path: Path, victim: Path) -> AttackSettings:
    """Kill an attack once it has written its first file."""
    rows = [clip_row(tmp_path, f"{number}.mp4", ANN, frames=2 + 5 * number) for number in range(3)]
    settings = run(tmp_path / "out", make_attackable(tmp_path, *rows), victim, batch=1)
    words = [str(settings.catalog), str(victim), str(settings.out)]
    journal = settings.out / "attack.jsonl"
    with subprocess.Popen([sys.executable, "-c", PROGRAM, *words]) as process:
        while not (journal.is_file() and journal.read_bytes()):
            assert process.poll() is None, "the run must not end before it is killed"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    return settings


def test_killed_and_continued_it_ends_with_the_rows_of_an_unbroken_run(
    killed: AttackSettings, tmp_path: Path
) -> None:
    done = len((killed.out / "attack.jsonl").read_text().splitlines())
    assert done < 3
    assert not (killed.out / "catalog.parquet").exists()
    whole = replace(killed, out=tmp_path / "whole")
    assert attack(killed).table.equals(attack(whole).table)
    first, second = (read_attack_table(one.out / "attacks.parquet") for one in (killed, whole))
    assert first.equals(second)
    assert not list(killed.out.rglob("*.part"))


def test_progress_tells_the_queries_a_second(
    tmp_path: Path,
    victim: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("unmask.execution.progress.SECONDS_BETWEEN_LINES", 0.0)
    path = make_attackable(tmp_path, clip_row(tmp_path, "ann.mp4", ANN, frames=1))
    with caplog.at_level(logging.INFO, logger="unmask"):
        attack(run(tmp_path / "out", path, victim))
    (line,) = [one for one in caplog.messages if one.startswith("iterative_fgsm against victim")]
    assert line.endswith("queries a second")


def test_items_that_are_an_attacks_work_are_left_out(study: Study) -> None:
    attacked = study.catalog.filter(family="adversarial")
    attacked.write(study.settings.out / "only.parquet")
    settings = replace(study.settings, catalog=study.settings.out / "only.parquet")
    with pytest.raises(
        InvalidInputError, match=r"of label all, quality raw and split any .* got none of that"
    ):
        attack(settings)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quality": "c40"}, r"quality c40 and split any .* got c23 test, raw \?, raw test"),
        ({"split": "train"}, r"quality raw and split train .* set quality and split"),
    ],
)
def test_a_choice_that_leaves_nothing_is_refused(
    study: Study, changes: dict[str, str], told: str
) -> None:
    with pytest.raises(InvalidInputError, match=told):
        attack(replace(study.settings, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"labels": "fakes"}, "the choice of labels has no 'fakes'; did you mean 'fake'?"),
        ({"faces": "every"}, "the choice of faces has no 'every'"),
        ({"batch": 0}, "batch must be 1 or more, got 0"),
        ({"name": "../up"}, "name must be a folder's name .* got '../up'"),
        ({"frames": "some"}, "sampling must be all, every:N"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises((InvalidInputError, NotFoundError), match=told.replace("?", r"\?")):
        run(Path("out"), Path("catalog.parquet"), Path("victim"), **changes)


def test_two_parents_of_one_file_are_refused(victim: Path, tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, "a.mp4", ANN, frames=1, id=name) for name in ("a", "a.mp4")]
    settings = run(tmp_path / "out", make_attackable(tmp_path, *rows), victim)
    with pytest.raises(InvalidInputError, match=r"must have a file of its own, got .*/a.mp4 for"):
        attack(settings)
