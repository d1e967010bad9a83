"""Whose face goes where: real videos, each with sources of other people of its own split."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unmask.catalog import Catalog
from unmask.contracts import REAL
from unmask.errors import InvalidInputError
from unmask.schema import PRISTINE
from unmask.seeding import seed_for

logger = logging.getLogger(__name__)

Row = dict[str, Any]
Group = tuple[str, str | None]  # data set and split: people of one are never mixed with another


@dataclass(frozen=True)
class Pair:
    """A clip to change and the clip that lends the face.

    Args:
        target: the catalog's row.
        source: the catalog's row; None where the method needs none.
        number: counts the forgeries of one target, from 0.
    """

    target: Row
    source: Row | None
    number: int


def real_videos(catalog: Catalog, quality: str | None) -> list[Row]:
    """Return the usable real videos of a quality; None for pristine ones.

    Raises:
        InvalidInputError: if there is none.
    """
    real = catalog.filter(status="ok", kind="video", label=REAL).rows()
    wanted = PRISTINE if quality is None else (quality,)
    rows = [row for row in real if row["quality"] in wanted]
    if not rows:
        there = sorted({str(row["quality"]) for row in real})
        raise InvalidInputError(
            "the catalog must hold usable real videos of the quality "
            f"{quality or 'raw'}, got {len(real)} real videos of {', '.join(there) or 'none'}; "
            "set quality to one that is there"
        )
    return rows


def without_sources(targets: Sequence[Row], *, per_target: int) -> list[Pair]:
    """Return each target as often as asked, for a method that needs no source."""
    return [Pair(row, None, number) for row in targets for number in range(per_target)]


def with_sources(
    targets: Sequence[Row], sources: Sequence[Row], *, per_target: int, seed: int
) -> list[Pair]:
    """Return each target with clips of other people of the same data set and split.

    The choice for a target depends on the seed, on its id and on who there is, by rendezvous
    hashing: a clip that is added later changes few of the pairs that there were. Each of a
    target's sources is another person. Targets for whom nobody is left, or whose own person is
    unknown, are left out and counted.

    Raises:
        InvalidInputError: if no target finds a source.
    """
    people = _people(sources)
    known = [row for row in targets if row["person"] is not None]
    pairs = [
        Pair(row, source, number)
        for row in known
        for number, source in enumerate(_chosen(row, people[_group(row)], per_target, seed))
    ]
    if not pairs:
        told = sorted(
            f"{person} ({split or 'no split'})"
            for (_, split), clips in people.items()
            for person in clips
        )
        raise InvalidInputError(
            "a swap must be given clips of two or more people in one split, got "
            f"{', '.join(told) or 'nobody whose name and face are known'}; add clips of other "
            "people, or name them in the column 'person'"
        )
    _report(targets, known, pairs, per_target)
    return pairs


def _group(row: Row) -> Group:
    return row["dataset"], row["split"]


def _people(rows: Sequence[Row]) -> Mapping[Group, dict[str, list[Row]]]:
    """Return the clips of each person of each group."""
    people: dict[Group, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["person"] is not None:
            people[_group(row)][row["person"]].append(row)
    return people


def _chosen(target: Row, people: dict[str, list[Row]], count: int, seed: int) -> list[Row]:
    others = [person for person in people if person != target["person"]]
    others.sort(key=lambda person: seed_for(seed, "person", target["id"], person))
    return [
        min(people[person], key=lambda row: seed_for(seed, "clip", target["id"], row["id"]))
        for person in others[:count]
    ]


def _report(
    targets: Sequence[Row], known: Sequence[Row], pairs: Sequence[Pair], per_target: int
) -> None:
    if len(known) < len(targets):
        logger.warning("left out: %d videos of unknown people", len(targets) - len(known))
    paired = {pair.target["id"] for pair in pairs}
    if len(paired) < len(known):
        logger.warning(
            "left out: %d videos whose split shows nobody else", len(known) - len(paired)
        )
    missing = per_target * len(paired) - len(pairs)
    if missing:
        logger.warning("%d forgeries fewer than asked: too few other people", missing)
