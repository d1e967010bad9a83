"""The verb `forge`: what it writes, keeps, and says."""

import json
import logging
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from makers import forgeable
from makers.clips import write_clip
from makers.drawn_face import landmarks, pose
from makers.forgeable import clip_row
from unmask.catalog import Catalog, hash_file, read_catalog
from unmask.contracts import Image
from unmask.errors import InvalidInputError, MissingDependencyError, NotFoundError
from unmask.faces import landmarks as landmark_module
from unmask.faces.landmarks import write_landmarks
from unmask.generators.forge import ForgeSettings, forge
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import read_mark

METHODS = pytest.mark.parametrize("method", ["landmark_swap", "self_blend"])


def settings(catalog: Path, out: Path, method: str = "landmark_swap", **more: Any) -> ForgeSettings:
    return ForgeSettings(catalog, out, method, **({"workers": 1} | more))


def fakes(catalog: Catalog) -> list[dict[str, Any]]:
    return [row for row in catalog.rows() if row["label"] == 1]


def images(catalog: Catalog, path: str) -> list[Image]:
    return [frame.image for frame in read_frames(catalog.media(path))]


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file but the journals, whose lines stand in the order of the work."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".jsonl"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(files)}


@METHODS
def test_row_tells_how_the_forgery_came_to_be(method: str, tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, one, split="train", action="nod") for one in ("ann", "bob")]
    rows[1]["licence"] = "theirs"
    catalog = forge(settings(forgeable.make(tmp_path, *rows), tmp_path / "out", method, seed=5))
    first, second = fakes(catalog)
    is_swap = method == "landmark_swap"
    name = "ann-a_bob-a" if is_swap else "ann-a"
    assert first | {"sha256": None, "settings": None} == {
        "id": f"{method}/{name}.mp4",
        "path": f"{method}/{name}.mp4",
        "kind": "video",
        "dataset": "drawn",
        "label": 1,
        "original_label": None,
        "family": "swap" if is_swap else "blend",
        "method": method,
        "action": "nod",
        "person": "ann",
        "source_person": "bob" if is_swap else None,
        "parents": ["ann/a.mp4", "bob/a.mp4"] if is_swap else ["ann/a.mp4"],
        "split": "train",
        "quality": None,
        "crf": None,
        "seed": 5,
        "settings": None,
        "licence": "ours + theirs" if is_swap else "ours",
        "sha256": None,
        "mask": f"{method}/masks/{name}.mp4",
        "landmarks": "../known/ann-a.npz",
        "frames": 4,
        "frames_per_second": 25.0,
        "width": 96,
        "height": 96,
        "status": "ok",
        "reason": None,
    }
    assert first["sha256"] == hash_file(catalog.media(first["path"]))
    told = json.loads(first["settings"])
    assert told["faceless_frames"] == 0
    assert told["target_landmarks"] == {"points": 68, "origin": "catalog"}
    assert set(told["options"]) >= ({"blending"} if is_swap else {"strength"})
    assert second["person"] == "bob"


@METHODS
def test_video_is_lossless_outside_the_mask_and_both_carry_the_mark(
    method: str, tmp_path: Path
) -> None:
    path = forgeable.make(
        tmp_path, clip_row(tmp_path, "ann", faceless=(1, 3)), clip_row(tmp_path, "bob")
    )
    catalog = forge(settings(path, tmp_path / "out", method))
    row = fakes(catalog)[0]
    target = images(catalog, "../ann/a.mp4")
    forged, masks = images(catalog, row["path"]), images(catalog, row["mask"])
    assert len(target) == len(forged) == len(masks) == row["frames"] == 4
    for number, (before, after, mask) in enumerate(zip(target, forged, masks, strict=True)):
        np.testing.assert_array_equal(mask[:, :, 0], mask[:, :, 2])
        outside = mask[:, :, 0] == 0
        np.testing.assert_array_equal(after[outside], before[outside])
        assert outside.all() == (number in (1, 3))
        assert (after != before).any() == (number not in (1, 3))
    assert json.loads(row["settings"])["faceless_frames"] == 2
    assert read_mark(catalog.media(row["path"])) == method
    assert read_mark(catalog.media(row["mask"])) == f"{method} (mask)"


