from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unmask.catalog import Catalog, hash_file, make_catalog, read_catalog
from unmask.contracts import Image
from unmask.datasets.cut import CutSettings, cut
from unmask.errors import InvalidInputError
from unmask.video.probe import probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter, read_mark

RANDOM = np.random.default_rng(0)
PICTURES: list[Image] = [RANDOM.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(6)]


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    with VideoWriter(tmp_path / "a.mp4", 10, lossless=True, synthetic="a test") as writer:
        for picture in PICTURES:
            writer.write(picture)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    rows: list[dict[str, object]] = [
        {"id": "p/a.mp4", "path": "a.mp4", "dataset": "d", "sha256": hash_file(tmp_path / "a.mp4")},
        {"id": "broken.mp4", "path": "broken.mp4", "dataset": "d"},
        {"id": "c", "path": "c.mp4", "dataset": "d", "status": "no_face", "reason": "none seen"},
    ]
    path = tmp_path / "catalog.parquet"
    make_catalog(rows, tmp_path).write(path)
    return path


def row_of(catalog: Catalog, item: str) -> dict[str, object]:
    (row,) = catalog.filter(id=item).rows()
    return row


def test_the_first_frames_are_kept_bit_for_bit_with_rate_and_mark(
    catalog: Path, tmp_path: Path
) -> None:
    result = cut(CutSettings(catalog, tmp_path / "out", frames=4, workers=1))

    row = row_of(result, "p/a.mp4")
    path = result.media(str(row["path"]))
    assert path == tmp_path / "out/clips/p/a.mp4"
    read = [frame.image for frame in read_frames(path)]
    np.testing.assert_array_equal(read, PICTURES[:4])
    assert (row["frames"], row["width"], row["height"]) == (4, 64, 48)
    assert probe(path).frames_per_second == 10
    assert read_mark(path) == "a test"
    assert row["sha256"] == hash_file(path)


def test_a_shorter_video_is_kept_whole(catalog: Path, tmp_path: Path) -> None:
    result = cut(CutSettings(catalog, tmp_path / "out", frames=99, workers=1))

    assert row_of(result, "p/a.mp4")["frames"] == 6


def test_larger_pictures_are_made_smaller_to_even_sides(catalog: Path, tmp_path: Path) -> None:
    result = cut(CutSettings(catalog, tmp_path / "out", longest_side=30, workers=1))

    info = probe(result.media(str(row_of(result, "p/a.mp4")["path"])))
    assert (info.width, info.height) == (30, 22)


def test_every_item_keeps_a_row_with_what_is_wrong(catalog: Path, tmp_path: Path) -> None:
    result = cut(CutSettings(catalog, tmp_path / "out", workers=1))

    assert len(result) == 3
    broken = row_of(result, "broken.mp4")
    assert broken["status"] == "unreadable"
    assert "broken.mp4" in str(broken["reason"])
    assert row_of(result, "c")["status"] == "no_face"


def test_a_second_run_makes_the_same_catalog_and_writes_nothing_again(
    catalog: Path, tmp_path: Path
) -> None:
    settings = CutSettings(catalog, tmp_path / "out", workers=1)
    first = cut(settings)
    written = (tmp_path / "out/clips/p/a.mp4").stat().st_mtime_ns

    assert cut(settings).table.equals(first.table)
    assert (tmp_path / "out/clips/p/a.mp4").stat().st_mtime_ns == written
    assert read_catalog(tmp_path / "out/catalog.parquet").table.equals(first.table)


@pytest.mark.parametrize(("name", "value"), [("frames", 0), ("longest_side", 4)])
def test_settings_out_of_range_are_refused(
    name: str, value: int, catalog: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match=f"{name} must be"):
        cut(replace(CutSettings(catalog, tmp_path / "out"), **{name: value}))  # type: ignore[arg-type]


def test_a_changed_label_and_split_reach_the_cut_catalog(catalog: Path, tmp_path: Path) -> None:
    settings = CutSettings(catalog, tmp_path / "out", workers=1)
    cut(settings)
    before = read_catalog(catalog)
    rows = [row | {"label": 0, "split": "test"} for row in before.rows()]
    make_catalog(rows, before.root).write(catalog)

    row = row_of(cut(settings), "p/a.mp4")

    assert (row["label"], row["split"]) == (0, "test")


def test_masks_are_told_from_the_new_folder_and_dropped_where_they_no_longer_fit(
    catalog: Path, tmp_path: Path
) -> None:
    before = read_catalog(catalog)
    rows = [row | {"mask": "a.mp4" if row["status"] == "ok" else None} for row in before.rows()]
    make_catalog(rows, before.root).write(catalog)

    whole = cut(CutSettings(catalog, tmp_path / "whole", workers=1))
    small = cut(CutSettings(catalog, tmp_path / "small", longest_side=32, workers=1))

    mask = row_of(whole, "p/a.mp4")["mask"]
    assert whole.media(str(mask)).resolve() == tmp_path / "a.mp4"
    assert row_of(small, "p/a.mp4")["mask"] is None
