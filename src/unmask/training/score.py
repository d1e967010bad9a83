"""Scoring prepared faces."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.catalog import Catalog
from unmask.torch_contracts import Detector
from unmask.training.batches import ahead, as_faces, stacked
from unmask.training.clips import in_clips
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

    Of a network of clips it is the score of every clip: consecutive faces of one track that do not
    overlap. Items with fewer faces than a clip have no row.

    Args:
        detector: what scores them.
        faces: the file of the face table, or what `read_faces` gives of it.
        catalog: the items whose faces are scored; others in the face table are left out.
        batch: faces that go through the network at once, at least one clip.
        device: where the network runs.
        store: decoded faces that are kept between calls.
        workers: threads that decode; 0 chooses.

    Returns:
        `item`, `frame` (of a clip the first), `track` and `score`, P(fake) in [0, 1], ordered by
        the first three.

    Raises:
        NotFoundError: if the face table does not exist.
        InvalidInputError: if it is no face table, or no class is of `BENIGN`.
        UnreadableMediaError: if a crop cannot be read.
    """
    found, logits = _judged(
        detector, faces, catalog, batch=batch, device=device, store=store, workers=workers
    )
    return found.with_columns(score=pl.Series(fake_probability(detector, logits)))


def class_probabilities(
    detector: Detector,
    faces: Path | pl.DataFrame,
    catalog: Catalog,
    *,
    batch: int = 32,
    device: str = "cpu",
    store: FaceStore | None = None,
    workers: int = 0,
) -> pl.DataFrame:
    """Return the probability of each class for every usable face of the catalog's items.

    Faces and clips are those of `score_faces`, whose arguments and errors it has, but no class has
    to be benign. No temperature is applied.

    Returns:
        `item`, `frame` (of a clip the first), `track`, for each class of the detector
        `p_<class>`, which sum to 1, and `level`, the log-sum-exp of the logits, which these
        probabilities lack. Rows are ordered by the first three.
    """
    found, logits = _judged(
        detector, faces, catalog, batch=batch, device=device, store=store, workers=workers
    )
    level = logits.double().logsumexp(-1, keepdim=True)
    each = (logits - level).exp().numpy().T
    named = zip(detector.classes, each, strict=True)
    told = found.with_columns(pl.Series(f"p_{name}", values) for name, values in named)
    return told.with_columns(level=pl.Series(level.squeeze(-1).numpy()))


def _judged(
    detector: Detector,
    faces: Path | pl.DataFrame,
    catalog: Catalog,
    *,
    batch: int,
    device: str,
    store: FaceStore | None,
    workers: int,
) -> tuple[pl.DataFrame, Tensor]:
    """Return `item`, `frame` and `track`, and the logits (n, classes) of these faces or clips."""
    table = read_faces(faces) if isinstance(faces, Path) else faces
    found = in_clips(joined(catalog.table.select("id"), table), detector.frames)
    with kept_memory():
        logits = face_logits(
            detector,
            found.clips,
            batch=batch,
            device=torch.device(device),
            store=FaceStore(gib=0) if store is None else store,
            workers=workers,
        )
    return found.table.select("item", "frame", "track"), logits


def fake_probability(detector: Detector, logits: Tensor) -> NDArray[np.float64]:
    """Return P(fake) (n,) of logits (n, classes), without the rounding of single precision."""
    return torch.sigmoid(detector.odds_of(logits.double())).numpy()


def face_logits(
    detector: Detector,
    clips: Sequence[Sequence[str]],
    *,
    batch: int,
    device: torch.device,
    store: FaceStore,
    workers: int = 0,
    change: Change | None = None,
) -> Tensor:
    """Return the logits (n, classes) of faces or clips, on the CPU.

    Args:
        detector: what says them; in evaluation mode.
        clips: the files of each; of a single face one.
        batch: faces that go through the network at once, at least one clip.
        device: where the network runs.
        store: decoded faces that are kept between calls.
        workers: threads that decode; 0 chooses.
        change: what happens to the faces (n, T, 3, H, W) of a batch, and the place of its first,
            before the network sees them.

    Raises:
        UnreadableMediaError: if a crop cannot be read.
    """

    def decoded(some: Sequence[Sequence[str]]) -> Tensor:
        return stacked([[store.face(crop, detector.size) for crop in clip] for clip in some])

    at_once = max(1, batch // detector.frames)
    starts = range(0, len(clips), at_once)
    parts = (clips[start : start + at_once] for start in starts)
    before = detector.training
    detector.to(device).eval()
    found: list[Tensor] = []
    try:
        for start, images in zip(starts, ahead(decoded, parts, workers), strict=True):
            faces = as_faces(images, device)
            if change is not None:
                faces = change(faces, start)
            with torch.inference_mode():
                found.append(detector(faces).float().cpu())
    finally:
        detector.train(before)
    return torch.cat(found) if found else torch.empty(0, len(detector.classes))
