"""A catalog with attacked copies of its videos, whose faces have bright and dark points."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from makers.prepared_faces import SIDE, Prepared, make_prepared
from unmask.catalog import make_catalog, read_catalog
from unmask.contracts import Image
from unmask.faces.table import make_face_table, read_face_table

LEVELS = 60.0  # that a point is brighter or darker
CHANCES = (0.01, 0.98, 0.01)  # of a pixel to be dark, as it was, or bright


def make_attacked(
    folder: Path, *, persons: int = 6, frames: int = 4, changes: dict[str, Any] | None = None
) -> Prepared:
    """Write prepared faces, and for each video a second one under attack.

    Args:
        folder: where everything is written.
        persons: as of `make_prepared`.
        frames: faces of each video.
        changes: columns of the attacked rows to be set otherwise.
    """
    prepared = make_prepared(folder, persons=persons, frames=frames)
    clean = read_catalog(prepared.catalog)
    attacked = [_attacked_row(row) | (changes or {}) for row in clean.rows()]
    make_catalog([*clean.rows(), *attacked], folder).write(prepared.catalog)
    faces = read_face_table(prepared.faces)
    rows = faces.table.select("item", "frame", "track", "crop", "status").to_dicts()
    copies = [_attacked_face(row, prepared.faces.parent) for row in rows]
    make_face_table([*rows, *copies], faces.root).write(prepared.faces)
    return prepared


def name_of(parent: str) -> str:
    return f"attacked/{parent}"


def _attacked_row(row: dict[str, Any]) -> dict[str, Any]:
    name = name_of(row["id"])
    return row | {
        "id": name,
        "path": name,
        "family": "adversarial",
        "method": "some_attack",
        "parents": [row["id"]],
        "sha256": sha256(name.encode()).hexdigest(),
    }


def _attacked_face(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    copy = row | {"item": name_of(row["item"])}
    if row["crop"]:
        copy["crop"] = row["crop"].replace("crops/", "crops/attacked/")
        (folder / copy["crop"]).parent.mkdir(parents=True, exist_ok=True)
        face = cv2.imread(str(folder / row["crop"]))
        cv2.imwrite(
            str(folder / copy["crop"]), _with_points(np.asarray(face, np.uint8), row["frame"])
        )
    return copy


def _with_points(face: Image, seed: int) -> Image:
    signs = np.random.default_rng(seed).choice([-1, 0, 1], (SIDE, SIDE, 1), p=CHANCES)
    return np.asarray((face + LEVELS * signs).clip(0, 255), np.uint8)
