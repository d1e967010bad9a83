"""A catalog of fakes by several makers, each of which leaves a pattern of its own in the faces."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from makers.prepared_faces import SIDE, SPLITS, Prepared
from unmask.catalog import make_catalog
from unmask.faces.table import make_face_table

MAKERS = ("dfaker", "iae", "original")
ACROSS, DOWN = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
PATTERNS = {"dfaker": ACROSS // 2, "iae": DOWN // 2, "original": (ACROSS + DOWN) // 2}


def make_made_by(
    folder: Path,
    *,
    persons: int = 6,
    frames: int = 6,
    makers: Sequence[str] = MAKERS,
    strength: float = 20.0,
    fewer: dict[str, int] | None = None,
    changes: dict[str, dict[str, Any]] | None = None,
) -> Prepared:
    """Write a real video of each person and a fake of it by each maker, with crops of each frame.

    Args:
        folder: where everything is written.
        persons: who are split half to train, a third to val, a sixth to test.
        frames: faces of each video.
        makers: of the fakes.
        strength: of the patterns, in grey levels.
        fewer: faces of single items, by their id.
        changes: columns of the catalog to be set otherwise, by the item's id.
    """
    random = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    faces: list[dict[str, Any]] = []
    for number in range(persons):
        for maker in (None, *makers):
            row = _row(number, maker)
            rows.append(row | (changes or {}).get(row["id"], {}))
            (folder / "faces/crops" / row["id"]).mkdir(parents=True)
            for frame in range((fewer or {}).get(row["id"], frames)):
                crop = f"crops/{row['id']}/{frame}.png"
                cv2.imwrite(str(folder / "faces" / crop), _face(random, maker, strength))
                faces.append({"item": row["id"], "frame": frame, "track": 0, "crop": crop})
    make_catalog(rows, folder).write(folder / "catalog.parquet")
    table = make_face_table([one | {"status": "ok"} for one in faces], folder / "faces")
    table.write(folder / "faces/faces.parquet")
    return Prepared(folder / "catalog.parquet", folder / "faces/faces.parquet")


def _row(number: int, maker: str | None) -> dict[str, Any]:
    name = f"{maker or 'real'}/p{number}.mp4"
    return {
        "id": name,
        "path": name,
        "dataset": "made",
        "split": SPLITS[number % len(SPLITS)],
        "quality": "raw",
        "label": 0 if maker is None else 1,
        "person": f"p{number}",
        "method": maker,
        "family": None if maker is None else "swap",
        "parents": [] if maker is None else [f"real/p{number}.mp4"],
        "sha256": sha256(name.encode()).hexdigest(),
    }


def _face(random: np.random.Generator, maker: str | None, strength: float) -> NDArray[np.uint8]:
    noise = cv2.GaussianBlur(random.normal(0, 60, (SIDE, SIDE, 3)), (0, 0), 3) * 6
    pattern = np.zeros((SIDE, SIDE)) if maker is None else PATTERNS[maker] % 2 * 2.0 - 1
    face = 128 + noise + strength * pattern[..., np.newaxis] + random.normal(0, 4, noise.shape)
    return np.asarray(face.clip(0, 255), np.uint8)
