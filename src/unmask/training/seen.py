"""Which items a checkpoint has seen: copies of its videos, what was made of them, its persons."""

from collections.abc import Collection
from typing import NamedTuple

import polars as pl

from unmask.catalog import Catalog


class SeenItems(NamedTuple):
    """What of some items a training or its validation has seen.

    Attributes:
        videos: ids of items that were seen, or were made from one that was.
        persons: rows `id` and `person` (`data set/person`) of those that were seen.
    """

    videos: frozenset[str]
    persons: pl.DataFrame


def seen_items(
    items: Catalog, *, hashes: Collection[str], persons: Collection[str], lineage: Catalog
) -> SeenItems:
    """Return what of the items was seen.

    A copy of a seen video at another quality counts as seen, and so does a forgery made from it.

    Args:
        items: that are asked about.
        hashes: SHA-256 of every item of the training and validation, and of all their ancestors.
        persons: `data set/person` of the same items.
        lineage: a catalog in which the ancestors of the items are found.
    """
    made_from = lineage.ancestors().vstack(lineage.table.select("id", ancestor="id"))
    hashed = lineage.table.select(ancestor="id", sha256="sha256")
    seen = made_from.join(hashed, on="ancestor").filter(pl.col("sha256").is_in(list(hashes)))
    known = items.people().filter(pl.col("person").is_in(list(persons)))
    return SeenItems(frozenset(seen["id"]) & frozenset(items.table["id"]), known)
