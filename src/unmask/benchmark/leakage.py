"""Refuse a test set that a checkpoint has seen."""

from collections.abc import Collection

import polars as pl

from unmask.catalog import Catalog
from unmask.errors import InvalidInputError


class LeakageError(InvalidInputError):
    """A test set shares videos or persons with the training."""


def refuse_seen(
    test: Catalog, *, hashes: Collection[str], persons: Collection[str], lineage: Catalog
) -> None:
    """Refuse a test set with videos or persons that the training or the selection has seen.

    A copy of a seen video at another quality counts as seen, and so does a forgery made from it.

    Args:
        test: the items to be scored.
        hashes: SHA-256 of every item of the training and validation, and of all their ancestors.
        persons: `data set/person` of the same items.
        lineage: a catalog in which the parents of the test items are found.

    Raises:
        LeakageError: naming the first seen items and persons.
    """
    seen_items = sorted(
        item
        for item, made_from in _hashes_with_ancestors(test, lineage).items()
        if made_from & set(hashes)
    )
    seen_persons = sorted(persons_of(test) & set(persons))
    if seen_items or seen_persons:
        raise LeakageError(
            "a test set must hold only videos and persons that the checkpoint has not seen, got "
            f"{len(seen_items)} seen videos ({_few(seen_items)}) and {len(seen_persons)} seen "
            f"persons ({_few(seen_persons)}); test on another split or data set"
        )


def persons_of(catalog: Catalog) -> set[str]:
    """Return `data set/person` for everybody in the catalog, sources of swaps among them."""
    both = pl.concat(
        [
            catalog.table.select("dataset", pl.col(name).alias("person"))
            for name in ("person", "source_person")
        ]
    ).drop_nulls()
    return set(both.select(pl.format("{}/{}", "dataset", "person")).to_series())


def _hashes_with_ancestors(test: Catalog, lineage: Catalog) -> dict[str, set[str]]:
    """Return for each test item its own hash and those of all that it was made from."""
    columns = ["id", "parents", "sha256"]
    known = {row[0]: row[1:] for row in lineage.table.select(columns).iter_rows()}
    found = {}
    for item, parents, own in test.table.select(columns).iter_rows():
        hashes, waiting, met = {own}, list(parents or []), {item}
        while waiting:
            parent = waiting.pop()
            if parent in known and parent not in met:
                met.add(parent)
                grandparents, sha256 = known[parent]
                hashes.add(sha256)
                waiting.extend(grandparents or [])
        found[item] = hashes - {None}
    return found


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "") if names else "none"
