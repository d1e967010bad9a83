"""Whether the files of a swap are still those that its row tells of."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from unmask.catalog import hash_file

Row = dict[str, Any]

MASK_HASH = "mask_sha256"  # in the settings of a row


def with_mask_hash(rows: Iterable[Row], out: Path) -> list[Row]:
    """Return rows as `convert_clip` makes them, with the hash of the masks in their settings.

    Args:
        rows: of one clip.
        out: the folder that their paths are told from.
    """
    return [
        row | {"settings": _and_mask(row["settings"], out / row["mask"])}
        if row["status"] == "ok"
        else row
        for row in rows
    ]


def as_recorded(rows: Sequence[Row], out: Path) -> list[Path]:
    """Return the files of rows whose status is ok; for a changed one, a path that is not there.

    Other settings write to the same places: that a file exists does not say whose it is.

    Args:
        rows: as they were recorded.
        out: the folder that their paths are told from.
    """
    files = {out / row["path"]: row["sha256"] for row in rows}
    for row in rows:
        if row.get("mask"):
            files[out / row["mask"]] = json.loads(row["settings"]).get(MASK_HASH)
    return [
        path if path.is_file() and hash_file(path) == sha256 else path / "changed"
        for path, sha256 in files.items()
    ]


def _and_mask(settings: str, mask: Path) -> str:
    return json.dumps(json.loads(settings) | {MASK_HASH: hash_file(mask)}, sort_keys=True)
