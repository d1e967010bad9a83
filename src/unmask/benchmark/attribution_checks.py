"""What would make a study of attribution worthless, found before anything is trained."""

from collections.abc import Sequence

import polars as pl

from unmask.attribution.open_set import seen_of_threshold
from unmask.benchmark.attribution_runs import Net, asked_items
from unmask.benchmark.leakage import refuse_seen
from unmask.catalog import Catalog
from unmask.training.data import load_data


def refuse_unfit(nets: Sequence[Net], catalog: Catalog) -> None:
    """Refuse a test of which something is seen by a training, or by the choice of a threshold.

    Networks that are trained without a maker see nothing that those of all makers do not see.

    Args:
        nets: all networks of the study.
        catalog: all items.

    Raises:
        LeakageError: if the test split shares videos or persons with a training or with the
            videos of the validation that a network is asked about.
        InvalidInputError: if the data cannot be learned from.
    """
    whole = [net for net in nets if not net.left_out]
    for net in {(one.training.qualities, one.training.weights): one for one in whole}.values():
        _refuse_seen(net, catalog)


def _refuse_seen(net: Net, catalog: Catalog) -> None:
    items = asked_items(catalog, net)
    test, validation = (items.table.filter(pl.col("split") == split) for split in ("test", "val"))
    hashes, persons = seen_of_threshold(catalog, validation.select("id"))
    learned = load_data(net.training).seen
    refuse_seen(
        Catalog(test, catalog.root),
        hashes={*learned.hashes, *hashes},
        persons={*learned.persons, *persons},
        lineage=catalog,
    )
