from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from makers.people import Person, scene, write_frames
from unmask.contracts import Image
from unmask.faces.clip import Clip, Way, prepare_clips

SIZE = (320, 180)
LEFT, RIGHT = Person("P001", 0, 20, 110), Person("P002", 160, 10, 165)


@pytest.fixture
def way(tmp_path: Path) -> Way:
    return Way(
        out=tmp_path / "out",
        profile="square",
        size=64,
        sampling="all",
        suffix="png",
        smallest=40,
        confidence=0.9,
        keeps_all=False,
        search_every=15,
    )


def written(path: Path, frames: Sequence[Sequence[Person]]) -> Path:
    """Write a clip with one frame for each list of the people in it."""
    return write_frames(path, [scene(SIZE, people) for people in frames])


def mask_of(*people: Person) -> Image:
    """Return a mask that covers the middle of faces."""
    mask = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    for person in people:
        left, top = person.five.min(axis=0).astype(int)
        right, bottom = person.five.max(axis=0).astype(int)
        mask[top:bottom, left:right] = 255
    return mask


def read(way: Way, row: dict[str, Any]) -> Image:
    """Return the crop of a row as RGB."""
    return np.asarray(cv2.imread(str(way.out / row["crop"]), cv2.IMREAD_COLOR_RGB), np.uint8)


def statuses(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [row["status"] for row in rows]


def test_every_frame_has_a_row_and_every_face_a_crop(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT], [RIGHT], [], [RIGHT]])
    rows = prepare_clips([Clip("set/clip.mp4", path)], way)
    assert statuses(rows) == ["ok", "ok", "no_face", "ok"]
    assert [row["frame"] for row in rows] == [0, 1, 2, 3]
    assert [row["time"] for row in rows] == pytest.approx([0, 0.04, 0.08, 0.12])
    assert rows[1]["crop"] == "crops/set/clip.mp4/000001_0.png"
    assert "crop" not in rows[2]
    assert np.abs(np.reshape(rows[0]["landmarks"], (5, 2)) - RIGHT.five).max() < 5
    assert len(list((way.out / "crops").rglob("*.png"))) == 3


def test_a_native_crop_has_the_very_pixels_of_the_frame(tmp_path: Path, way: Way) -> None:
    picture = scene(SIZE, [RIGHT])
    picture[..., 0] //= 2  # red and blue differ everywhere
    path = write_frames(tmp_path / "clip.mp4", [picture])
    (row,) = prepare_clips([Clip("clip", path)], replace(way, size=0))
    crop = read(way, row)
    found = cv2.matchTemplate(picture, crop, cv2.TM_SQDIFF)
    left, top = cv2.minMaxLoc(found)[2]
    side = crop.shape[0]
    assert np.array_equal(picture[top : top + side, left : left + side], crop)


def test_the_main_face_is_prepared_or_all_faces(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[LEFT, RIGHT], [LEFT, RIGHT], [LEFT]])
    main = prepare_clips([Clip("clip", path)], way)
    assert statuses(main) == ["ok", "ok", "other_face"]
    assert all(row["left"] > 160 for row in main if row["status"] == "ok")
    everybody = prepare_clips([Clip("clip", path)], replace(way, keeps_all=True))
    assert statuses(everybody) == ["ok"] * 5
    assert [row["track"] for row in everybody] == [0, 1, 0, 1, 1]


def test_the_mask_chooses_the_forged_face(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[LEFT, RIGHT]] * 3)
    mask = write_frames(tmp_path / "mask.mp4", [mask_of(LEFT)] * 3)
    for every in (False, True):
        rows = prepare_clips([Clip("clip", path, mask=mask)], replace(way, keeps_all=every))
        assert statuses(rows) == ["ok"] * 3
        assert all(row["right"] < 160 for row in rows)


def test_a_frame_with_an_empty_mask_has_that_status_and_no_crop(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[LEFT, RIGHT]] * 3)
    masks = [mask_of(LEFT), mask_of(), mask_of(LEFT)]
    mask = write_frames(tmp_path / "mask.mp4", masks)
    rows = prepare_clips([Clip("clip", path, mask=mask)], way)
    assert statuses(rows) == ["ok", "empty_mask", "ok"]
    assert rows[1]["right"] < 160
    assert "crop" not in rows[1]


def test_masks_that_are_all_empty_never_pass_as_a_forgery(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]] * 2)
    mask = write_frames(tmp_path / "mask.mp4", [mask_of()] * 2)
    rows = prepare_clips([Clip("clip", path, mask=mask)], way)
    assert statuses(rows) == ["empty_mask"] * 2


def test_a_missing_mask_is_an_error_of_its_own(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]])
    (row,) = prepare_clips([Clip("clip", path, mask=tmp_path / "none.mp4")], way)
    assert row["status"] == "unreadable_mask"
    assert "the mask: path must be an existing file" in row["reason"]


