"""What a catalog says of swaps, and the joining of catalogs that hold them."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from unmask.catalog import Catalog, make_catalog, read_catalog
from unmask.contracts import FAKE
from unmask.errors import InvalidInputError
from unmask.execution.journal import key_of
from unmask.generators.forge_clip import LONGEST_NAME
from unmask.swapping.swap_model import SwapCard

logger = logging.getLogger(__name__)

Row = dict[str, Any]
Part = TypeVar("Part")


def part_of(settings: object, kind: type[Part]) -> Part:
    """Return the settings of one stage out of those of a verb that is told more.

    Args:
        settings: an instance of a class that inherits from `kind`.
        kind: the dataclass of the stage.
    """
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: getattr(settings, name) for name in names})


def file_name(whole: str) -> str:
    """Return a name that file systems take, cut short if need be."""
    if len(whole.encode()) <= LONGEST_NAME:
        return whole
    return f"{whole[: LONGEST_NAME // 4]}-{key_of(whole)}"


def swap_row(target: Row, sources: Sequence[Row], made: Row, *, method: str, seed: int) -> Row:
    """Return the row of a swap: what its target is, and what was made of it.

    Args:
        target: the row of the clip that was changed.
        sources: the rows of the clips that the face comes from, all of one person.
        made: what `unmask.swapping.convert.convert_clip` returns.
        method: the name of the autoencoder.
        seed: of its training.
    """
    licences = [row["licence"] for row in (target, *sources) if row["licence"]]
    said = {
        "label": FAKE,
        "original_label": None,
        "family": "swap",
        "method": method,
        "source_person": sources[0]["person"],
        "parents": [target["id"], *(row["id"] for row in sources)],
        "seed": seed,
        "settings": None,
        "licence": " + ".join(dict.fromkeys(licences)) or None,
        "sha256": None,
        "mask": None,
    }
    if any(row["split"] != target["split"] for row in sources):
        said["split"] = None
    return target | said | made


def told(made: Row, card: SwapCard) -> Row:
    """Return what was made, with the autoencoder told by what is the same in every run of it.

    The card itself holds times, and so another hash when the training was interrupted.
    """
    if made["status"] != "ok":
        return made
    model = {
        "name": card.model,
        "width": card.width,
        "iterations": card.iterations,
        "started_from": card.started_from,
        "weights_sha256": card.weights_sha256,
    }
    settings = json.loads(made["settings"]) | {"model": model}
    return made | {"settings": json.dumps(settings, sort_keys=True)}


def check_places(catalog: Catalog, places: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Refuse items that would take the place of another one, or of each other.

    Args:
        catalog: what there is.
        places: the id of each item that is to be made, and its parents, the target first.

    Raises:
        InvalidInputError: if an id is that of an item of another target, or of other sources.
    """
    made: dict[str, Sequence[str]] = {}
    for item, parents in places:
        if made.setdefault(item, parents) != parents:
            raise InvalidInputError(
                f"each swap must have an id of its own, got {item!r} for {made[item][0]} and for "
                f"{parents[0]}; rename one of these clips"
            )
    taken = catalog.filter(id=list(made)).table["id", "parents"]
    for item, there in taken.iter_rows():
        if not _is_same(there or (), made[item]):
            raise InvalidInputError(
                f"the id of a swap must be free, got {item!r}, which is another item; choose "
                "another folder, or rename the original"
            )


def check_kept(out: Path, kept: Mapping[str, Sequence[str]], *, advice: str) -> None:
    """Refuse to write over a catalog that names fakes which the new one would not.

    Args:
        out: the folder of both.
        kept: the parents of each item that the new one names, by its id.
        advice: how to keep the others.

    Raises:
        InvalidInputError: if a fake would be lost, or become one of other people.
    """
    path = out / "catalog.parquet"
    if not path.is_file():
        return
    fakes = read_catalog(path).filter(label=FAKE).table["id", "parents"]
    lost = sorted(
        item
        for item, parents in fakes.iter_rows()
        if item not in kept or not _is_same(parents or (), kept[item])
    )
    if lost:
        raise InvalidInputError(
            f"out must not hold fakes that its new catalog would not name, got {len(lost)} such "
            f"as {lost[0]!r} in {path}; {advice}, or choose another folder"
        )


def parents_of(catalog: Catalog) -> dict[str, Sequence[str]]:
    """Return the parents of each item, by its id."""
    rows = catalog.table["id", "parents"].iter_rows()
    return {item: parents or () for item, parents in rows}


def _is_same(parents: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether two swaps are of one clip and of one source, who may have got more clips."""
    if not parents or not others:
        return list(parents) == list(others)
    sources, further = set(parents[1:]), set(others[1:])
    return parents[0] == others[0] and (sources == further or bool(sources & further))


def with_earlier(catalog: Catalog) -> Catalog:
    """Return the catalog with the items that the one in its folder names beside.

    Where an id is that of another file there, nothing is taken over: the parents of its fakes
    would be others.
    """
    path = catalog.root / "catalog.parquet"
    if not path.is_file():
        return catalog
    earlier = read_catalog(path)
    files = dict(earlier.table["id", "path"].iter_rows())
    if any(files.get(item, file) != file for item, file in catalog.table["id", "path"].iter_rows()):
        return catalog
    further = earlier.table.filter(~pl.col("id").is_in(catalog.table["id"].implode()))
    return Catalog(pl.concat([catalog.table, further]), catalog.root)


def with_made(catalog: Catalog, rows: Iterable[Row]) -> Catalog:
    """Return the catalog with what was made; how much could not be is said."""
    made = make_catalog(rows, catalog.root).table
    failed = int((made["status"] != "ok").sum())
    if failed:
        logger.warning(
            "%d of %d videos could not be made; the column `reason` says why", failed, made.height
        )
    kept = catalog.table.filter(~pl.col("id").is_in(made["id"].implode()))
    return Catalog(pl.concat([kept, made]), catalog.root)
