"""A catalog with prepared faces: blurred noise, and in the fakes a faint chequered pattern."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from unmask.catalog import Catalog, make_catalog
from unmask.contracts import Image
from unmask.faces.table import make_face_table

SIDE = 64
SPLITS = ("train", "train", "train", "val", "val", "test")  # of the persons in turn


@dataclass(frozen=True)
class Prepared:
    """Where the catalog and the face table lie."""

    catalog: Path
    faces: Path


def make_prepared(
    folder: Path,
    *,
    persons: int = 6,
    frames: int = 6,
    qualities: Sequence[str] = ("raw",),
    strength: float = 14.0,
    changes: dict[str, dict[str, Any]] | None = None,
) -> Prepared:
    """Write a real and a fake video of each person at each quality, with the crops of each frame.

    Args:
        folder: where everything is written.
        persons: who are split half to train, a third to val, a sixth to test.
        frames: faces of each video.
        qualities: the first one is the original, of which the others are copies.
        strength: how strong the pattern of the fakes is, in grey levels.
        changes: columns of the catalog to be set otherwise, by the item's id.
    """
    rows = [
        row | (changes or {}).get(row["id"], {})
        for number in range(persons)
        for quality in qualities
        for row in _videos(number, quality, qualities[0])
    ]
    catalog = make_catalog(rows, folder)
    catalog.write(folder / "catalog.parquet")
    write_faces(folder, catalog, frames, strength)
    return Prepared(folder / "catalog.parquet", folder / "faces/faces.parquet")


def write_faces(folder: Path, catalog: Catalog, frames: int, strength: float) -> None:
    """Write the crops and the face table, whose last frame of each video has no face."""
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for item, label in catalog.table.select("id", "label").iter_rows():
        (folder / "faces/crops" / item).mkdir(parents=True)
        for frame in range(frames + 1):
            crop = f"crops/{item}/{frame}.png" if frame < frames else None
            if crop:
                write_crop(folder / "faces" / crop, random, strength if label == 1 else 0.0)
            status = "ok" if crop else "no_face"
            rows.append({"item": item, "frame": frame, "track": 0, "crop": crop, "status": status})
    make_face_table(rows, folder / "faces").write(folder / "faces/faces.parquet")


def write_crop(path: Path, random: np.random.Generator, strength: float) -> None:
    cv2.imwrite(str(path), draw_face(random, strength))


def draw_face(random: np.random.Generator, strength: float) -> Image:
    """Return blurred noise with a chequered pattern of so many grey levels."""
    noise = cv2.GaussianBlur(random.normal(0, 60, (SIDE, SIDE, 3)), (0, 0), 3) * 6
    chequers = np.indices((SIDE, SIDE)).sum(0) // 2 % 2 * 2 - 1
    face = 128 + noise + strength * chequers[..., np.newaxis] + random.normal(0, 4, noise.shape)
    return np.asarray(face.clip(0, 255), np.uint8)


def _videos(number: int, quality: str, original: str) -> list[dict[str, Any]]:
    """Return the rows of a person's real video and of the fake that was put on it."""
    person = f"p{number}"
    common = {"dataset": "made", "split": SPLITS[number % len(SPLITS)], "quality": quality}
    found: list[dict[str, Any]] = []
    for kind, label in (("real", 0), ("fake", 1)):
        name = f"{kind}/{person}_{quality}.mp4"
        first = f"{kind}/{person}_{original}.mp4"
        made_from = [] if label == 0 else [f"real/{person}_{original}.mp4"]
        found.append(
            common
            | {
                "id": name,
                "path": name,
                "label": label,
                "person": person,
                "method": "chequers" if label else None,
                "family": "swap" if label else None,
                "parents": made_from if quality == original else [first],
                "sha256": sha256(name.encode()).hexdigest(),
            }
        )
    return found
