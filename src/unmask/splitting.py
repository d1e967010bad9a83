"""Split a catalog by person, so that nobody is seen in training and again in testing.

What ties an item to a split are its *units*: the people who are seen in it, were put into it, or
are in anything that it was made from. Where nobody is named in all of that, its first ancestor
stands for an unknown person. So a copy always goes where its original goes.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from unmask.catalog import Catalog
from unmask.errors import InvalidInputError
from unmask.lineage import ancestors, parents
from unmask.schema import SPLITS
from unmask.seeding import generator_for

logger = logging.getLogger(__name__)

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

CROSSES = "crosses_splits"
NAMES: dict[int, str | None] = {-1: None, **dict(enumerate(SPLITS))}  # of the places
OPEN = -1  # the place of people without a split
PEOPLE_FOR_SWAPS = 2
NOTABLE_DIFFERENCE = 0.1  # of all people


def split_by_person(
    catalog: Catalog,
    *,
    seed: int,
    fractions: Sequence[float] | Mapping[str, float] = (0.7, 0.15, 0.15),
    crossing: Literal["together", "leave_out"] = "together",
    keep: bool = False,
) -> Catalog:
    """Return the catalog with its splits chosen anew, by person.

    The fractions are met in people, not in rows; every split gets two people where there are
    enough of them, so that swaps can be made within it. Only usable items count: the others follow
    their people, or get no split where these are in no usable item.

    Args:
        catalog: the items.
        seed: chooses who goes where; the order of the rows has no influence.
        fractions: the shares of the people, of train, val and test in this order or by name.
        crossing: what becomes of items that join people, such as swaps. `together` puts all people
            whom any chain of items joins into one split. `leave_out` splits the people first;
            items that then join two splits get none and the status `crosses_splits`.
        keep: whether people who already have a split stay in it.

    Raises:
        InvalidInputError: if the fractions are no shares, if there are fewer people, or groups of
            joined people, than splits, or if splits to be kept contradict each other.
    """
    shares = _shares(fractions)
    if crossing not in ("together", "leave_out"):
        raise InvalidInputError(
            f"crossing must be together or leave_out, got {crossing!r}; choose one of them"
        )
    table = catalog.table.with_columns(**_without_crossings())
    ties = _ties(table)
    usable = (table["status"] == "ok").to_numpy()
    counted = ties.of(usable)
    if not counted.rows.size:
        raise InvalidInputError(
            f"a catalog must have usable items to be split, got none among {len(catalog)}; look at "
            "their reasons with `unmask catalog show`"
        )
    groups = _groups(counted, joined=crossing == "together")
    people = np.zeros(len(ties.names), np.int64)
    people[counted.units] = 1
    sizes = np.bincount(groups, people).astype(np.int64)
    kept = _kept(table, counted, groups) if keep else np.full(sizes.size, OPEN)
    places = _places(sizes, kept, shares, seed)[groups]
    split = _written(table, ties, places)
    _report(_counted(places, people), _quotas(int(people.sum()), shares), split)
    return Catalog(split, catalog.root)


def _shares(fractions: Sequence[float] | Mapping[str, float]) -> Floats:
    """Return the shares of train, val and test."""
    if isinstance(fractions, Mapping):
        named = dict(fractions)
    else:
        named = dict(zip(SPLITS, fractions, strict=False))
    shares = np.array([named.get(name, 0.0) for name in SPLITS])
    is_known = len(fractions) == len(named) and set(named) <= set(SPLITS)
    if not (is_known and (shares >= 0).all() and abs(shares.sum() - 1) < 1e-6):
        raise InvalidInputError(
            f"fractions must be shares of {', '.join(SPLITS)} that sum to 1, got {fractions}; "
            "give three numbers, or names with numbers"
        )
    return shares


def _without_crossings() -> dict[str, pl.Expr]:
    """Return the columns as they were before an earlier split left items out."""
    crossed = pl.col("status") == CROSSES
    status = pl.when(crossed).then(pl.lit("ok")).otherwise("status")
    return {"status": status, "reason": pl.when(~crossed).then("reason")}


@dataclass(frozen=True)
class _Ties:
    """Which units tie which rows of the table to a split, one pair at each position.

    Args:
        rows: of the table.
        units: positions in `names`.
        names: of all units, in order.
    """

    rows: Integers
    units: Integers
    names: pl.Series

    def of(self, chosen: NDArray[np.bool_]) -> "_Ties":
        """Return the ties of the chosen rows."""
        kept = chosen[self.rows]
        return _Ties(self.rows[kept], self.units[kept], self.names)


def _ties(table: pl.DataFrame) -> _Ties:
    """Return what ties each item to a split: one unit or more."""
    items = table.with_row_index("row")
    named = pl.concat(
        items.select("row", unit=pl.format("person {}/{}", "dataset", who)).drop_nulls()
        for who in ("person", "source_person")
    )
    links = parents(items.select("parents", id="row")).rename({"id": "row"})
    known = links.join(items.select("row", "id"), left_on="parent", right_on="id", suffix="_up")
    outside = links.join(table, left_on="parent", right_on="id", how="anti")
    inside = known.select(id="row", parent="row_up")
    nameless = items.select("row", "id").join(named, on="row", how="anti")
    nameless = nameless.join(known, on="row", how="anti")
    # A parent that is not in the catalog stands for itself: two copies of it stay together.
    stands_in = pl.format("item {}", pl.coalesce("parent", "id"))
    first = nameless.join(outside, on="row", how="left").select("row", unit=stands_in)
    own = pl.concat([named, first])
    names = own["unit"].unique().sort()
    own = own.join(names.to_frame().with_row_index("code"), on="unit").select("row", "code")
    inherited = ancestors(inside).join(own, left_on="ancestor", right_on="row")
    every = pl.concat([own, inherited.select("code", row="id").select("row", "code")]).unique()
    pairs = every.cast(pl.Int64)
    return _Ties(pairs["row"].to_numpy(), pairs["code"].to_numpy(), names)


def _groups(ties: _Ties, *, joined: bool) -> Integers:
    """Return the group of each unit; those that items join are in one group if `joined`.

    Groups are numbered by their first unit, so that the order of the rows has no influence.
    """
    count = len(ties.names)
    if not joined:
        return np.arange(count)
    nodes = count + int(ties.rows.max()) + 1
    edges = (np.ones(ties.rows.size), (ties.units, count + ties.rows))
    _, labels = connected_components(coo_array(edges, shape=(nodes, nodes)), directed=False)
    _, first, group = np.unique(labels[:count], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]


def _kept(table: pl.DataFrame, ties: _Ties, groups: Integers) -> Integers:
    """Return the place of each group by the splits that the items have already."""
    places = table["split"].replace_strict(SPLITS, range(len(SPLITS))).fill_null(OPEN).to_numpy()
    held = ties.of(places != OPEN)
    group = groups[held.units]
    low, high = _extremes(groups.max() + 1, group, places[held.rows])
    mixed = np.flatnonzero(low < high)
    if mixed.size:
        rows = table[held.rows[group == mixed[0]]].sort("id").unique("split", keep="first")
        told = " and ".join(f"{row['split']} for {row['id']}" for row in rows.sort("id").to_dicts())
        raise InvalidInputError(
            f"items whose people belong together must be in one split to keep it, got {told}; "
            "split without keep, or with crossing='leave_out' if only swaps join their people"
        )
    return high


def _extremes(count: int, of: Integers, places: Integers) -> tuple[Integers, Integers]:
    """Return the lowest and highest place of each of `count` things; OPEN where there is none."""
    high = np.full(count, OPEN)
    np.maximum.at(high, of, places)
    low = high.copy()
    np.minimum.at(low, of, places)
    return low, high


def _places(sizes: Integers, places: Integers, shares: Floats, seed: int) -> Integers:
    """Return the place of each group: the split's number, so that people come close to `shares`.

    Large groups go first and small ones make up the difference. Groups of one size are dealt out
    together, which a loop over groups would do in a thousand times the time.
    """
    random = generator_for(seed, "split_by_person")
    missing = _quotas(int(sizes.sum()), shares) - _counted(places, sizes)
    empty = (shares > 0) & (_counted(places, sizes) == 0)
    left = np.flatnonzero((places == OPEN) & (sizes > 0))
    _refuse_too_few(sizes[left], int(empty.sum()))
    for size in np.unique(sizes[left])[::-1]:
        alike = random.permutation(left[sizes[left] == size])
        left = left[sizes[left] != size]
        counts = _dealt(alike.size, missing / size, empty, int(empty.sum()) - left.size)
        places[alike] = np.repeat(np.arange(len(shares)), counts)
        missing = missing - size * counts
        empty &= counts == 0
    return places


def _dealt(count: int, missing: Floats, empty: NDArray[np.bool_], at_once: int) -> Integers:
    """Return how many of `count` alike groups each split gets; `at_once` empty ones get one."""
    first = np.zeros(len(missing), np.int64)
    if at_once > 0:
        first[np.argsort(np.where(empty, -missing, np.inf), kind="stable")[:at_once]] = 1
    wanted = np.clip(missing - first, 0, None)
    return first + _rounded(count - int(first.sum()), wanted)


def _quotas(people: int, shares: Floats) -> Integers:
    """Return how many people each split shall have: two at least, where there are enough."""
    quotas = _rounded(people, shares)
    least = (shares > 0) * min(PEOPLE_FOR_SWAPS, people // int((shares > 0).sum()))
    while (quotas < least).any():
        quotas[np.argmax(least - quotas)] += 1
        quotas[np.argmax(quotas - least)] -= 1
    return quotas


def _rounded(count: int, weights: Floats) -> Integers:
    """Return whole numbers that sum to `count`, in proportion to weights (largest remainder)."""
    exact = count * weights / (weights.sum() or 1.0)
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: count - whole.sum()]] += 1
    return whole


def _counted(places: Integers, sizes: Integers) -> Integers:
    """Return how many people are in each split."""
    settled = places != OPEN
    found = np.bincount(places[settled], sizes[settled], minlength=len(SPLITS))
    return found.astype(np.int64)


def _refuse_too_few(sizes: Integers, empty: int) -> None:
    """Refuse groups that are fewer than the splits that have nobody yet."""
    if sizes.size >= empty:
        return
    people = sizes.sum()
    if people < empty:
        raise InvalidInputError(
            f"people must be at least {empty}, one for each split without any, got {people}; give "
            "fractions for fewer splits, or add people"
        )
    raise InvalidInputError(
        f"people must form at least {empty} groups that no item joins, one for each split, got "
        f"{sizes.size} with {people} people; use crossing='leave_out'"
    )


def _written(table: pl.DataFrame, ties: _Ties, places: Integers) -> pl.DataFrame:
    """Return the table with each item's split, or why it has none."""
    low, high = _extremes(table.height, ties.rows, places[ties.units])
    crosses = (table["status"] == "ok").to_numpy() & (low != OPEN) & (low != high)
    left_out = ties.of(crosses)
    reasons = (
        pl.DataFrame(
            {
                "row": left_out.rows,
                "unit": ties.names.gather(left_out.units),
                "split": _names(places[left_out.units]),
            }
        )
        .sort("row", "unit")
        .group_by("row", maintain_order=True)
        .agg(told=pl.format("{} in {}", "unit", "split"))
        .select("row", pl.format("it joins splits: {}", pl.col("told").list.join(", ")))
    )
    return table.with_columns(
        split=_names(np.where(low == high, low, OPEN)),
        status=pl.when(pl.Series(crosses)).then(pl.lit(CROSSES)).otherwise("status"),
        reason=table["reason"].clone().scatter(reasons["row"], reasons[:, 1]),
    )


def _names(places: Integers) -> pl.Series:
    return pl.Series(places).replace_strict(NAMES, return_dtype=pl.String)


def _report(people: Integers, wanted: Integers, table: pl.DataFrame) -> None:
    """Log what was left out, and splits that are far from what was asked for."""
    left_out = table.filter(pl.col("status") == CROSSES).height
    if left_out:
        logger.info("%d of %d items join two splits and are left out", left_out, table.height)
    if abs(people - wanted).max() > NOTABLE_DIFFERENCE * people.sum():
        logger.warning(
            "%s have %s people where %s were wanted, as items join them or their splits are kept; "
            "crossing='leave_out' comes closer",
            ", ".join(SPLITS),
            ", ".join(map(str, people)),
            ", ".join(map(str, wanted)),
        )