def test_catalog_holds_what_was_there_and_what_was_made(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path)
    result = forge(settings(path, tmp_path / "out"))
    before = read_catalog(path).moved(tmp_path / "out")
    assert result.table.head(3).equals(before.table)
    assert len(result) == 6
    assert read_catalog(tmp_path / "out" / "catalog.parquet").table.equals(result.table)
    result.check_media()


def test_same_seed_gives_the_same_files_on_any_number_of_workers(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path)
    one, two = settings(path, tmp_path / "one"), settings(path, tmp_path / "two", workers=2)
    assert forge(one).table.equals(forge(two).table)
    assert contents(one.out) == contents(two.out)


def test_another_seed_gives_another_self_blend(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path, clip_row(tmp_path, "ann"))
    first, second = (
        fakes(forge(settings(path, tmp_path / str(seed), "self_blend", seed=seed)))[0]
        for seed in (1, 2)
    )
    assert first["sha256"] != second["sha256"]


def test_both_people_of_a_swap_stay_within_their_split(tmp_path: Path) -> None:
    splits = {"ann": "train", "bob": "train", "cid": "test", "dot": "test"}
    rows = [clip_row(tmp_path, person, split=split) for person, split in splits.items()]
    for row in fakes(forge(settings(forgeable.make(tmp_path, *rows), tmp_path / "out"))):
        assert splits[row["person"]] == splits[row["source_person"]] == row["split"]
        assert row["person"] != row["source_person"]


def test_several_forgeries_of_one_video_have_names_of_their_own(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path)
    swaps = forge(settings(path, tmp_path / "swaps", per_target=2))
    assert [row["id"] for row in fakes(swaps) if row["person"] == "ann"] in (
        ["landmark_swap/ann-a_bob-a.mp4", "landmark_swap/ann-a_cid-a.mp4"],
        ["landmark_swap/ann-a_cid-a.mp4", "landmark_swap/ann-a_bob-a.mp4"],
    )
    blends = fakes(forge(settings(path, tmp_path / "blends", "self_blend", per_target=2)))
    assert [row["id"] for row in blends[:2]] == ["self_blend/ann-a.mp4", "self_blend/ann-a_2.mp4"]
    assert blends[0]["sha256"] != blends[1]["sha256"]


def test_options_reach_the_method_and_are_recorded(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path)
    plain = fakes(forge(settings(path, tmp_path / "a")))[0]
    poisson = fakes(forge(settings(path, tmp_path / "b", options=("blending=poisson",))))[0]
    assert json.loads(poisson["settings"])["options"]["blending"] == "poisson"
    assert plain["sha256"] != poisson["sha256"]


def test_rate_is_recorded_as_the_quality(tmp_path: Path) -> None:
    catalog = forge(settings(forgeable.make(tmp_path), tmp_path / "out", crf=23))
    row = fakes(catalog)[0]
    assert (row["quality"], row["crf"]) == ("c23", 23)
    assert probe(catalog.media(row["path"])).pixel_format == "yuv420p"
    assert probe(catalog.media(row["mask"])).pixel_format != "yuv420p"


def numbered_row(root: Path, person: str, **clip: Any) -> dict[str, Any]:
    """Write a clip of numbered frames with a face's landmarks in each, and return its row."""
    path = write_clip(root / f"{person}.mp4", frames=6, **clip)
    points = np.stack([landmarks(68, pose(size=14, x=40, y=26))] * 6)
    write_landmarks(root / f"{person}.npz", points)
    name = f"{person}.mp4"
    return {
        "id": name, "path": path.name, "dataset": "numbers", "label": 0, "person": person,
        "landmarks": f"{person}.npz",
    }  # fmt: skip


