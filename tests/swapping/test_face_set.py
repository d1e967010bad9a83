import json
import logging
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from makers.drawn_face import landmarks, picture, pose
from makers.forgeable import clip_row
from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.landmarks import read_landmarks, write_landmarks
from unmask.faces.topology import contours_of, moved
from unmask.generators.landmark_files import LandmarkFile, landmark_files
from unmask.swapping import face_set
from unmask.swapping.alignment import cut_face, face_matrix
from unmask.swapping.face_set import FaceSet, make_face_set, read_face_set
from unmask.video.read import read_frame
from unmask.video.write import VideoWriter

Row = dict[str, Any]


def known(root: Path, *rows: Row) -> list[LandmarkFile]:
    """Return the landmark files of rows that name them."""
    return landmark_files(rows, root, finder="5", workers=1, retry_failed=False)


def made(root: Path, *rows: Row, **settings: Any) -> FaceSet:
    chosen = {"size": 48, "workers": 1} | settings
    return make_face_set(rows, known(root, *rows), root, root / "sets", **chosen)


def frames_of(faces: FaceSet) -> dict[str, list[int]]:
    assert faces.folder is not None
    card = json.loads((faces.folder / "face_set.json").read_bytes())
    return {clip["id"]: clip["frames"] for clip in card["clips"]}


def unreadable(root: Path) -> Row:
    """Return the row of a clip whose landmarks are known and whose video is none."""
    row = clip_row(root, "ann", "broken")
    (root / str(row["path"])).write_bytes(b"no video")
    return row


def beside_the_picture(root: Path) -> Row:
    """Return the row of a clip whose face is told to be far outside of it."""
    row = clip_row(root, "ann", "outside")
    write_landmarks(root / str(row["landmarks"]), np.stack([landmarks(68, pose(x=900))] * 4))
    return row


def test_faces_are_those_of_the_frames_cut_out_at_their_landmarks(tmp_path: Path) -> None:
    row = clip_row(tmp_path, "ann", frames=4, count=478)
    faces = made(tmp_path, row, size=64, padding=0.4)
    assert frames_of(faces) == {"ann/a.mp4": [0, 1, 2, 3]}
    points = read_landmarks(tmp_path / "known" / "ann-a.npz")
    for number, (image, found) in enumerate(zip(faces.images, faces.landmarks, strict=True)):
        whole = read_frame(tmp_path / "ann/a.mp4", number).image
        matrix = face_matrix(points[number], 64, padding=0.4)
        assert np.array_equal(image, cut_face(whole, matrix, 64))
        assert found == pytest.approx(moved(contours_of(points[number]), matrix), abs=1e-3)
    assert faces.images.dtype == np.uint8
    assert faces.landmarks.dtype == np.float32


@pytest.mark.parametrize("eyes", [60.0, 260.0])
def test_face_made_smaller_is_cut_as_out_of_the_whole_frame(tmp_path: Path, eyes: float) -> None:
    where = pose(size=eyes, x=300, y=220, turn=0.3)
    with VideoWriter(tmp_path / "big.mp4", 25, lossless=True) as writer:
        writer.write(picture(where, shape=(720, 602)))
    write_landmarks(tmp_path / "big.npz", landmarks(68, where)[None])
    row = {"id": "big.mp4", "path": "big.mp4", "sha256": None, "landmarks": "big.npz"}
    (image,) = made(tmp_path, row, size=64).images
    whole = read_frame(tmp_path / "big.mp4", 0).image
    wanted = cut_face(whole, face_matrix(landmarks(68, where), 64), 64)
    # Halvings begin at the cut's own corner: the same means, over other pixels.
    difference = np.abs(image.astype(float) - wanted)
    assert difference.mean() < (0.1 if eyes == 60 else 3)
    assert difference.max() < (3 if eyes == 60 else 30)


def test_frames_are_spread_evenly_over_all_clips(tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, "ann", "a", frames=4), clip_row(tmp_path, "ann", "b", frames=8)]
    # The middles of six equal stretches of twelve frames.
    assert frames_of(made(tmp_path, *rows, most=6)) == {
        "ann/a.mp4": [1, 3],
        "ann/b.mp4": [1, 3, 5, 7],
    }
    assert frames_of(made(tmp_path, *rows, most=1)) == {"ann/b.mp4": [2]}
    assert len(made(tmp_path, *rows, most=99).images) == 12


def test_frames_without_a_face_are_passed_over(tmp_path: Path) -> None:
    row = clip_row(tmp_path, "ann", frames=6, faceless=(0, 3, 5))
    assert frames_of(made(tmp_path, row)) == {"ann/a.mp4": [1, 2, 4]}
    assert frames_of(made(tmp_path, row, most=1)) == {"ann/a.mp4": [2]}


