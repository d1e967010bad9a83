"""Fakes of makers that each tint a face in one colour, and a network that reads the tint."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from makers.cards import card_of
from unmask.catalog import make_catalog
from unmask.faces.table import make_face_table
from unmask.torch_contracts import Detector
from unmask.training.checkpoint import Card

SIDE = 8
GAIN = 40.0
TINTS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "grey": (1, 1, 1)}
KNOWN = ("red", "green", "blue")
FRAMES = 3


class Tints(Detector):
    """Logits of red, green and blue: 40 times the mean of that colour, less 20."""

    def __init__(self, *, frames: int = 1, classes: tuple[str, ...] = KNOWN) -> None:
        super().__init__(size=SIDE, classes=classes, frames=frames)
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def logits(self, faces: Tensor) -> Tensor:
        found = GAIN * (faces.mean((3, 4)) - 0.5)
        return found.mean(1) if self.frames > 1 else found


@dataclass(frozen=True)
class Tinted:
    """Where the catalog and the face table lie, and how strongly each video is tinted."""

    catalog: Path
    faces: Path
    strength: dict[str, float]


def make_tinted(folder: Path, *, copies: Sequence[str] = ()) -> Tinted:
    """Write a real video and one fake of each maker for eight persons, four of them of val.

    The fakes of val are there again at each quality of `copies`; the first is `raw`.

    In test there are besides: a video without a face, one of one face only, one that is not
    prepared, one that could not be decoded, and one of which nothing is known but that it is red.
    """
    random = np.random.default_rng(1)
    rows: list[dict[str, Any]] = []
    for number in range(8):
        split = "val" if number < 4 else "test"
        rows.append(_row(f"real/p{number}", number, split, label=0))
        fakes = [
            _row(
                f"{maker}/p{number}",
                number,
                split,
                label=1,
                method=maker,
                parents=[f"real/p{number}"],
            )
            for maker in TINTS
        ]
        rows += fakes
        rows += [
            one | {"id": f"{quality}/{one['id']}", "quality": quality}
            for quality in copies
            for one in fakes
            if split == "val"
        ]
    odd = ("faceless", "short", "unprepared")
    rows += [_row(name, 9, "test", label=1, method="red") for name in odd]
    rows.append(
        _row("broken", 9, "test", label=1, status="unreadable", reason="the file has no frame")
    )
    rows.append(_row("found", 9, "test", method=None, sha256=None))
    make_catalog(rows, folder).write(folder / "catalog.parquet")
    strength = {row["id"]: float(random.uniform(0.02, 0.2)) for row in rows}
    faces = [one for row in rows for one in _faces(folder / "faces", row, strength[row["id"]])]
    make_face_table(faces, folder / "faces").write(folder / "faces/faces.parquet")
    return Tinted(folder / "catalog.parquet", folder / "faces/faces.parquet", strength)


def card_of_tints(detector: Detector, **changes: Any) -> Card:
    """Return the card of a network that has learned makers from people of another data set."""
    trained_on = {"dataset": "other", "qualities": ["raw"], "methods": list(KNOWN)}
    said: dict[str, Any] = {
        "trained_on": trained_on | {"target": "method"},
        "weights_sha256": "a" * 64,
    }
    return card_of(detector, **said | changes)


def _row(name: str, number: int, split: str, **more: Any) -> dict[str, Any]:
    place = {
        "id": name,
        "path": f"{name}.mp4",
        "dataset": "tinted",
        "split": split,
        "quality": "raw",
    }
    person = {"person": f"p{number}", "sha256": sha256(name.encode()).hexdigest()}
    return place | person | more


def _faces(root: Path, row: dict[str, Any], strength: float) -> list[dict[str, Any]]:
    name = row["id"]
    if name in ("unprepared", "broken"):
        return []
    if name == "faceless":
        return [{"item": name, "frame": one, "status": "no_face"} for one in range(FRAMES)]
    tint = np.array(TINTS.get(row.get("method") or ("red" if name == "found" else ""), (0, 0, 0)))
    found = []
    for frame in range(1 if name == "short" else FRAMES):
        crop = f"crops/{name}/{frame}.png"
        (root / crop).parent.mkdir(parents=True, exist_ok=True)
        colour = np.rint(127.5 + 255 * strength * (1 + 0.1 * frame) * (tint - tint.mean()))
        face = np.tile(colour[::-1], (SIDE, SIDE, 1)).astype(np.uint8)
        cv2.imwrite(str(root / crop), face)
        found.append({"item": name, "frame": frame, "track": 0, "crop": crop, "status": "ok"})
    return found