def test_sound_and_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.12, 0.16, 0.4, 0.44]
    rows = [
        numbered_row(tmp_path, "ann", times=times, audio="aac"),
        numbered_row(tmp_path, "bob", size=(97, 63), pixel_format="yuv444p"),
        numbered_row(tmp_path, "cid", size=(64, 96), rotation=90),
    ]
    catalog = forge(settings(forgeable.make(tmp_path, *rows), tmp_path / "out"))
    uneven, odd, turned = fakes(catalog)
    frames = list(read_frames(catalog.media(uneven["path"])))
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=1e-3)
    assert probe(catalog.media(uneven["path"])).has_audio
    assert not probe(catalog.media(odd["path"])).has_audio
    assert (odd["width"], odd["height"]) == (97, 63)
    assert (turned["width"], turned["height"]) == (64, 96)
    assert [row["frames"] for row in (uneven, odd, turned)] == [6, 6, 6]
    for row in (uneven, odd, turned):
        target = images(catalog, f"../{row['parents'][0]}")
        masks = images(catalog, row["mask"])
        for before, after, mask in zip(target, images(catalog, row["path"]), masks, strict=True):
            np.testing.assert_array_equal(after[mask == 0], before[mask == 0])


def test_clips_without_a_face_or_that_cannot_be_read_get_a_row_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [
        clip_row(tmp_path, "ann"),
        clip_row(tmp_path, "bob"),
        clip_row(tmp_path, "empty", faceless=(0, 1, 2, 3)),
        clip_row(tmp_path, "broken", landmarks=None),
        clip_row(tmp_path, "short"),
        clip_row(tmp_path, "gone", landmarks="known/gone.npz"),
    ]
    (tmp_path / "broken" / "a.mp4").write_bytes(b"no video")
    write_landmarks(tmp_path / "known" / "short-a.npz", landmarks(68, pose())[None])
    (tmp_path / "known" / "gone.npz").unlink(missing_ok=True)
    with caplog.at_level(logging.WARNING):
        made = fakes(forge(settings(forgeable.make(tmp_path, *rows), tmp_path / "out")))
    said = {row["person"]: (row["status"], row["reason"]) for row in made}
    assert said["ann"] == said["bob"] == ("ok", None)
    assert said["empty"] == ("no_face", "none of the 4 frames shows a face; choose another clip")
    assert said["broken"][0] == said["gone"][0] == "unreadable"
    assert "can read, got" in said["broken"][1]
    assert said["short"][0] == "failed"
    assert "landmarks must be known of every frame" in said["short"][1]
    assert "4 of 6 forgeries could not be made" in caplog.text
    for row in made:
        if row["status"] != "ok":
            assert (row["mask"], row["sha256"], row["label"]) == (None, None, 1)
            assert not (tmp_path / "out" / row["path"]).exists()


def test_source_is_never_a_clip_without_a_face(tmp_path: Path) -> None:
    empty = [clip_row(tmp_path, f"empty{i}", faceless=(0, 1, 2, 3)) for i in range(3)]
    rows = [*empty, clip_row(tmp_path, "ann"), clip_row(tmp_path, "bob")]
    made = fakes(forge(settings(forgeable.make(tmp_path, *rows), tmp_path / "out")))
    assert {row["source_person"] for row in made} <= {"ann", "bob"}


def test_only_real_usable_videos_of_the_wanted_quality_are_forged(tmp_path: Path) -> None:
    rows = [
        clip_row(tmp_path, "ann", quality="raw"),
        clip_row(tmp_path, "bob"),
        clip_row(tmp_path, "cid", quality="c23", crf=23),
        clip_row(tmp_path, "dot", status="unreadable", reason="cut off"),
        clip_row(tmp_path, "eve", label=1, method="other"),
        clip_row(tmp_path, "fay", kind="image"),
        clip_row(tmp_path, "gus", quality="c23", crf=23),
    ]
    path = forgeable.make(tmp_path, *rows)
    new = [
        row for row in fakes(forge(settings(path, tmp_path / "raw"))) if row["method"] != "other"
    ]
    assert [row["person"] for row in new] == ["ann", "bob"]
    assert new[0]["quality"] == "raw"
    worse = fakes(forge(settings(path, tmp_path / "c23", quality="c23")))
    assert [row["person"] for row in worse if row["method"] != "other"] == ["cid", "gus"]
    assert worse[-1]["quality"] == "c23"
    with pytest.raises(
        InvalidInputError, match="of the quality c40, got 4 real videos of None, c23, raw"
    ):
        forge(settings(path, tmp_path / "c40", quality="c40"))


