"""What is recorded of a swap's files stays true when the settings change and change back."""

import json
from pathlib import Path
from typing import Any

from makers.small_swap import SMALL, drawn, settings, swaps
from unmask.catalog import Catalog, hash_file
from unmask.swapping.dfdm import DfdmSettings, build_dfdm
from unmask.swapping.forge_swap import forge_swap
from unmask.swapping.made_files import as_recorded


def check_files(catalog: Catalog, row: dict[str, Any]) -> None:
    assert hash_file(catalog.media(row["path"])) == row["sha256"]
    mask = json.loads(row["settings"])["mask_sha256"]
    assert hash_file(catalog.media(row["mask"])) == mask


def test_settings_that_are_changed_and_changed_back_give_the_first_swap_again(
    tmp_path: Path,
) -> None:
    path, out = drawn(tmp_path), tmp_path / "out"
    rows = []
    for erosion in (0, 0.2, 0):
        catalog = forge_swap(settings(path, out, erosion=erosion))
        rows += swaps(catalog)
        check_files(catalog, rows[-1])
    assert rows[0] == rows[2]
    assert rows[0]["sha256"] != rows[1]["sha256"]


def test_built_data_set_tells_of_the_files_that_there_are(tmp_path: Path) -> None:
    path = drawn(tmp_path, "ann", "bob", split="train")
    more: dict[str, Any] = {**SMALL, "pairs": 1, "models": ("original",), "rates": (23,)}
    for erosion in (0, 0.2, 0):
        catalog = build_dfdm(DfdmSettings(path, out=tmp_path / "out", erosion=erosion, **more))
        (row,) = swaps(catalog)
        check_files(catalog, row)


def test_changed_and_missing_files_are_named_by_paths_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"a")
    (tmp_path / "b.mp4").write_bytes(b"b")
    rows = [{"path": name, "sha256": hash_file(tmp_path / "a.mp4")} for name in ("a.mp4", "b.mp4")]
    kept, changed, missing = as_recorded([*rows, {"path": "c.mp4", "sha256": "0"}], tmp_path)
    assert kept == tmp_path / "a.mp4"
    assert not changed.exists()
    assert not missing.exists()
