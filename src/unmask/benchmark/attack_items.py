"""Which videos the attack protocol starts from."""

from collections import Counter
from typing import Any

import polars as pl

from unmask.adversarial.opening import OpenVictim
from unmask.benchmark.attack_settings import AttackBenchmarkSettings
from unmask.benchmark.leakage import notes_on_seen
from unmask.catalog import Catalog, read_catalog
from unmask.contracts import FAKE
from unmask.datasets.cut import CutSettings, cut
from unmask.errors import InvalidInputError
from unmask.schema import ADVERSARIAL, PRISTINE
from unmask.seeding import generator_for

Row = dict[str, Any]


def chosen_items(
    settings: AttackBenchmarkSettings, victims: list[OpenVictim]
) -> tuple[Catalog, tuple[str, ...]]:
    """Return the fakes to attack, and what a reader has to know of them.

    Raises:
        NotFoundError: if the catalog or the split does not exist.
        InvalidInputError: if no usable fake is left.
        LeakageError: if a victim has seen a video or a person of them.
    """
    catalog = read_catalog(settings.catalog)
    fakes = _fakes(catalog, settings)
    rows = spread(fakes.rows(), settings.videos or len(fakes), seed=settings.seed)
    items = fakes.filter(id=[row["id"] for row in rows])
    notes = [
        note
        for victim in victims
        for card in victim.cards
        for note in notes_on_seen(card, items, lineage=catalog)
    ]
    return items, tuple(dict.fromkeys(notes))


def cut_items(items: Catalog, settings: AttackBenchmarkSettings) -> Catalog:
    """Return the items themselves, or, if wanted, lossless clips of their first frames."""
    folder = settings.out / "clean"
    folder.mkdir(parents=True, exist_ok=True)
    items = items.moved(folder)
    if not settings.clip_frames:
        return items
    items.write(folder / "chosen.parquet")
    return cut(
        CutSettings(
            folder / "chosen.parquet",
            folder,
            frames=settings.clip_frames,
            workers=settings.workers,
            retry_failed=settings.retry_failed,
        )
    )


def spread(rows: list[Row], count: int, *, seed: int) -> list[Row]:
    """Return at most `count` rows of all methods, and in each of as many persons as can be.

    Args:
        rows: with `id`, `method` and `person`.
        count: how many.
        seed: of the choice among equals.
    """
    if count >= len(rows):
        return sorted(rows, key=lambda one: str(one["id"]))
    order = generator_for(seed, "videos").permutation(len(rows))
    left = [rows[place] for place in order]
    methods: Counter[str | None] = Counter()
    people: Counter[str | None] = Counter()
    chosen: list[Row] = []
    while len(chosen) < count:
        # The first of the least: `left` stands in an order drawn by the seed.
        row = min(left, key=lambda one: (methods[one["method"]], people[one["person"]]))
        left.remove(row)
        methods[row["method"]] += 1
        people[row["person"]] += 1
        chosen.append(row)
    return sorted(chosen, key=lambda one: str(one["id"]))


def _fakes(catalog: Catalog, settings: AttackBenchmarkSettings) -> Catalog:
    labelled = catalog.filter(status="ok", kind="video", label=FAKE)
    table = labelled.table.filter(pl.col("family").ne_missing(ADVERSARIAL))
    wanted = PRISTINE if settings.quality is None else (settings.quality,)
    fakes = Catalog(table, catalog.root).filter(quality=list(wanted))
    fakes = fakes.filter(split=settings.split) if settings.split else fakes
    if not len(fakes):
        there = table.select("split", "quality").unique().sort("split", "quality").rows()
        told = ", ".join(f"{split} {quality}" for split, quality in there)
        raise InvalidInputError(
            f"the catalog must hold usable fake videos of split {settings.split or 'any'} and "
            f"quality {settings.quality or 'raw'}, got {told or 'no fake at all'}; set split and "
            "quality to some that are there"
        )
    return fakes
