"""Refuse a test set that a checkpoint has seen."""

import logging
from collections.abc import Collection

import polars as pl

from unmask.catalog import Catalog
from unmask.errors import InvalidInputError
from unmask.training.checkpoint import Card
from unmask.training.seen import seen_items

logger = logging.getLogger(__name__)

UNKNOWN_TRAINING = (
    "Nobody knows what the weights of {} were trained on, as another project has made them or what "
    "they started from: the test videos and their persons may be among it, and the figures then "
    "are too good."
)


class LeakageError(InvalidInputError):
    """A test set shares videos or persons with the training."""


def notes_on_seen(card: Card, test: Catalog, *, lineage: Catalog) -> tuple[str, ...]:
    """Refuse a test set that a checkpoint has seen; where nobody can know, warn and return a note.

    Args:
        card: of the checkpoint.
        test: the items to be scored.
        lineage: a catalog in which the ancestors of the test items are found.

    Returns:
        What the reader of a result has to know; nothing where the test set is surely unseen.

    Raises:
        LeakageError: as `refuse_seen` does.
    """
    if card.seen_is_known or card.seen_hashes:
        refuse_seen(test, hashes=card.seen_hashes, persons=card.seen_persons, lineage=lineage)
    if card.seen_is_known:
        return ()
    note = UNKNOWN_TRAINING.format(card.detector)
    logger.warning("%s", note)
    return (note,)


def refuse_seen(
    test: Catalog, *, hashes: Collection[str], persons: Collection[str], lineage: Catalog
) -> None:
    """Refuse a test set with videos or persons that the training or the selection has seen.

    A copy of a seen video at another quality counts as seen, and so does a forgery made from it.

    Args:
        test: the items to be scored.
        hashes: SHA-256 of every item of the training and validation, and of all their ancestors.
        persons: `data set/person` of the same items.
        lineage: a catalog in which the ancestors of the test items are found.

    Raises:
        LeakageError: naming the first seen items and persons, or an item whose hash is unknown.
    """
    unknown = test.table.filter(pl.col("sha256").is_null())["id"]
    if len(unknown):
        raise LeakageError(
            f"sha256 must be known of every test item, got none for {unknown[0]!r} and "
            f"{len(unknown) - 1} more; index the videos, which hashes them"
        )
    seen = seen_items(test, hashes=hashes, persons=persons, lineage=lineage)
    videos, people = sorted(seen.videos), sorted(set(seen.persons["person"]))
    if videos or people:
        raise LeakageError(
            "a test set must hold only videos and persons that the checkpoint has not seen, got "
            f"{len(videos)} seen videos ({_few(videos)}) and {len(people)} seen persons "
            f"({_few(people)}); test on another split or data set"
        )


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "") if names else "none"
