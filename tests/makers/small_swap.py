"""Swaps between drawn people by an autoencoder that is as small as can be."""

from pathlib import Path
from typing import Any

from makers import forgeable
from makers.forgeable import clip_row
from unmask.catalog import Catalog
from unmask.swapping.forge_swap import SwapSettings

SMALL: dict[str, Any] = {
    "width": 0.05,
    "iterations": 2,
    "batch": 2,
    "threads": 1,
    "faces": 20,
    "face_size": 96,
    "workers": 1,
}


def settings(catalog: Path | None, out: Path, **more: Any) -> SwapSettings:
    people = {"target": "ann", "source": "bob"}
    return SwapSettings(out=out, catalog=catalog, **(SMALL | people | more))


def drawn(root: Path, *people: str, **columns: Any) -> Path:
    """Write a catalog with a clip of each of some drawn people."""
    rows = [clip_row(root, one, frames=6, **columns) for one in people or ("ann", "bob", "cid")]
    return forgeable.make(root, *rows)


def swaps(catalog: Catalog) -> list[dict[str, Any]]:
    return catalog.filter(label=1).rows()
