"""Landmarks of clips: their files, and those that are found."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from makers.clips import write_clip
from makers.drawn_face import landmarks, pose
from unmask.errors import InvalidInputError, MissingDependencyError, NotFoundError
from unmask.faces import landmarks as module
from unmask.faces.landmarks import (
    check_finder,
    face_at,
    find_landmarks,
    read_landmarks,
    shows_face,
    smoothed,
    write_landmarks,
)
from unmask.faces.topology import contours_of, eye_distance, five_of


@pytest.mark.parametrize("count", [478, 68, 5])
def test_written_landmarks_are_read_back(count: int, tmp_path: Path) -> None:
    written = np.stack([landmarks(count, pose()), landmarks(count, pose(turn=0.2))])
    written[1] = np.nan
    write_landmarks(tmp_path / "new" / "a.npz", written)
    np.testing.assert_array_equal(read_landmarks(tmp_path / "new" / "a.npz"), written)


def test_same_landmarks_give_the_same_bytes_and_no_part_is_left(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_landmarks(tmp_path / name, landmarks(68, pose())[None])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_frame_without_a_face_has_no_landmarks() -> None:
    known = np.stack([landmarks(5, pose())] * 2)
    known[1, 3] = np.nan
    first = face_at(known, 0)
    assert first is not None
    np.testing.assert_array_equal(first, known[0])
    assert face_at(known, 1) is None


def test_landmarks_on_one_spot_or_beyond_all_numbers_are_no_face() -> None:
    known = np.stack([landmarks(68, pose())] * 4)
    known[0] = 50
    known[1, :, 0] = 7
    known[2] = np.inf
    assert shows_face(known).tolist() == [False, False, False, True]
    assert shows_face(known[:0]).tolist() == []


def test_landmarks_of_a_shorter_clip_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="got those of 3 frames of a longer clip"):
        face_at(np.zeros((3, 5, 2), np.float32), 3)


def test_absent_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"must exist, got .*none\.npz"):
        read_landmarks(tmp_path / "none.npz")


def test_file_that_is_no_archive_or_has_no_landmarks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(InvalidInputError, match=r"must be .npz with the array 'landmarks', got"):
        read_landmarks(tmp_path / "bad.npz")
    np.savez(tmp_path / "other.npz", points=np.zeros(3))
    with pytest.raises(InvalidInputError, match=r"must be .npz with the array 'landmarks', got"):
        read_landmarks(tmp_path / "other.npz")


@pytest.mark.parametrize("shape", [(68, 2), (4, 106, 2), (4, 68, 3)])
def test_landmarks_of_another_shape_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", landmarks=np.zeros(shape, np.float32))
    with pytest.raises(InvalidInputError, match=r"of shape \(T, K, 2\) with K of 478, 68 or 5"):
        read_landmarks(tmp_path / "a.npz")
    with pytest.raises(InvalidInputError, match="got int64"):
        write_landmarks(tmp_path / "b.npz", np.zeros((4, 68, 2), np.int64))


def moving(count: int, *, speed: float = 1.0) -> NDArray[np.float32]:
    """Return the landmarks of a face that moves to the right."""
    return np.stack([landmarks(68, pose(x=60 + speed * number)) for number in range(count)])


def test_smoothing_keeps_a_steady_movement_and_calms_a_tremble() -> None:
    np.testing.assert_allclose(smoothed(moving(20))[2:-2], moving(20)[2:-2], atol=1e-4)
    still = moving(400, speed=0)
    tremble = np.random.default_rng(0).normal(0, 1, still.shape).astype(np.float32)
    # Independent noise shrinks by the root of the sum of the squared weights.
    expected = np.sqrt(1 + 16 + 36 + 16 + 1) / 16
    assert (smoothed(still + tremble) - still).std() == pytest.approx(expected, rel=0.02)


def test_smoothing_does_not_reach_over_a_gap_or_a_cut() -> None:
    known = moving(12, speed=0)
    known[4] = np.nan
    known[5:] += 10
    known[9:] += 80  # a cut: nobody moves that far within a frame
    calmed = smoothed(known)
    np.testing.assert_allclose(calmed, known, atol=1e-4)
    assert np.isnan(calmed[4]).all()


def test_clip_without_a_face_has_none_in_any_frame(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "numbers.mp4", frames=3, size=(128, 96))
    found = find_landmarks(clip, finder="5")
    assert found.shape == (3, 5, 2)
    assert np.isnan(found).all()


def test_unknown_finder_is_answered_with_the_closest() -> None:
    with pytest.raises(
        NotFoundError, match="finding landmarks has no 'autos'; did you mean 'auto'"
    ):
        check_finder("autos")


def test_without_the_extra_68_are_refused_and_auto_means_5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[landmarks\]'"):
        check_finder("68")
    assert check_finder("auto") == check_finder("5") == 5


@pytest.mark.shared
@pytest.mark.parametrize("finder", ["68", "5"])
def test_landmarks_found_in_a_real_clip_agree_with_each_other(shared: Path, finder: str) -> None:
    clip = shared / "data" / "talkers" / "edtalk-pose_source1.mp4"
    found = find_landmarks(clip, finder=finder)[:50]
    assert found.shape[1:] == (int(finder), 2)
    assert np.isfinite(found).all()
    five = np.stack([five_of(points) for points in found])
    left, right, nose, first, last = five.mean(axis=0)
    assert left[0] < nose[0] < right[0]
    assert max(left[1], right[1]) < nose[1] < min(first[1], last[1])


@pytest.mark.shared
def test_68_and_5_landmarks_of_a_real_clip_lie_close_together(shared: Path) -> None:
    clip = shared / "data" / "talkers" / "edtalk-pose_source1.mp4"
    many, few = (find_landmarks(clip, finder=finder)[::10] for finder in ("68", "5"))
    unit = np.mean([eye_distance(points) for points in many])
    apart = np.linalg.norm(np.stack([five_of(points) for points in many]) - few, axis=2)
    assert apart.mean() < 0.12 * unit
    guessed = np.stack([contours_of(points) for points in few])
    assert np.linalg.norm(guessed - many, axis=2).mean() < 0.25 * unit


@pytest.mark.shared
def test_68_landmarks_agree_with_the_stored_mesh_of_a_still(shared: Path, tmp_path: Path) -> None:
    import cv2

    from unmask.video.write import VideoWriter

    folder = shared / "data" / "openpeople-keys"
    stored = np.load(folder / "lmk.npz")["L"][0, 0, :, :2].astype(np.float32)
    still = cv2.imread(str(folder / "0_0.jpg"))
    assert still is not None
    with VideoWriter(tmp_path / "still.mp4", 25, lossless=True) as writer:
        for _ in range(3):
            writer.write(np.ascontiguousarray(still[:, :, ::-1], dtype=np.uint8))
    (first, *_) = find_landmarks(tmp_path / "still.mp4", finder="68")
    error = np.linalg.norm(first - contours_of(stored), axis=1)
    assert error.mean() < 0.06 * eye_distance(stored)
