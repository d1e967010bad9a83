"""Which clips are shown with what a network attends to, and what that is."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import torch

from unmask.benchmark.attribution_clips import SIDE, Watched
from unmask.benchmark.attribution_runs import Asked
from unmask.catalog import Catalog
from unmask.detectors.dma_sta import DmaSta
from unmask.training.batches import as_faces, stacked
from unmask.training.checkpoint import load_checkpoint
from unmask.training.clips import in_clips
from unmask.training.data import joined
from unmask.training.store import read_face

EDGE = 1 / 16  # of a face on each side, which the network does not look at


def watched(asked: Asked, catalog: Catalog, faces: pl.DataFrame) -> list[Watched]:
    """Return clips of test videos with what the network attends to; none where it cannot tell.

    For each maker there are the clip that is named rightly and the one that is named wrongly of
    which the network is surest, at a quality that it was trained on.

    Args:
        asked: the network and what it says.
        catalog: the items.
        faces: what `read_faces` gives.
    """
    detector, _ = load_checkpoint(asked.net.training.out)
    if not isinstance(detector, DmaSta):
        return []
    chosen = list(_chosen(asked))
    items = catalog.filter(id=[row["item"] for row in chosen]).table.select("id")
    clips = in_clips(joined(items, faces), detector.frames)
    places = clips.table.select("item", "frame", "track").iter_rows()
    files = dict(zip(places, clips.clips, strict=True))
    number = dict(faces.select("crop", "frame").iter_rows())
    shown = []
    for row in chosen:
        crops = files[row["item"], row["frame"], row["track"]]
        shown.append(_watched(detector, row, crops, [number[one] for one in crops]))
    return shown


def _chosen(asked: Asked) -> Iterator[dict[str, Any]]:
    """Yield the rows of the clips to show, with whom they are `named` and its `probability`."""
    names = [f"p_{name}" for name in asked.classes]
    surest = pl.max_horizontal(names)
    likeliest = (
        pl.concat_list(names)
        .list.arg_max()
        .replace_strict(dict(enumerate(asked.classes)), return_dtype=pl.String)
    )
    rows = asked.scores.filter(
        pl.col("split") == "test",
        pl.col("quality").is_in(asked.net.training.qualities),
        pl.col("maker").is_in(asked.classes),
    ).with_columns(named=likeliest, probability=surest)
    for maker in asked.classes:
        own = rows.filter(pl.col("maker") == maker).sort(
            "probability", "item", descending=[True, False]
        )
        for is_right in (True, False):
            found = own.filter((pl.col("named") == maker) == is_right)
            yield from found.head(1).to_dicts()


def _watched(
    detector: DmaSta, row: dict[str, Any], crops: Sequence[str], numbers: Sequence[int]
) -> Watched:
    images = [read_face(crop, detector.size) for crop in crops]
    device = detector.get_buffer("mean").device
    with torch.inference_mode():
        over_frames, over_places = detector.attention(as_faces(stacked([images]), device))
    # What is shown is what the network looks at, at a size that is good to look at.
    side = round(SIDE / (1 - 2 * EDGE))
    edge = (side - SIDE) // 2
    faces = [read_face(crop, side)[edge : edge + SIDE, edge : edge + SIDE] for crop in crops]
    return Watched(
        item=row["item"],
        maker=row["maker"],
        named=row["named"],
        probability=row["probability"],
        frames=tuple(numbers),
        faces=tuple(faces),
        over_frames=over_frames[0].double().cpu().numpy(),
        over_places=over_places[0].double().cpu().numpy(),
    )
