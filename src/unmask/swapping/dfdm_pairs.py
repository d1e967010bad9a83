"""Which clips get whose face in a data set like DFDM: pairs of people within each split."""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from unmask.errors import InvalidInputError
from unmask.generators.pairs import Pair, Row, with_sources
from unmask.seeding import seed_for

logger = logging.getLogger(__name__)

Group = tuple[str, str]  # split and data set: faces stay within both
Who = tuple[str, str]  # data set and name: a name has its meaning within one data set


def who(row: Mapping[str, Any]) -> Who:
    """Return who is seen in a clip."""
    return row["dataset"], row["person"]


def usable_clips(rows: Sequence[Row], *, most: int, seed: int) -> list[Row]:
    """Return the clips of people whose split is known, of each person at most so many.

    Which ones depends on the seed and on their ids alone.

    Args:
        rows: of real videos.
        most: clips of one person; 0 takes all.
        seed: chooses them.

    Raises:
        InvalidInputError: if no clip has a split and a person, or if somebody is in two splits.
    """
    known = [row for row in rows if row["person"] is not None and row["split"] is not None]
    if not known:
        raise InvalidInputError(
            f"the catalog must name person and split of its real videos, got neither for "
            f"{len(rows)}; split it with `unmask catalog split`"
        )
    if len(known) < len(rows):
        logger.warning(
            "left out: %d videos of unknown people or without a split", len(rows) - len(known)
        )
    people: dict[Who, list[Row]] = defaultdict(list)
    for row in known:
        people[who(row)].append(row)
    _refuse_two_splits(people)
    order = {row["id"]: place for place, row in enumerate(known)}
    chosen = [
        row
        for clips in people.values()
        for row in sorted(clips, key=lambda row: seed_for(seed, "clip", row["id"]))[: most or None]
    ]
    return sorted(chosen, key=lambda row: order[row["id"]])


def draw_pairs(rows: Sequence[Row], wanted: int, *, seed: int) -> list[Pair]:
    """Return pairs of a clip to change and a clip of another person of its data set and split.

    Each split gets its share by how many clips it has, as far as its people reach, and one pair at
    least. Clips of people who
    have no pair yet come first. More pairs of the same clips keep those that there were, as far as
    the shares of the splits do.

    Args:
        rows: as `usable_clips` returns them.
        wanted: how many; fewer are made where there are too few people, and that is said.
        seed: chooses who goes with whom.

    Raises:
        InvalidInputError: if no split has two people, or fewer are wanted than splits have them.
    """
    groups: dict[Group, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["split"], row["dataset"]].append(row)
    paired: dict[str, list[list[Row]]] = defaultdict(list)
    for (split, _), clips in groups.items():
        if _others(clips):
            paired[split].append(clips)
    if not paired:
        with_sources(rows, rows, per_target=1, seed=seed)  # says who there is
    if wanted < len(paired):
        raise InvalidInputError(
            f"pairs must be {len(paired)} or more, one for each of the splits "
            f"{', '.join(sorted(paired))}, got {wanted}; ask for more, or leave splits out"
        )
    _report_lonely(groups)
    sizes = {split: sum(map(len, parts)) for split, parts in paired.items()}
    most = {split: _capacity(parts) for split, parts in paired.items()}
    shares = _shares(sizes, min(wanted, sum(most.values())), most)
    found = [pair for split in paired for pair in _drawn(paired[split], shares[split], seed)]
    if len(found) < wanted:
        logger.warning("%d pairs instead of %d: too few people", len(found), wanted)
    return found


def _others(clips: Sequence[Row]) -> int:
    """Return how many people each one of some has to choose from."""
    return len({who(row) for row in clips}) - 1


def _capacity(parts: Sequence[Sequence[Row]], each: int | None = None) -> int:
    """Return how many pairs the data sets of a split have, of so many sources for each clip."""
    return sum(
        len(clips) * (_others(clips) if each is None else min(each, _others(clips)))
        for clips in parts
    )


def _report_lonely(groups: dict[Group, list[Row]]) -> None:
    for split, dataset in sorted(groups):
        if not _others(groups[split, dataset]):
            logger.warning(
                "the split %s has one person only of %s, who gets no pair", split, dataset
            )


def _drawn(parts: Sequence[Sequence[Row]], wanted: int, seed: int) -> list[Pair]:
    """Return so many pairs of one split, whose people are of one or several data sets."""
    clips = [row for part in parts for row in part]
    drawn = sorted(clips, key=lambda row: seed_for(seed, "target", row["id"]))
    take: dict[str, int] = {}
    seen: dict[Who, int] = defaultdict(int)
    for row in drawn:
        take[row["id"]] = seen[who(row)]
        seen[who(row)] += 1
    each = 1
    while _capacity(parts, each) < wanted:
        each += 1
    pairs = [
        pair
        for part in parts
        for pair in with_sources(part, part, per_target=min(each, _others(part)), seed=seed)
    ]
    rank = {row["id"]: place for place, row in enumerate(drawn)}
    # Round by round: first a clip of everybody, then another one, then another source for each.
    pairs.sort(key=lambda pair: (pair.number, take[pair.target["id"]], rank[pair.target["id"]]))
    return pairs[:wanted]


def _shares(sizes: dict[str, int], wanted: int, most: dict[str, int]) -> dict[str, int]:
    """Return whole shares in proportion to the sizes, from 1 to so many (largest remainder)."""
    exact = {name: wanted * size / sum(sizes.values()) for name, size in sizes.items()}
    shares = {name: min(max(int(share), 1), most[name]) for name, share in exact.items()}
    while sum(shares.values()) != wanted:
        step = 1 if sum(shares.values()) < wanted else -1
        open_to = [name for name in shares if 1 <= shares[name] + step <= most[name]]
        best = max(open_to, key=lambda name: (step * (exact[name] - shares[name]), name))
        shares[best] += step
    return shares


def _refuse_two_splits(people: dict[Who, list[Row]]) -> None:
    for person, clips in people.items():
        splits = sorted({row["split"] for row in clips})
        if len(splits) > 1:
            raise InvalidInputError(
                f"nobody may be in two splits, got {'/'.join(person)} in {' and '.join(splits)}; "
                "split the catalog with `unmask catalog split`, or index it with a split by person"
            )