def test_second_run_does_nothing_again_and_a_new_clip_is_added(tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, person) for person in ("ann", "bob")]
    asked = settings(forgeable.make(tmp_path, *rows), tmp_path / "out", "self_blend")
    forge(asked)
    written = {path: path.stat().st_mtime_ns for path in asked.out.rglob("*.mp4")}
    again = forge(
        replace(asked, catalog=forgeable.make(tmp_path, *rows, clip_row(tmp_path, "cid")))
    )
    assert len(fakes(again)) == 3
    assert all(path.stat().st_mtime_ns == when for path, when in written.items())


def test_changed_clip_is_forged_anew(tmp_path: Path) -> None:
    asked = settings(forgeable.make(tmp_path), tmp_path / "out", "self_blend")
    before = fakes(forge(asked))[0]["sha256"]
    row = clip_row(tmp_path, "ann", frames=5)
    others = [clip_row(tmp_path, person) for person in ("bob", "cid")]
    after = fakes(forge(replace(asked, catalog=forgeable.make(tmp_path, row, *others))))[0]
    assert after["sha256"] != before
    assert after["frames"] == 5


def test_what_failed_is_tried_again_on_request_only(tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, "ann", sha256=None), clip_row(tmp_path, "bob")]
    known = tmp_path / "known" / "ann-a.npz"
    kept = known.read_bytes()
    known.unlink()
    asked = settings(forgeable.make(tmp_path, *rows), tmp_path / "out", "self_blend")
    assert [row["status"] for row in fakes(forge(asked))] == ["unreadable", "ok"]
    known.write_bytes(kept)
    assert [row["status"] for row in fakes(forge(replace(asked, retry_failed=True)))] == [
        "ok",
        "ok",
    ]


def test_methods_are_added_to_each_other_and_never_lost(tmp_path: Path) -> None:
    path, out = forgeable.make(tmp_path), tmp_path / "out"
    forge(settings(path, out))
    with pytest.raises(InvalidInputError, match=r"got 3 by landmark_swap in .*; give that file as"):
        forge(settings(path, out, "self_blend"))
    both = forge(settings(out / "catalog.parquet", out, "self_blend"))
    assert both.table.group_by("method").len().sort("method")["len"].to_list() == [3, 3, 3]
    again = forge(settings(out / "catalog.parquet", out))
    assert sorted(again.table["id"]) == sorted(both.table["id"])


RUN = """
import sys
from pathlib import Path
from unmask.generators.forge import ForgeSettings, forge

if __name__ == "__main__":
    catalog, out, method, workers = sys.argv[1:]
    forge(ForgeSettings(Path(catalog), Path(out), method, workers=int(workers)))
"""


def test_killed_run_continues_to_the_same_files_and_catalog(tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, person, frames=30) for person in ("ann", "bob", "cid", "dot")]
    path = forgeable.make(tmp_path, *rows)
    script = tmp_path / "run.py"
    script.write_text(RUN)
    unbroken = settings(path, tmp_path / "unbroken")
    expected = forge(unbroken)
    out = tmp_path / "broken"
    random = np.random.default_rng(0)
    killed = 0
    for workers in ("1", "1", "2"):
        command = [sys.executable, str(script), str(path), str(out), "landmark_swap", workers]
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        while process.poll() is None and not list(out.rglob(".*")):
            time.sleep(0.002)  # until the first part of a file is being written
        time.sleep(float(random.uniform(0, 0.15)))
        process.send_signal(signal.SIGKILL)
        killed += process.wait() == -signal.SIGKILL
        for video in out.rglob("[!.]*.mp4"):
            assert probe(video).frames == 30
    assert killed >= 2
    result = forge(settings(path, out))
    assert result.table.equals(expected.table)
    left = contents(out)
    assert {name: one for name, one in left.items() if "/." not in name} == contents(unbroken.out)


