"""Small catalogs of made rows, with the family ties of real ones."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unmask.catalog import Catalog, make_catalog


def row(name: str, **given: object) -> dict[str, Any]:
    """Return a valid row with an id and whatever else is given."""
    return {"id": name, "path": f"{name}.mp4", "dataset": "made"} | given


def catalog_of(*rows: dict[str, Any], root: Path = Path()) -> Catalog:
    return make_catalog(rows, root)


def originals(people: Iterable[str], clips: int = 1) -> list[dict[str, Any]]:
    """Return rows of real clips, `clips` of each person."""
    return [
        row(f"real/{person}/{clip}", person=person, label=0, quality="raw")
        for person in people
        for clip in range(clips)
    ]


def swap(target: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a swap of two originals."""
    return row(
        f"fake/{target['id']}/{source['person']}",
        person=target["person"],
        source_person=source["person"],
        parents=[target["id"], source["id"]],
        label=1,
        family="swap",
        method="made_swap",
        quality="raw",
    )


def copies(rows: Iterable[dict[str, Any]], quality: str = "c23") -> list[dict[str, Any]]:
    """Return copies at another quality that name nobody: only their parents tell who is seen."""
    nobody = {"person": None, "source_person": None}
    return [
        one | nobody | {"id": f"{quality}/{one['id']}", "parents": [one["id"]], "quality": quality}
        for one in rows
    ]


def swapped_in_pairs(people: Sequence[str], clips: int = 1) -> list[dict[str, Any]]:
    """Return originals and swaps of neighbours both ways, each raw and as a nameless copy."""
    real = originals(people, clips)
    by_person = {person: [one for one in real if one["person"] == person] for person in people}
    fake = [
        swap(target, source)
        for left, right in zip(people[::2], people[1::2], strict=False)
        for target, source in [
            (by_person[left][0], by_person[right][0]),
            (by_person[right][0], by_person[left][0]),
        ]
    ]
    return [*real, *fake, *copies([*real, *fake])]


def tangled(people: int, swaps: int, seed: int) -> list[dict[str, Any]]:
    """Return originals, swaps of random pairs, copies, copies of copies and nameless items."""
    random = np.random.default_rng(seed)
    real = originals([f"p{number}" for number in range(people)])
    pairs = {tuple(random.choice(people, 2, replace=False)) for _ in range(swaps)}
    fake = [swap(real[left], real[right]) for left, right in sorted(pairs)]
    nameless = [row(f"nameless/{number}", label=0) for number in range(3)]
    second = copies([*real[::2], *fake[::2], *nameless])
    every = [*real, *fake, *nameless, *second, *copies(second[::3], "c40")]
    return [every[at] for at in random.permutation(len(every))]
