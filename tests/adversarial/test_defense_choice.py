"""Which videos the defence data set is made from, and the names of their faces."""

from pathlib import Path
from typing import Any

import pytest

from makers.forged_tree import make
from unmask.adversarial.defense_choice import chosen_videos, file_names, first_videos
from unmask.catalog import make_catalog
from unmask.datasets.defense_names import image_name, says_attacked


def row(item: str, person: str | None = None, method: str = "swap", **more: Any) -> dict[str, Any]:
    plain = {"id": item, "path": item, "dataset": "mine", "label": 1, "family": "swap"}
    return plain | {"method": method, "person": person} | more


def choose(source: Path, out: Path, **changes: Any) -> list[str]:
    given: dict[str, Any] = {"videos": 2, "numbering": "ids", "methods": (), "quality": "raw"}
    more = {"splits": None, "workers": 1, "retry_failed": False}
    return list(chosen_videos(source, out, **(given | more | changes)).table["id"])


def test_without_ids_the_first_are_those_of_the_first_persons() -> None:
    rows = [row("a.mp4", "p10"), row("b.mp4", "p9"), row("c.mp4", "p9"), row("d.mp4", "p9")]
    for numbering, expected in {"ids": ["b.mp4", "c.mp4"], "listing": ["a.mp4", "b.mp4"]}.items():
        found = first_videos(rows[::-1], videos=2, numbering=numbering)
        assert [one["id"] for one in found] == expected


def test_ids_count_by_themselves_even_where_videos_are_missing() -> None:
    rows = [row(f"{person}_870.mp4", person) for person in ("000", "001", "100", "101")]
    found = first_videos(rows, videos=100, numbering="ids")
    assert [one["person"] for one in found] == ["001", "100"]


def test_of_a_catalog_usable_forgeries_of_the_quality_are_taken(tmp_path: Path) -> None:
    rows = [
        row("real.mp4", "a") | {"label": 0, "family": None, "method": None},
        row("attacked.mp4", "b", family="adversarial"),
        row("broken.mp4", "c", status="failed", reason="torn"),
        row("picture.png", "d", kind="image"),
        row("c23.mp4", "e", quality="c23"),
        row("unknown.mp4", "f"),
        row("raw.mp4", "g", quality="raw"),
    ]
    make_catalog(rows, tmp_path).write(tmp_path / "catalog.parquet")
    source = tmp_path / "catalog.parquet"
    assert choose(source, tmp_path / "out", videos=9) == ["unknown.mp4", "raw.mp4"]
    assert choose(source, tmp_path / "out", quality="c23") == ["c23.mp4"]


def test_of_a_folder_only_the_chosen_videos_are_read(tmp_path: Path) -> None:
    make(tmp_path / "tree", methods=("FaceSwap", "FaceShifter"), quality="c23")
    found = choose(tmp_path / "tree", tmp_path / "out", videos=1, quality="c23")
    assert found == ["manipulated_sequences/FaceSwap/c23/videos/001_870.mp4"]
    assert len((tmp_path / "out/source/journal.jsonl").read_text().splitlines()) == 1


def test_methods_that_are_not_all_there_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path / "tree", methods=("FaceSwap",), videos=("001_870",))
    choose(tmp_path / "tree", tmp_path / "out")
    assert "there is no video by Deepfakes, Face2Face, NeuralTextures" in caplog.text


def test_each_video_has_a_name_of_its_own_that_fits() -> None:
    rows = [row("a/new_1.mp4"), row("a/new-1.mp4"), row("A/x.mp4"), row("b/X.mp4"), row("y.mp4")]
    rows += [row(f"{'z' * 300}.mp4"), row("y.mp4/other", method="a/b"), row("w.mp4", method="..")]
    names = file_names(rows)
    assert names["y.mp4"] == "swap/y"
    assert names["y.mp4/other"] == "a-b/other"
    assert names["w.mp4"] == "forged/w"
    images = [image_name(Path(name).name, 0) for name in names.values()]
    assert len({image.lower() for image in images}) == len(rows)
    assert not any(says_attacked(image) for image in images)
    assert max(map(len, images)) < 100
