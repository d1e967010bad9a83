"""What would make a study of attribution worthless, found before anything is trained."""

from collections.abc import Sequence

import polars as pl

from unmask.attribution.open_set import seen_of_threshold
from unmask.benchmark.attribution_runs import REAL_MAKER, Net, asked_items
from unmask.benchmark.leakage import refuse_seen
from unmask.catalog import Catalog
from unmask.detectors.create import read_options
from unmask.errors import InvalidInputError
from unmask.training.checkpoint import create_blank
from unmask.training.data import load_data
from unmask.training.runs import with_runs
from unmask.training.target import TARGETS


def refuse_unfit(nets: Sequence[Net], catalog: Catalog, faces: pl.DataFrame) -> None:
    """Refuse a test of which something was seen in training or validation, or that lacks a class.

    Networks that are trained without a maker see nothing that those of all makers do not see.

    Args:
        nets: all networks of the study.
        catalog: all items.
        faces: what `read_faces` gives.

    Raises:
        LeakageError: if the test split shares videos or persons with a training or with the
            videos of the validation that a network is asked about.
        InvalidInputError: if the data cannot be learned from, or a network would have nothing to
            judge of a class at a quality.
    """
    whole = [net for net in nets if not net.left_out]
    for net in {(one.training.qualities, one.training.weights): one for one in whole}.values():
        _refuse_seen(net, catalog)
    for net in whole:
        _refuse_lacking(net, catalog, faces)


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


def _refuse_lacking(net: Net, catalog: Catalog, faces: pl.DataFrame) -> None:
    training, target = net.training, TARGETS[net.training.target]
    options = read_options(training.detector, training.detector_options)
    count = create_blank(training.detector, options, target.classes(catalog.table)).frames
    test = asked_items(catalog, net).table.filter(pl.col("split") == "test")
    usable = faces.filter(pl.col("status") == "ok", pl.col("item").is_in(test["id"].implode()))
    # By the rule that scoring follows: clips of one track go over no gap.
    clips = with_runs(usable, count).filter(pl.col("total") > 0)
    scored = clips.select(id="item").unique()
    judged = test.join(scored, on="id", how="semi").with_columns(maker=target.class_of)
    wanted = ([REAL_MAKER] if target.asks_benign else []) + list(net.methods)
    for quality in net.qualities:
        there = judged.filter(pl.col("quality") == quality)["maker"].unique()
        lacking = [name for name in wanted if name not in there]
        if lacking:
            raise InvalidInputError(
                f"the test split must hold videos of every maker at {quality} that "
                f"{training.detector} can judge, with tracks of {count} faces or more, got none "
                f"of {', '.join(lacking)}; add such videos, or test at other qualities"
            )
