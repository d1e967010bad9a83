"""Ancestors and cycles, against walking from each item to its parents."""

import numpy as np
import polars as pl
import pytest

from unmask.lineage import ancestors, first_in_a_cycle, parents

Links = dict[str, list[str] | None]


def items(links: Links) -> pl.DataFrame:
    schema = {"id": pl.String(), "parents": pl.List(pl.String())}
    return pl.DataFrame({"id": list(links), "parents": list(links.values())}, schema)


def walked(links: Links) -> set[tuple[str, str]]:
    """Return all pairs (id, ancestor) by walking, one item after the other."""
    found = set()
    for start in links:
        waiting = list(links[start] or [])
        while waiting:
            one = waiting.pop()
            if (start, one) not in found:
                found.add((start, one))
                waiting.extend(links.get(one) or [])
    return found


def random_links(count: int, seed: int, *, acyclic: bool) -> Links:
    """Return random parents of items in a mixed order; if `acyclic`, each has only earlier ones."""
    random = np.random.default_rng(seed)
    names = [str(number) for number in random.permutation(count)]
    links: Links = {names[0]: ["unknown"], names[1]: None}
    for place, name in enumerate(names[2:], 2):
        drawn = random.integers(0, place if acyclic else count, 2)
        links[name] = [names[at] for at in drawn] if random.random() < 0.4 else []
    return {names[at]: links[names[at]] for at in random.permutation(count)}


def test_parents_are_listed_one_a_row() -> None:
    table = items({"a": [], "b": None, "c": ["a", "b", "elsewhere"]})
    assert parents(table).rows() == [("c", "a"), ("c", "b"), ("c", "elsewhere")]


@pytest.mark.parametrize("seed", range(20))
def test_ancestors_equal_walking_to_all_parents(seed: int) -> None:
    links = random_links(30, seed, acyclic=True)
    found = ancestors(parents(items(links))).rows()
    assert len(found) == len(set(found))
    assert set(found) == walked(links)


def test_items_without_parents_have_no_ancestors() -> None:
    assert ancestors(parents(items({"a": None, "b": []}))).height == 0
    assert ancestors(parents(items({}))).height == 0


@pytest.mark.parametrize("seed", range(40))
def test_a_cycle_is_found_exactly_where_an_item_is_its_own_ancestor(seed: int) -> None:
    links = random_links(12, seed, acyclic=seed % 4 == 0)
    own = {name for name, ancestor in walked(links) if name == ancestor}
    row = first_in_a_cycle(items(links))
    assert row == min((list(links).index(name) for name in own), default=None)


@pytest.mark.parametrize(
    ("links", "row"),
    [
        ({"a": ["a"]}, 0),
        ({"a": [], "b": ["c"], "c": ["b"]}, 1),
        ({"a": ["b"], "b": ["c"], "c": ["d"], "d": ["b"]}, 1),
        ({"child": ["parent"], "parent": []}, None),
        ({"a": ["elsewhere"]}, None),
    ],
)
def test_known_cycles(links: Links, row: int | None) -> None:
    assert first_in_a_cycle(items(links)) == row