def test_images_stay_on_the_disk_and_cannot_be_changed(tmp_path: Path) -> None:
    faces = made(tmp_path, clip_row(tmp_path, "ann"))
    assert isinstance(faces.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        faces.images[0] = 0


def test_hash_is_that_of_images_and_landmarks(tmp_path: Path) -> None:
    faces = made(tmp_path, clip_row(tmp_path, "ann"))
    content = faces.images.tobytes() + faces.landmarks.tobytes()
    assert faces.sha256 == sha256(content).hexdigest()
    assert faces.clips == ("ann/a.mp4",)


def test_what_is_kept_is_read_and_not_cut_again(tmp_path: Path) -> None:
    row = clip_row(tmp_path, "ann")
    faces = made(tmp_path, row)
    (tmp_path / "ann/a.mp4").unlink()
    again = made(tmp_path, row)
    assert again.folder == faces.folder
    assert np.array_equal(again.images, faces.images)
    assert faces.folder is not None
    assert read_face_set(faces.folder).sha256 == faces.sha256


def test_changed_clip_or_setting_gives_another_set_beside(tmp_path: Path) -> None:
    row = clip_row(tmp_path, "ann")
    sets = [
        made(tmp_path, row),
        made(tmp_path, row, size=40),
        made(tmp_path, row, most=2),
        made(tmp_path, row, padding=0.6),
        made(tmp_path, row, clip_row(tmp_path, "ann", "b")),
        made(tmp_path, clip_row(tmp_path, "ann", frames=5)),
    ]
    write_landmarks(
        tmp_path / "known" / "ann-a.npz", read_landmarks(tmp_path / "known" / "ann-a.npz") + 1
    )
    sets.append(made(tmp_path, row))
    assert len({one.folder for one in sets}) == len({one.sha256 for one in sets}) == 7


def test_clip_that_cannot_be_used_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faceless = clip_row(tmp_path, "ann", "nobody", faceless=(0, 1, 2, 3))
    rows = [unreadable(tmp_path), beside_the_picture(tmp_path), faceless, clip_row(tmp_path, "ann")]
    with caplog.at_level(logging.WARNING):
        faces = made(tmp_path, *rows)
    assert faces.clips == ("ann/a.mp4",)
    assert len(faces.images) == 4
    assert "ann/broken.mp4 is left out: path must be a video" in caplog.text
    assert "ann/outside.mp4 is left out: its faces lie outside of the picture" in caplog.text
    assert "ann/nobody.mp4 is left out: none of the 4 frames shows a face" in caplog.text


def test_person_without_any_face_is_refused(tmp_path: Path) -> None:
    faceless = clip_row(tmp_path, "ann", faceless=(0, 1, 2, 3))
    words = "the clips must show a face that can be cut out, got none in "
    with pytest.raises(InvalidInputError, match=words + r"1 \(none of the 4 frames"):
        made(tmp_path, faceless)
    with pytest.raises(InvalidInputError, match=words + r"1 \(its faces lie outside"):
        made(tmp_path, beside_the_picture(tmp_path))
    with pytest.raises(InvalidInputError, match=words + r"0 \(there is no clip"):
        made(tmp_path)


def test_settings_out_of_range_are_refused_before_the_work(tmp_path: Path) -> None:
    row = clip_row(tmp_path, "ann")
    for settings, words in (
        ({"most": 0}, "most must be 1 face or more, got 0"),
        ({"size": 0}, "size must be 1 pixel or more, got 0"),
        ({"padding": 1.5}, r"padding must lie in \[0, 1\), got 1.5"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            made(tmp_path, row, **settings)
    assert not (tmp_path / "sets").exists()


def test_interrupted_cut_is_continued_to_the_same_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [clip_row(tmp_path, "ann", take) for take in "abc"]
    wanted = make_face_set(
        rows, known(tmp_path, *rows), tmp_path, tmp_path / "unbroken", size=48, workers=1
    )
    cut: list[str] = []

    def stopped(task: Any) -> list[Row]:
        if len(cut) == 2:
            raise KeyboardInterrupt
        return counted(task)

    def counted(task: Any) -> list[Row]:
        cut.append(task.row["id"])
        return real(task)

    real = face_set._cut_clip
    monkeypatch.setattr(face_set, "_cut_clip", stopped)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, *rows)
    assert not [one for one in (tmp_path / "sets").iterdir() if not one.name.startswith(".")]
    monkeypatch.setattr(face_set, "_cut_clip", counted)
    faces = made(tmp_path, *rows)
    assert cut == ["ann/a.mp4", "ann/b.mp4", "ann/c.mp4"]
    assert faces.sha256 == wanted.sha256
    assert list((tmp_path / "sets").iterdir()) == [faces.folder]


def test_several_processes_cut_the_same_faces(tmp_path: Path) -> None:
    rows = [clip_row(tmp_path, "ann", take) for take in "ab"]
    alone = made(tmp_path, *rows)
    files = known(tmp_path, *rows)
    together = make_face_set(rows, files, tmp_path, tmp_path / "other", size=48, workers=2)
    assert together.sha256 == alone.sha256


def test_folder_without_a_face_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"a face set must have the file face_set\.json"):
        read_face_set(tmp_path)


@pytest.mark.parametrize("name", ["images.npy", "landmarks.npy", "face_set.json"])
def test_damaged_face_set_is_refused(tmp_path: Path, name: str) -> None:
    faces = made(tmp_path, clip_row(tmp_path, "ann"))
    assert faces.folder is not None
    content = (faces.folder / name).read_bytes()
    (faces.folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(InvalidInputError, match="the files of a face set must belong together"):
        read_face_set(faces.folder)


def test_files_of_two_face_sets_do_not_belong_together(tmp_path: Path) -> None:
    one = made(tmp_path, clip_row(tmp_path, "ann"))
    other = made(tmp_path, clip_row(tmp_path, "ann", frames=3))
    assert one.folder is not None
    assert other.folder is not None
    (other.folder / "landmarks.npy").replace(one.folder / "landmarks.npy")
    with pytest.raises(InvalidInputError, match=re.escape("(3, 68, 2) landmarks")):
        read_face_set(one.folder)