def test_misspelt_names_are_answered_with_the_closest(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path)
    with pytest.raises(NotFoundError, match="has no 'landmark_swop'; did you mean 'landmark_swap'"):
        forge(settings(path, tmp_path / "out", "landmark_swop"))
    with pytest.raises(NotFoundError, match="has no 'feathers'; did you mean 'feather'"):
        forge(settings(path, tmp_path / "out", options=("feathers=1",)))
    with pytest.raises(NotFoundError, match="finding landmarks has no '86'"):
        forge(settings(path, tmp_path / "out", landmarks="86"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"per_target": 0}, "per_target must be 1 or more, got 0"),
        ({"crf": 52}, r"crf must lie in \[0, 51\], got 52"),
        ({"options": ("blending=mixed",)}, "blending must be one of feather, poisson, got 'mixed'"),
        ({"options": ("erosion=-1",)}, "erosion must be 0 or more, got -1.0"),
    ],
)
def test_wrong_settings_are_refused_before_the_work(
    wrong: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        forge(settings(forgeable.make(tmp_path), tmp_path / "out", **wrong))
    assert not (tmp_path / "out").exists()


def test_one_person_cannot_be_swapped_but_blended(tmp_path: Path) -> None:
    path = forgeable.make(tmp_path, clip_row(tmp_path, "ann"), clip_row(tmp_path, "ann", "b"))
    with pytest.raises(InvalidInputError, match=r"two or more people in one split, got ann \(no"):
        forge(settings(path, tmp_path / "out"))
    assert len(fakes(forge(settings(path, tmp_path / "out", "self_blend")))) == 2


def test_forgery_in_the_place_of_another_item_is_refused(tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, "ann"), clip_row(tmp_path, "bob")]
    taken = clip_row(tmp_path, "cid") | {"id": "self_blend/ann-a.mp4", "label": 1, "method": "x"}
    path = forgeable.make(tmp_path, *rows, taken)
    with pytest.raises(
        InvalidInputError, match=r"an id of its own, got 'self_blend/ann-a.mp4' for"
    ):
        forge(settings(path, tmp_path / "out", "self_blend"))
    twins = [clip_row(tmp_path, "ann") | {"id": one} for one in ("x/y.mp4", "x-y.mp4")]
    with pytest.raises(InvalidInputError, match=r"of \['x-y.mp4'\] and of \['x/y.mp4'\]; rename"):
        forge(settings(forgeable.make(tmp_path, *twins), tmp_path / "out", "self_blend"))


def test_68_landmarks_without_the_extra_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landmark_module, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[landmarks\]'"):
        forge(settings(forgeable.make(tmp_path), tmp_path / "out", landmarks="68"))


@pytest.mark.shared
def test_real_talkers_are_swapped_with_landmarks_that_were_found(
    shared: Path, tmp_path: Path
) -> None:
    folder = shared / "data" / "talkers"
    names = ("grid-bbaf2n.mpg", "grid-sbwe5n.mpg", "pyfeat-no_face.mp4")
    rows = [
        {"id": name, "path": str(folder / name), "dataset": "t", "label": 0, "person": name}
        for name in names
    ]
    catalog = forge(settings(forgeable.make(tmp_path, *rows), tmp_path / "out", landmarks="5"))
    made = fakes(catalog)
    assert [row["status"] for row in made] == ["ok", "ok", "no_face"]
    for row in made[:2]:
        assert row["landmarks"] == f"landmarks/5/{row['parents'][0]}.npz"
        assert json.loads(row["settings"])["target_landmarks"] == {"points": 5, "origin": "found"}
        mask = next(read_frames(catalog.media(row["mask"]), [20])).image
        assert 0.05 < (mask >= 128).mean() < 0.5
    assert made[2]["landmarks"] is None
    assert pl.Series([row["sha256"] for row in made]).is_not_null().sum() == 2
