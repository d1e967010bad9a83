"""Splits by person: nobody on two sides, shares as asked for, nothing lost."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from makers.catalogs import catalog_of, originals, row, swap, swapped_in_pairs, tangled
from unmask.catalog import Catalog
from unmask.errors import InvalidInputError
from unmask.splitting import split_by_person

Rows = list[dict[str, Any]]
PEOPLE = [f"p{number:02}" for number in range(20)]


def splits(catalog: Catalog) -> dict[str, str | None]:
    return dict(catalog.table.select("id", "split").rows())


def people_of(catalog: Catalog) -> dict[str, set[str]]:
    """Return who is in each split, by the rows that name somebody."""
    found: dict[str, set[str]] = {"train": set(), "val": set(), "test": set()}
    for one in catalog.rows():
        if one["split"] is not None:
            found[one["split"]] |= {one["person"], one["source_person"]} - {None}
    return found


def counts(catalog: Catalog) -> tuple[int, ...]:
    return tuple(len(people) for people in people_of(catalog).values())


def ties(rows: Rows) -> dict[str, set[str]]:
    """Return for each id the people and nameless first ancestors behind it, by walking."""
    by_id = {one["id"]: one for one in rows}

    def behind(name: str) -> set[str]:
        one = by_id.get(name, {})
        named = {one[who] for who in ("person", "source_person") if one.get(who)}
        known = [parent for parent in one.get("parents") or [] if parent in by_id]
        inherited: set[str] = set().union(*(behind(parent) for parent in known))
        unknown = {f"item {parent}" for parent in one.get("parents") or []} or {f"item {name}"}
        return named | inherited or unknown

    return {name: behind(name) for name in by_id}


def joined_people(rows: Rows) -> list[set[str]]:
    """Return the groups that chains of items join, merging two at a time."""
    groups: list[set[str]] = []
    for tied in ties(rows).values():
        apart = [group for group in groups if not group & tied]
        groups = [*apart, tied.union(*(group for group in groups if group & tied))]
    return groups


@pytest.mark.parametrize("seed", range(15))
def test_together_puts_everybody_whom_items_join_into_one_split(seed: int) -> None:
    rows = tangled(people=24, swaps=10, seed=seed)
    result = split_by_person(catalog_of(*rows), seed=seed)
    chosen, tied = splits(result), ties(rows)
    assert None not in chosen.values()
    for group in joined_people(rows):
        assert len({chosen[name] for name in chosen if tied[name] & group}) == 1
    for left, right in [("train", "val"), ("train", "test"), ("val", "test")]:
        assert not people_of(result)[left] & people_of(result)[right]


@pytest.mark.parametrize("seed", range(15))
def test_leave_out_splits_people_and_leaves_out_exactly_what_joins_two_splits(seed: int) -> None:
    rows = tangled(people=24, swaps=60, seed=seed)
    result = split_by_person(catalog_of(*rows), seed=seed, crossing="leave_out")
    tied = ties(rows)
    place = {}
    for one in result.rows():
        if len(tied[one["id"]]) == 1:
            place[next(iter(tied[one["id"]]))] = one["split"]
    for one in result.rows():
        around = {place[unit] for unit in tied[one["id"]]}
        crosses = len(around) > 1
        assert one["split"] == (None if crosses else next(iter(around)))
        assert one["status"] == ("crosses_splits" if crosses else "ok")
        assert (one["reason"] is not None) == crosses
    # 24 people and 3 nameless items: 27 x 0.7 = 18.9, 27 x 0.15 = 4.05.
    assert sorted(Counter(place.values()).values()) == [4, 4, 19]


def test_what_was_left_out_says_who_is_where_and_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="unmask")
    target, source = originals(["a", "b"])
    rows = [target, source, swap(target, source)]
    halves = {"train": 0.5, "test": 0.5}
    result = split_by_person(
        catalog_of(*rows), seed=0, fractions=halves, crossing="leave_out"
    ).rows()
    where = {one["person"]: one["split"] for one in result[:2]}
    assert result[2]["reason"] == (
        f"it joins splits: person made/a in {where['a']}, person made/b in {where['b']}"
    )
    assert caplog.messages == ["1 of 3 items join two splits and are left out"]


@pytest.mark.parametrize(
    ("people", "fractions", "wanted"),
    [
        (20, (0.7, 0.15, 0.15), (14, 3, 3)),
        (100, (0.7, 0.15, 0.15), (70, 15, 15)),
        (9, (0.7, 0.15, 0.15), (5, 2, 2)),
        (6, (0.7, 0.15, 0.15), (2, 2, 2)),
        (5, (0.7, 0.15, 0.15), (3, 1, 1)),
        (3, (0.7, 0.15, 0.15), (1, 1, 1)),
        (10, (0.98, 0.01, 0.01), (6, 2, 2)),
        (10, (0.8, 0.0, 0.2), (8, 0, 2)),
        (10, {"train": 0.5, "test": 0.5}, (5, 0, 5)),
        (7, {"test": 1.0}, (0, 0, 7)),
        (7, (1 / 3, 1 / 3, 1 / 3), (3, 2, 2)),
    ],
)
def test_shares_are_met_in_people_with_two_in_each_split_where_there_are_enough(
    people: int, fractions: Sequence[float] | Mapping[str, float], wanted: tuple[int, ...]
) -> None:
    rows = originals([f"p{number}" for number in range(people)])
    assert counts(split_by_person(catalog_of(*rows), seed=1, fractions=fractions)) == wanted


def test_shares_are_met_in_people_however_many_rows_each_has() -> None:
    rows = [*originals(PEOPLE[:2], clips=50), *originals(PEOPLE[2:])]
    for seed in range(5):
        assert counts(split_by_person(catalog_of(*rows), seed=seed)) == (14, 3, 3)


def test_pairs_of_swapped_people_are_dealt_out_exactly() -> None:
    rows = swapped_in_pairs([f"p{number}" for number in range(80)])
    assert counts(split_by_person(catalog_of(*rows), seed=0, fractions=(0.7, 0.15, 0.15))) == (
        56,
        12,
        12,
    )


@pytest.mark.parametrize(
    "sizes", [(4, 4, 4), (8, 1, 1), (5, 5, 1, 1), (9, 2, 2, 1, 1, 1), (3,) * 7]
)
def test_every_split_gets_somebody_however_the_groups_are_sized(sizes: Sequence[int]) -> None:
    rows: Rows = []
    for number, size in enumerate(sizes):
        group = originals([f"{number}-{member}" for member in range(size)])
        rows += [*group, *(swap(group[0], one) for one in group[1:])]
    for seed in range(5):
        assert min(counts(split_by_person(catalog_of(*rows), seed=seed))) >= 1


def test_people_left_over_go_where_they_are_missing_most() -> None:
    group = originals([f"g{member}" for member in range(6)])
    rows = [*group, *(swap(group[0], one) for one in group[1:]), *originals(["a", "b", "c", "d"])]
    for seed in range(5):
        assert counts(split_by_person(catalog_of(*rows), seed=seed)) == (6, 2, 2)


def test_a_copy_goes_where_its_original_goes_though_it_names_nobody() -> None:
    rows = swapped_in_pairs(PEOPLE)
    chosen = splits(split_by_person(catalog_of(*rows), seed=3))
    assert all(chosen[f"c23/{one['id']}"] == chosen[one["id"]] for one in rows[: len(rows) // 2])


def test_copies_of_an_original_that_is_not_in_the_catalog_stay_together() -> None:
    rows = [row(f"{name}-{crf}", parents=[name]) for name in PEOPLE for crf in (23, 40)]
    chosen = splits(split_by_person(catalog_of(*rows), seed=0))
    assert all(chosen[f"{name}-23"] == chosen[f"{name}-40"] for name in PEOPLE)
    assert Counter(chosen.values()) == {"train": 28, "val": 6, "test": 6}


def test_people_of_one_name_in_two_data_sets_are_two_people() -> None:
    rows = [
        row(f"{name}{person}", dataset=name, person=str(person))
        for name in "ab"
        for person in range(10)
    ]
    result = split_by_person(catalog_of(*rows), seed=0)
    assert Counter(splits(result).values()) == {"train": 14, "val": 3, "test": 3}


def test_the_seed_chooses_and_the_order_of_rows_does_not() -> None:
    rows = tangled(people=30, swaps=12, seed=0)
    plain = splits(split_by_person(catalog_of(*rows), seed=5))
    assert splits(split_by_person(catalog_of(*rows[::-1]), seed=5)) == plain
    others = [splits(split_by_person(catalog_of(*rows), seed=seed)) for seed in range(10)]
    assert len({tuple(other.items()) for other in others}) == 10


def test_everybody_is_as_likely_to_be_tested() -> None:
    rows = originals(PEOPLE)
    tested = Counter(
        person
        for seed in range(150)
        for person in people_of(split_by_person(catalog_of(*rows), seed=seed))["test"]
    )
    # 150 draws at 3 in 20: 22.5 expected, standard deviation 4.4.
    assert max(abs(tested[person] - 22.5) for person in PEOPLE) < 20


def test_rows_keep_their_order_and_everything_but_their_split() -> None:
    catalog = catalog_of(*tangled(people=12, swaps=4, seed=1))
    result = split_by_person(catalog, seed=0)
    assert result.table.drop("split").equals(catalog.table.drop("split"))


def test_items_that_are_not_usable_follow_their_people_and_do_not_count() -> None:
    broken = {"status": "unreadable", "reason": "cut off"}
    rows = [
        *originals(PEOPLE[:4]),
        row("known", person=PEOPLE[0], **broken),
        row("unknown", person="stranger", **broken),
        row("both", person=PEOPLE[0], source_person="stranger", **broken),
    ]
    result = split_by_person(catalog_of(*rows), seed=0, fractions=(0.5, 0.25, 0.25))
    chosen = splits(result)
    assert chosen["known"] == chosen[f"real/{PEOPLE[0]}/0"]
    assert (chosen["unknown"], chosen["both"]) == (None, None)
    assert result.table["status"].to_list()[-3:] == ["unreadable"] * 3
    assert Counter(chosen[f"real/{person}/0"] for person in PEOPLE[:4]) == {
        "train": 2,
        "val": 1,
        "test": 1,
    }


def test_splitting_again_takes_back_what_was_left_out() -> None:
    catalog = catalog_of(*tangled(people=20, swaps=8, seed=2))
    once = split_by_person(catalog, seed=0, crossing="leave_out")
    assert "crosses_splits" in once.table["status"]
    again = split_by_person(once, seed=1)
    assert set(again.table["status"]) == {"ok"}
    assert again.table["reason"].null_count() == len(again)
    assert again.content_hash() == split_by_person(catalog, seed=1).content_hash()


def test_kept_people_stay_and_new_ones_fill_up() -> None:
    first = split_by_person(catalog_of(*swapped_in_pairs(PEOPLE)), seed=0)
    newcomers = swapped_in_pairs([f"n{number:02}" for number in range(20)])
    both = first.join(catalog_of(*newcomers))
    result = split_by_person(both, seed=7, keep=True)
    before = splits(first)
    assert {name: splits(result)[name] for name in before} == before
    assert counts(result) == (28, 6, 6)
    assert split_by_person(result, seed=9, keep=True).content_hash() == result.content_hash()


def test_kept_splits_that_contradict_each_other_are_refused() -> None:
    rows = [row("a", person="p", split="train"), row("b", person="p", split="test")]
    with pytest.raises(
        InvalidInputError, match="in one split to keep it, got train for a and test"
    ):
        split_by_person(catalog_of(*rows, *originals(PEOPLE)), seed=0, keep=True)
    assert counts(split_by_person(catalog_of(*rows, *originals(PEOPLE)), seed=0)) == (15, 3, 3)


def test_a_kept_split_may_be_one_that_gets_no_share() -> None:
    rows = [*originals(PEOPLE), row("old", person="p", split="val")]
    result = split_by_person(catalog_of(*rows), seed=0, fractions=(0.5, 0, 0.5), keep=True)
    assert people_of(result)["val"] == {"p"}


@pytest.mark.parametrize(
    "fractions",
    [(0.5, 0.2), (0.5, 0.2, 0.2), (1.2, -0.1, -0.1), {"train": 0.5, "dev": 0.5}, {}, ()],
)
def test_fractions_that_are_no_shares_are_refused(fractions: Sequence[float]) -> None:
    with pytest.raises(InvalidInputError, match="fractions must be shares of train, val, test"):
        split_by_person(catalog_of(*originals(PEOPLE)), seed=0, fractions=fractions)


def test_an_unknown_way_with_crossing_items_is_refused() -> None:
    with pytest.raises(
        InvalidInputError, match="crossing must be together or leave_out, got 'cut'"
    ):
        split_by_person(catalog_of(*originals(PEOPLE)), seed=0, crossing="cut")  # type: ignore[arg-type]


def test_too_few_people_are_refused() -> None:
    with pytest.raises(
        InvalidInputError, match=r"people must be at least 3, one for each .* got 2"
    ):
        split_by_person(catalog_of(*originals(["a", "b"])), seed=0)


def test_people_who_are_all_joined_are_refused_with_the_way_out() -> None:
    real = originals(PEOPLE)
    rows = [*real, *(swap(real[0], one) for one in real[1:])]
    words = "at least 3 groups that no item joins.* got 1 with 20 people; use crossing='leave_out'"
    with pytest.raises(InvalidInputError, match=words):
        split_by_person(catalog_of(*rows), seed=0)
    result = split_by_person(catalog_of(*rows), seed=0, crossing="leave_out")
    assert counts(result) == (14, 3, 3)


def test_a_catalog_without_usable_items_is_refused() -> None:
    rows = [row("a", status="no_face", reason="dark")]
    for catalog in (catalog_of(), catalog_of(*rows)):
        with pytest.raises(InvalidInputError, match="must have usable items to be split, got none"):
            split_by_person(catalog, seed=0)


def test_shares_far_from_those_asked_for_are_told(caplog: pytest.LogCaptureFixture) -> None:
    group = originals([f"g{member}" for member in range(18)])
    rows = [*group, *(swap(group[0], one) for one in group[1:]), *originals(["a", "b"])]
    split_by_person(catalog_of(*rows), seed=0)
    assert "train, val, test have 18, 1, 1 people where 14, 3, 3 were wanted" in caplog.text
    assert "crossing='leave_out' comes closer" in caplog.text