def test_copies_get_the_boxes_of_the_first_clip(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]] * 2)
    blank = write_frames(tmp_path / "blank.mp4", [np.zeros((180, 320, 3), np.uint8)] * 2)
    rows = prepare_clips([Clip("raw", path), Clip("c40", blank)], way)
    assert statuses(rows) == ["ok"] * 4
    boxes = [[row[edge] for edge in ("left", "top", "right", "bottom")] for row in rows]
    assert boxes[:2] == boxes[2:]
    assert read(way, rows[0]).any()
    assert not read(way, rows[2]).any()


def test_a_copy_stands_in_for_an_original_that_cannot_be_read(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]])
    rows = prepare_clips([Clip("raw", tmp_path / "none.mp4"), Clip("c40", path)], way)
    assert statuses(rows) == ["unreadable", "ok"]


@pytest.mark.parametrize("name", ["empty.mp4", "noise.mp4", "none.mp4", "folder.mp4", "text.png"])
def test_what_cannot_be_read_has_one_row_with_the_reason(
    tmp_path: Path, way: Way, name: str
) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    clip = Clip("clip", tmp_path / name, is_image=name.endswith(".png"))
    (row,) = prepare_clips([clip], way)
    assert row["status"] == "unreadable"
    assert row["reason"].startswith("path must be")


def test_a_clip_that_breaks_off_has_rows_for_the_frames_that_are_missing(
    tmp_path: Path, way: Way
) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]] * 3)
    rows = prepare_clips([Clip("clip", path, size=(5, *SIZE))], way)
    assert statuses(rows) == ["unreadable"] or statuses(rows) == ["ok"] * 3 + ["unreadable"] * 2


def test_what_the_catalog_calls_unusable_is_not_opened(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]])
    (row,) = prepare_clips([Clip("clip", path, fault="no_landmarks: none were found")], way)
    assert (row["status"], row["reason"]) == ("unreadable", "no_landmarks: none were found")


def test_an_image_is_a_video_of_one_frame(tmp_path: Path, way: Way) -> None:
    picture = scene(SIZE, [RIGHT])
    cv2.imwrite(str(tmp_path / "face.png"), picture[..., ::-1])
    (row,) = prepare_clips([Clip("face.png", tmp_path / "face.png", is_image=True)], way)
    assert (row["status"], row["frame"], row["time"]) == ("ok", 0, 0.0)
    assert np.abs(np.reshape(row["landmarks"], (5, 2)) - RIGHT.five).max() < 5


def test_the_clip_profile_shows_the_same_place_in_every_frame(tmp_path: Path, way: Way) -> None:
    where = [Person("P001", 90 + 5.0 * k, 20, 150) for k in range(7)]
    path = written(tmp_path / "clip.mp4", [[one] for one in where])
    rows = prepare_clips([Clip("clip", path)], replace(way, profile="clip", size=0))
    crops = [read(way, row) for row in rows]
    assert len({crop.shape for crop in crops}) == 1
    pictures = [scene(SIZE, [one]) for one in where]
    left, top = cv2.minMaxLoc(cv2.matchTemplate(pictures[3], crops[3], cv2.TM_SQDIFF))[2]
    for picture, crop in zip(pictures, crops, strict=True):
        side = crop.shape[0]
        assert np.array_equal(picture[top : top + side, left : left + side], crop)


def test_the_aligned_profile_puts_the_eyes_level_at_their_place(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]])
    (row,) = prepare_clips([Clip("clip", path)], replace(way, profile="aligned", size=256))
    assert read(way, row).shape == (256, 256, 3)


def test_a_jpeg_run_leaves_no_png_of_the_run_before(tmp_path: Path, way: Way) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]] * 2)
    prepare_clips([Clip("clip", path)], way)
    kept = way.out / "crops/clip/notes.txt"
    kept.write_text("mine")
    prepare_clips([Clip("clip", path)], replace(way, suffix="jpg"))
    names = sorted(file.name for file in (way.out / "crops/clip").iterdir())
    assert names == ["000000_0.jpg", "000001_0.jpg", "notes.txt"]


def test_a_long_clip_is_decoded_again_instead_of_held(
    tmp_path: Path, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "clip.mp4", [[RIGHT]] * 4)
    held = prepare_clips([Clip("clip", path)], way)
    monkeypatch.setattr("unmask.faces.clip.HELD_BYTES", 0)
    assert prepare_clips([Clip("clip", path)], way) == held


def test_small_pictures_are_searched_for_smaller_faces(tmp_path: Path, way: Way) -> None:
    small = write_frames(tmp_path / "small.mp4", [scene((96, 96), [Person("P001", 10, 10, 80)])])
    (row,) = prepare_clips([Clip("clip", small)], replace(way, smallest=None))
    assert row["status"] == "ok"
    (row,) = prepare_clips([Clip("clip", small)], replace(way, smallest=100))
    assert row["status"] == "no_face"
