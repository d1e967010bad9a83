"""The verb that writes degraded copies."""

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from unmask.catalog import Catalog, hash_file, make_catalog, read_catalog
from unmask.degrade.apply import DegradeSettings, degrade_videos
from unmask.degrade.spec import parse_degradation
from unmask.errors import InvalidInputError, NotFoundError
from unmask.seeding import generator_for
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter, read_mark

SIZE = (48, 64)


def write_clip(path: Path, *, frames: int = 6, seed: int = 0, **options: Any) -> None:
    """Write a lossless video of smooth moving colours."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (6, 8 + frames, 3))
    times = options.pop("times", [None] * frames)
    with VideoWriter(path, options.pop("rate", 25), lossless=True, **options) as writer:
        for i in range(frames):
            image = coarse[:, i : i + 8].repeat(8, 0).repeat(8, 1)
            writer.write(image.astype(np.uint8), times[i])


def images(path: Path) -> np.ndarray:
    return np.stack([frame.image for frame in read_frames(path)])


def two_clips(folder: Path, **changes: Any) -> Path:
    """Write a real and a fake clip with their catalog, and return its path."""
    write_clip(folder / "a.mp4", seed=1)
    write_clip(folder / "b.mp4", seed=2)
    common = {"dataset": "made", "quality": "raw", "split": "train"} | changes
    rows: list[dict[str, Any]] = [
        {"id": "real/a.mp4", "path": "a.mp4", "label": 0, "person": "a"},
        {"id": "fake/b.mp4", "path": "b.mp4", "label": 1, "family": "swap", "method": "paste"}
        | {"person": "b", "source_person": "a", "parents": ["real/a.mp4"], "mask": "m.mp4"},
    ]
    file = folder / "catalog.parquet"
    make_catalog([common | row for row in rows], folder).write(file)
    return file


def run(catalog: Path, out: Path, *qualities: str, **settings: Any) -> Catalog:
    return degrade_videos(
        DegradeSettings(catalog, out, qualities or ("c23", "c40"), workers=1, **settings)
    )


def row_of(catalog: Catalog, item: str) -> dict[str, Any]:
    (row,) = catalog.filter(id=item).rows()
    return row


def test_every_video_gets_a_row_for_every_quality(tmp_path: Path) -> None:
    result = run(two_clips(tmp_path), tmp_path / "out")
    assert result.table["id"].to_list() == [
        "real/a.mp4", "fake/b.mp4",
        "c23/real/a.mp4", "c23/fake/b.mp4",
        "c40/real/a.mp4", "c40/fake/b.mp4",
    ]  # fmt: skip
    assert (result.table["status"] == "ok").all()
    result.check_media(["path"])


def test_a_copy_says_what_it_is_and_where_it_comes_from(tmp_path: Path) -> None:
    result = run(two_clips(tmp_path), tmp_path / "out", "noise:5+c40", seed=7)
    copy = row_of(result, "noise-5+c40/fake/b.mp4")
    kept = ("dataset", "label", "family", "method", "person", "source_person", "split")
    original = row_of(result, "fake/b.mp4")
    assert [copy[name] for name in kept] == [original[name] for name in kept]
    assert (copy["parents"], copy["quality"]) == (["fake/b.mp4"], "noise-5+c40")
    assert (copy["crf"], copy["seed"], copy["frames"]) == (40, 7, 6)
    assert json.loads(copy["settings"]) == {"degradation": "noise-5+c40"}
    assert result.media(copy["mask"]).resolve() == tmp_path / "m.mp4"
    assert copy["sha256"] != original["sha256"]


def test_a_compression_happens_once_and_as_the_writer_does_it(tmp_path: Path) -> None:
    result = run(two_clips(tmp_path), tmp_path / "out", "c40")
    with VideoWriter(tmp_path / "expected.mp4", 25, crf=40) as writer:
        for frame in read_frames(tmp_path / "a.mp4"):
            writer.write(frame.image)
    copy = result.media(row_of(result, "c40/real/a.mp4")["path"])
    np.testing.assert_array_equal(images(copy), images(tmp_path / "expected.mp4"))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg program")
def test_the_copy_loses_as_much_as_with_the_ffmpeg_program(tmp_path: Path) -> None:
    result = run(two_clips(tmp_path), tmp_path / "out", "c23")
    codec = ["-c:v", "libx264", "-crf", "23", "-pix_fmt", "yuv420p", "-threads", "1"]
    ffmpeg = ["ffmpeg", "-v", "error", "-i", str(tmp_path / "a.mp4"), *codec]
    subprocess.run([*ffmpeg, str(tmp_path / "expected.mp4")], check=True)
    original = images(tmp_path / "a.mp4").astype(float)
    copy = images(result.media(row_of(result, "c23/real/a.mp4")["path"]))
    ours = np.mean((copy - original) ** 2)
    theirs = np.mean((images(tmp_path / "expected.mp4") - original) ** 2)
    assert ours == pytest.approx(theirs, rel=0.03)


def test_a_disturbance_without_codec_is_written_without_loss(tmp_path: Path) -> None:
    result = run(two_clips(tmp_path), tmp_path / "out", "noise:5", seed=3)
    random = generator_for(3, "noise-5", "real/a.mp4")
    expected = list(parse_degradation("noise:5")(images(tmp_path / "a.mp4"), random))
    copy = result.media(row_of(result, "noise-5/real/a.mp4")["path"])
    np.testing.assert_array_equal(images(copy), expected)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_noise(tmp_path: Path) -> None:
    catalog = two_clips(tmp_path)
    hashes = [
        run(catalog, tmp_path / name, "noise:5+c23", seed=seed).table["sha256"].to_list()
        for name, seed in (("one", 0), ("two", 0), ("three", 1))
    ]
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


def test_raw_adds_nothing(tmp_path: Path) -> None:
    assert len(run(two_clips(tmp_path), tmp_path / "out", "raw", "c0")) == 2


def test_forgeries_bear_the_synthetic_mark_and_real_videos_do_not(tmp_path: Path) -> None:
    catalog = two_clips(tmp_path)
    write_clip(tmp_path / "a.mp4", synthetic="an animated portrait")
    result = run(catalog, tmp_path / "out", "c23")
    marks = [read_mark(result.media(path)) for path in result.filter(quality="c23").table["path"]]
    assert marks == ["an animated portrait", "paste from the data set made"]


def test_times_and_sound_are_kept(tmp_path: Path) -> None:
    catalog = two_clips(tmp_path)
    write_sound(tmp_path / "sound.mp4")
    times = [0.0, 0.1, 0.15, 0.4, 0.5, 0.55]
    write_clip(tmp_path / "a.mp4", times=times, audio_from=tmp_path / "sound.mp4")
    result = run(catalog, tmp_path / "out", "c23")
    copy = result.media(row_of(result, "c23/real/a.mp4")["path"])
    assert [frame.time for frame in read_frames(copy)] == pytest.approx(times, abs=1e-3)
    assert probe(copy).has_audio


def test_times_are_kept_where_frames_wait_in_an_encoder(tmp_path: Path) -> None:
    catalog = two_clips(tmp_path)
    times = [0.0, 0.1, 0.15, 0.4, 0.5, 0.55]
    write_clip(tmp_path / "a.mp4", times=times)
    result = run(catalog, tmp_path / "out", "c23+c40")
    copy = result.media(row_of(result, "c23+c40/real/a.mp4")["path"])
    assert [frame.time for frame in read_frames(copy)] == pytest.approx(times, abs=1e-3)


def write_sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), "fltp", "mono")
        frame.rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_video_that_cannot_be_read_is_a_row_with_its_reason(tmp_path: Path) -> None:
    catalog = two_clips(tmp_path)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    result = run(catalog, tmp_path / "out", "c23")
    assert result.table["status"].to_list() == ["ok", "ok", "ok", "unreadable"]
    assert "b.mp4" in row_of(result, "c23/fake/b.mp4")["reason"]
    assert not list((tmp_path / "out" / "c23" / "fake").glob("*"))


def test_what_failed_is_tried_again_on_request_only(tmp_path: Path) -> None:
    catalog = two_clips(tmp_path)
    rows = [row | {"sha256": hash_file(tmp_path / row["path"])} for row in file_rows(catalog)]
    make_catalog(rows, tmp_path).write(catalog)
    (tmp_path / "b.mp4").rename(tmp_path / "elsewhere.mp4")
    assert len(run(catalog, tmp_path / "out", "c23").usable()) == 3
    (tmp_path / "elsewhere.mp4").rename(tmp_path / "b.mp4")
    assert len(run(catalog, tmp_path / "out", "c23").usable()) == 3
    assert len(run(catalog, tmp_path / "out", "c23", retry_failed=True).usable()) == 4


def test_a_second_run_writes_nothing_and_adds_what_is_new(tmp_path: Path) -> None:
    catalog, out = two_clips(tmp_path), tmp_path / "out"
    first = run(catalog, out, "c23")
    written = {path: path.stat().st_mtime_ns for path in (out / "c23").rglob("*.mp4")}
    second = run(catalog, out, "c23", "c40")
    assert {path: path.stat().st_mtime_ns for path in (out / "c23").rglob("*.mp4")} == written
    assert second.filter(id=first.table["id"].to_list()).table.equals(first.table)
    assert len(second) == 6


def test_what_changes_in_the_table_alone_needs_no_new_video(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(two_clips(tmp_path), out, "c23")
    written = {path: path.stat().st_mtime_ns for path in (out / "c23").rglob("*.mp4")}
    result = run(two_clips(tmp_path, split="test"), out, "c23")
    assert {path: path.stat().st_mtime_ns for path in (out / "c23").rglob("*.mp4")} != {}
    assert set(result.table["split"]) == {"test"}
    assert len(written) == 2


def test_its_own_catalog_may_grow(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(two_clips(tmp_path), out, "c23")
    grown = run(out / "catalog.parquet", out, "c23", "c40")
    assert grown.table["quality"].to_list() == ["raw", "raw", "c23", "c23", "c40", "c40"]
    parents = grown.filter(quality="c40").table["parents"].to_list()
    assert parents == [["real/a.mp4"], ["fake/b.mp4"]]


def test_compressed_videos_are_not_compressed_again_unless_asked(tmp_path: Path) -> None:
    catalog = two_clips(tmp_path, quality="c23")
    with pytest.raises(
        InvalidInputError, match=r"videos of the quality raw, got 2 videos of c23; .*again"
    ):
        run(catalog, tmp_path / "out", "c40")
    result = run(catalog, tmp_path / "out", "c40", again=True)
    assert row_of(result, "c40/real/a.mp4")["quality"] == "c23+c40"


def test_items_that_are_not_usable_stay_in_the_table(tmp_path: Path) -> None:
    file = two_clips(tmp_path)
    broken = {"id": "c", "path": "c.mp4", "dataset": "made", "status": "unreadable", "reason": "x"}
    picture = {"id": "d", "path": "d.png", "dataset": "made", "kind": "image"}
    grown = make_catalog([broken, picture], tmp_path)
    catalog = make_catalog(file_rows(file) + grown.rows(), tmp_path)
    catalog.write(file)
    result = run(file, tmp_path / "out", "c23")
    assert result.table["id"].to_list()[:4] == ["real/a.mp4", "fake/b.mp4", "c", "d"]
    assert len(result) == 6


def file_rows(file: Path) -> list[dict[str, Any]]:
    return read_catalog(file).rows()


def test_a_copy_never_takes_the_place_of_another_item(tmp_path: Path) -> None:
    file = two_clips(tmp_path)
    other = {"id": "c23/real/a.mp4", "path": "b.mp4", "dataset": "made"}
    make_catalog([*file_rows(file), other], tmp_path).write(file)
    with pytest.raises(
        InvalidInputError, match=r"the id of a copy must be free, got 'c23/real/a\.mp4'"
    ):
        run(file, tmp_path / "out", "c23")


def test_two_copies_never_share_a_file(tmp_path: Path) -> None:
    file = two_clips(tmp_path)
    other = {"id": "real/a", "path": "b.mp4", "dataset": "made", "quality": "raw"}
    make_catalog([*file_rows(file), other], tmp_path).write(file)
    with pytest.raises(InvalidInputError, match="each copy must have a file of its own"):
        run(file, tmp_path / "out", "c23")


def test_a_misspelt_quality_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no 'gausian_blur'; did you mean"):
        run(two_clips(tmp_path), tmp_path / "out", "gausian_blur:3")
    assert not (tmp_path / "out").exists()


def test_processes_give_the_same_catalog(tmp_path: Path) -> None:
    catalog = two_clips(tmp_path)
    alone = run(catalog, tmp_path / "alone", "noise:3+c23")
    settings = DegradeSettings(catalog, tmp_path / "many", ("noise:3+c23",), workers=2)
    assert degrade_videos(settings).content_hash() == alone.content_hash()
