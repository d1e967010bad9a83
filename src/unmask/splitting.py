"""Split a catalog by person, so that nobody is seen in training and again in testing.

What ties an item to a split are its *units*: the people who are seen in it, were put into it, or
are in anything that it was made from. Where nobody is named in all of that, its first ancestor
stands for an unknown person. So a copy always goes where its original goes.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from unmask.catalog import Catalog
from unmask.errors import InvalidInputError
from unmask.lineage import parents
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
    units = _units(catalog)
    usable = table.filter(pl.col("status") == "ok")
    counted = units.join(usable, on="id", how="semi").with_columns(
        code=pl.col("unit").rank("dense").cast(pl.Int64) - 1
    )
    if not counted.height:
        raise InvalidInputError(
            f"a catalog must have usable items to be split, got none among {len(catalog)}; look at "
            "their reasons with `unmask catalog show`"
        )
    groups = _groups(counted, joined=crossing == "together")
    kept = _kept(usable if keep else usable.clear(), counted, groups)
    places = _places(np.bincount(groups), kept, shares, seed)[groups]
    settled = counted.select("unit", "code").unique()
    settled = settled.select("unit", place=pl.Series(places).gather(settled["code"]))
    split = _written(table, units.join(settled, on="unit", how="left"))
    _report(_counted(places), _quotas(places.size, shares), split)
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


def _units(catalog: Catalog) -> pl.DataFrame:
    """Return the rows (id, unit) of what ties each item to a split, one or more for each item."""
    named = catalog.people().select("id", unit=pl.format("person {}", "person"))
    items = catalog.table.select("id")
    links = parents(catalog.table)
    inside = links.join(items, left_on="parent", right_on="id", how="semi")
    outside = links.join(items, left_on="parent", right_on="id", how="anti")
    nameless = items.join(named, on="id", how="anti").join(inside, on="id", how="anti")
    # A parent that is not in the catalog stands for itself: two copies of it stay together.
    unknown = pl.format("item {}", pl.coalesce("parent", "id"))
    own = pl.concat([named, nameless.join(outside, on="id", how="left").select("id", unit=unknown)])
    inherited = catalog.ancestors().join(own, left_on="ancestor", right_on="id")
    return pl.concat([own, inherited.select("id", "unit")]).unique()


def _groups(counted: pl.DataFrame, *, joined: bool) -> Integers:
    """Return the group of each unit; those that items join are in one group if `joined`.

    Groups are numbered by their first unit, so that the order of the rows has no influence.
    """
    codes = counted["code"].to_numpy()
    units = int(codes.max()) + 1
    if not joined:
        return np.arange(units)
    items = units + counted["id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    graph = coo_array((np.ones(codes.size), (codes, items)), shape=(items.max() + 1,) * 2)
    _, groups = connected_components(graph, directed=False)
    _, first, group = np.unique(groups[:units], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]


def _kept(given: pl.DataFrame, counted: pl.DataFrame, groups: Integers) -> Integers:
    """Return the place of each group by the splits that the items have already."""
    places = np.full(groups.max() + 1, OPEN)
    held = counted.join(given.select("id", "split").drop_nulls(), on="id").sort("id")
    held = held.with_columns(group=pl.Series(groups).gather(held["code"]))
    mixed = held.filter(pl.col("split").n_unique().over("group") > 1)
    if mixed.height:
        one = mixed.filter(pl.col("group") == mixed["group"][0]).unique("split", keep="first")
        told = " and ".join(f"{row['split']} for {row['id']}" for row in one.sort("id").to_dicts())
        raise InvalidInputError(
            f"items whose people belong together must be in one split to keep it, got {told}; "
            "split without keep, or with crossing='leave_out' if only swaps join their people"
        )
    places[held["group"]] = held["split"].replace_strict(SPLITS, range(len(SPLITS)))
    return places


def _places(sizes: Integers, places: Integers, shares: Floats, seed: int) -> Integers:
    """Return the place of each group: the split's number, so that people come close to `shares`.

    Large groups go first and small ones make up the difference. Groups of one size are dealt out
    together, which a loop over groups would do in a thousand times the time.
    """
    random = generator_for(seed, "split_by_person")
    settled, left = np.flatnonzero(places != OPEN), np.flatnonzero(places == OPEN)
    missing = _quotas(int(sizes.sum()), shares) - _counted(places[settled], sizes[settled])
    empty = (shares > 0) & (_counted(places[settled]) == 0)
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


def _counted(places: Integers, sizes: Integers | None = None) -> Integers:
    """Return how many lie in each place."""
    return np.bincount(places, sizes, minlength=len(SPLITS)).astype(np.int64)


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


def _written(table: pl.DataFrame, units: pl.DataFrame) -> pl.DataFrame:
    """Return the table with each item's split, or why it has none."""
    known = units.with_columns(pl.col("place").fill_null(OPEN))
    each = known.group_by("id").agg(low=pl.col("place").min(), high=pl.col("place").max())
    told = pl.format("{} in {}", "unit", pl.col("place").replace_strict(NAMES))
    crossing = each.filter(pl.col("low") != OPEN, pl.col("low") < pl.col("high"))
    reasons = (
        known.join(crossing, on="id")
        .sort("unit")
        .group_by("id")
        .agg(crossing=pl.format("it joins splits: {}", told.str.join(", ")))
    )
    split = pl.when(pl.col("low") == pl.col("high")).then(pl.col("low").replace_strict(NAMES))
    is_crossing = (pl.col("status") == "ok") & pl.col("crossing").is_not_null()
    joined = table.join(each, on="id", how="left", maintain_order="left")
    return joined.join(reasons, on="id", how="left", maintain_order="left").select(
        pl.exclude("low", "high", "crossing").exclude("split", "status", "reason"),
        split=split,
        status=pl.when(is_crossing).then(pl.lit(CROSSES)).otherwise("status"),
        reason=pl.when(is_crossing).then("crossing").otherwise("reason"),
    )


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
