"""Scoring prepared faces."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.catalog import Catalog
from unmask.torch_contracts import Detector
from unmask.training.batches import ahead, as_faces, stacked
from unmask.training.data import joined, read_faces
from unmask.training.memory import kept_memory
from unmask.training.store import FaceStore

Change = Callable[[Tensor, int], Tensor]


def score_faces(
    detector: Detector,
    faces: Path | pl.DataFrame,
    catalog: Catalog,
    *,
    batch: int = 32,
    device: str = "cpu",
    store: FaceStore | None = None,
    workers: int = 0,
) -> pl.DataFrame:
    """Return the score of every usable face of the catalog's items.

    Args:
        detector: what scores them.
        faces: the file of the face table, or what `read_faces` gives of it.
        catalog: the items whose faces are scored; others in the face table are left out.
        batch: faces that go through the network at once.
        device: where the network runs.
        store: decoded faces that are kept between calls.
        workers: threads that decode; 0 chooses.

    Returns:
        `item`, `frame`, `track` and `score`, P(fake) in [0, 1], ordered by the first three.

    Raises:
        NotFoundError: if the face table does not exist.
        InvalidInputError: if it is no face table.
        UnreadableMediaError: if a crop cannot be read.
    """
    found = joined(catalog.table.select("id"), _read(faces))
    with kept_memory():
        logits = face_logits(
            detector,
            found.crops,
            batch=batch,
            device=torch.device(device),
            store=FaceStore(gib=0) if store is None else store,
            workers=workers,
        )
    scores = fake_probability(detector, logits)
    return found.table.select("item", "frame", "track").with_columns(score=pl.Series(scores))


def _read(faces: Path | pl.DataFrame) -> pl.DataFrame:
    return read_faces(faces) if isinstance(faces, Path) else faces


def fake_probability(detector: Detector, logits: Tensor) -> NDArray[np.float64]:
    """Return P(fake) (n,) of logits (n, classes), without the rounding of single precision."""
    return torch.sigmoid(detector.odds_of(logits.double())).numpy()


def face_logits(
    detector: Detector,
    crops: Sequence[str],
    *,
    batch: int,
    device: torch.device,
    store: FaceStore,
    workers: int = 0,
    change: Change | None = None,
) -> Tensor:
    """Return the logits (n, classes) of crops, on the CPU.

    Args:
        detector: what says them; in evaluation mode.
        crops: the files.
        batch: faces that go through the network at once.
        device: where the network runs.
        store: decoded faces that are kept between calls.
        workers: threads that decode; 0 chooses.
        change: what happens to the faces (n, 1, 3, H, W) of a batch, and the place of its first,
            before the network sees them.

    Raises:
        UnreadableMediaError: if a crop cannot be read.
    """

    def decoded(some: Sequence[str]) -> Tensor:
        return stacked([store.face(crop, detector.size) for crop in some])

    parts: Iterator[Sequence[str]] = (
        crops[start : start + batch] for start in range(0, len(crops), batch)
    )
    before = detector.training
    detector.to(device).eval()
    found: list[Tensor] = []
    try:
        for place, images in enumerate(ahead(decoded, parts, workers)):
            faces = as_faces(images, device)
            if change is not None:
                faces = change(faces, place * batch)
            with torch.inference_mode():
                found.append(detector(faces).float().cpu())
    finally:
        detector.train(before)
    return torch.cat(found) if found else torch.empty(0, len(detector.classes))
