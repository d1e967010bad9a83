"""In which order an epoch takes the training faces: a function of the seed and the epoch alone."""

import logging
from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unmask.errors import InvalidInputError
from unmask.seeding import generator_for
from unmask.training.data import Faces

logger = logging.getLogger(__name__)

Order = NDArray[np.int64]
Sampler = Callable[[int], Order]


def sampler_for(sampling: str, faces: Faces, ancestors: pl.DataFrame, *, seed: int) -> Sampler:
    """Return the function that gives an epoch's order of faces, as row numbers.

    Args:
        sampling: `all` takes each face once; `balanced` as many of each class, alternating, the
            rarer ones again and again; `paired` each fake after the real face that it was put on,
            or each attacked face after the clean one.
        faces: the training faces.
        ancestors: rows (id, ancestor), of what each item was made from.
        seed: of the run.

    Raises:
        InvalidInputError: if faces are to be paired and no fake has a real counterpart.
    """
    if sampling == "all":
        return lambda epoch: _random(seed, epoch, "all").permutation(len(faces))
    if sampling == "paired":
        pairs = benign_counterparts(faces, ancestors)
        return lambda epoch: _random(seed, epoch, "pairs").permutation(pairs).reshape(-1)
    rows = {name: np.flatnonzero(faces.labels == label) for label, name in enumerate(faces.classes)}

    def balanced(epoch: int) -> Order:
        count = max(map(len, rows.values()))
        columns = [_cycled(some, count, _random(seed, epoch, name)) for name, some in rows.items()]
        return np.stack(columns, 1).reshape(-1)

    return balanced


def benign_counterparts(faces: Faces, ancestors: pl.DataFrame) -> Order:
    """Return (pairs, 2) row numbers: a benign face, and one of another class made from it.

    The counterpart shows the same person at the same quality, in a video that the other was made
    from or in another copy of that video, at the nearest frame. Of several videos it is an
    ancestor, and the one with most ancestors in common: an attacked fake goes with that fake.

    Raises:
        InvalidInputError: if no fake has one.
    """
    rows = faces.table.with_row_index("row")
    partners = _partners(rows.unique("item", maintain_order=True), ancestors)
    fakes = rows.filter(pl.col("label") != 0)
    reals = rows.filter(pl.col("label") == 0).select("frame", real="row", partner="item")
    found = (
        fakes.join(partners, on="item")
        .select("row", "partner", "frame")
        .sort("frame")
        .join_asof(
            reals.sort("frame"),
            on="frame",
            by="partner",
            strategy="nearest",
            check_sortedness=False,
        )
        .sort("row")
    )
    if found.is_empty():
        raise InvalidInputError(
            f"paired sampling must find the real face of a fake, got none for {len(fakes)} fakes; "
            "fill in parents and person in the catalog, or take sampling=balanced"
        )
    if len(found) < len(fakes):
        logger.warning("%d fakes have no real face to pair", len(fakes) - len(found))
    return found.select("real", "row").to_numpy().astype(np.int64)


def _partners(items: pl.DataFrame, ancestors: pl.DataFrame) -> pl.DataFrame:
    """Return rows (item, partner): each item that is not benign, and its closest benign kin."""
    own = items.select("item", ancestor="item")
    lineage = pl.concat([own, ancestors.select("ancestor", item="id").select("item", "ancestor")])
    told = items.select("item", "label", "quality", "person").join(lineage, on="item")
    reals, fakes = told.filter(pl.col("label") == 0), told.filter(pl.col("label") != 0)
    shared = ["ancestor", "quality", "person"]
    return (
        fakes.join(reals.rename({"item": "partner"}), on=shared, nulls_equal=True)
        .group_by("item", "partner")
        .agg(pl.len().alias("common"), (pl.col("ancestor") == pl.col("partner")).any().alias("own"))
        .sort("own", "common", "partner", descending=[True, True, False])
        .group_by("item")
        .agg(pl.col("partner").first())
    )


def _cycled(rows: Order, count: int, random: np.random.Generator) -> Order:
    """Return `count` rows, none again before all have had their turn."""
    rounds = -(-count // len(rows))
    return np.concatenate([random.permutation(rows) for _ in range(rounds)])[:count]


def _random(seed: int, epoch: int, name: str) -> np.random.Generator:
    return generator_for(seed, "order", name, epoch)
