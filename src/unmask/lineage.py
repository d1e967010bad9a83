"""Who was made from whom: the parents of items, and theirs, as tables.

A parent that the table does not hold is allowed: a catalog may be a part of a larger one, such as
the test split alone. It counts as an ancestor like any other.
"""

import polars as pl


def parents(items: pl.DataFrame) -> pl.DataFrame:
    """Return one row (id, parent) for each parent of each item.

    Args:
        items: a table with the columns `id` and `parents`.
    """
    listed = items.select("id", parent="parents").filter(pl.col("parent").list.len() > 0)
    return listed.explode("parent").drop_nulls()


def ancestors(links: pl.DataFrame) -> pl.DataFrame:
    """Return one row (id, ancestor) for each item that each item was made from, however long ago.

    Args:
        links: the rows (id, parent), without cycles.

    Example:
        >>> links = pl.DataFrame({"id": ["b", "c"], "parent": ["a", "b"]})
        >>> ancestors(links).sort("id", "ancestor").rows()
        [('b', 'a'), ('c', 'a'), ('c', 'b')]
    """
    found = newest = links.select("id", ancestor="parent").unique()
    while newest.height:
        older = newest.join(links, left_on="ancestor", right_on="id")
        newest = older.select("id", ancestor="parent").unique()
        newest = newest.join(found, on=["id", "ancestor"], how="anti")
        found = found.vstack(newest)
    return found


def first_in_a_cycle(items: pl.DataFrame) -> int | None:
    """Return the row of the first item that is its own ancestor, or None where there is none."""
    rows = items.select("id").with_row_index("row")
    links = (
        parents(items)
        .join(rows, on="id")
        .join(rows, left_on="parent", right_on="id", suffix="_of_parent")
    )
    child, parent = links["row"].to_numpy(), links["row_of_parent"].to_numpy()
    if (parent < child).all():
        return None  # Parents stand before their children, as every verb writes them.
    # Imported here, as it takes 0.2 s and hardly any catalog comes this far.
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(child.size), (child, parent)), shape=(items.height, items.height))
    _, ring = connected_components(graph, directed=True, connection="strong")
    looped = child[ring[child] == ring[parent]]  # Both ends in one strong component: a cycle.
    return int(looped.min()) if looped.size else None
