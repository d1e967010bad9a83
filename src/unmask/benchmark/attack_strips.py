"""Which attacked faces the page shows, read from the files of the protocol."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from unmask.benchmark.attack_pictures import Sight, Strip
from unmask.benchmark.attack_results import FILE, TENSOR, AttackResult
from unmask.benchmark.attack_run import Stage
from unmask.contracts import Image
from unmask.errors import UnmaskError
from unmask.faces.crop import Region, square_region
from unmask.video.read import read_frame

Row = dict[str, Any]


def strips(stage: Stage, judged: pl.DataFrame, results: Sequence[AttackResult]) -> list[Strip]:
    """Return one strip for each attack on each victim, of one face for each victim.

    The face is the first, by video and frame, of those that every attack has, that its victim
    judged fake before and that was found again on most channels: no success is asked for.

    Args:
        stage: the files.
        judged: of all attacks, as `judged.parquet` holds them.
        results: of the attacks to show.
    """
    shown = []
    for result in results:
        place = _place(judged.filter(pl.col("victim") == result.victim.name), result.threshold)
        if place is not None:
            strip = strip_of(stage, judged, result, **place)
            shown += [strip] if strip else []
    return shown


def strip_of(
    stage: Stage, judged: pl.DataFrame, result: AttackResult, *, item: str, frame: int, track: int
) -> Strip | None:
    """Return one face on every channel; None where the attack lacks it or a file is unreadable.

    Args:
        stage: the files.
        judged: of all attacks, as `judged.parquet` holds them.
        result: of the attack.
        item: the id of the clean video.
        frame: its number.
        track: which face.
    """
    called = f"{result.victim.name}/{result.attack}/{item}"
    rows = stage.attacked.filter(item=called, frame=frame, track=track, status="ok")
    if not rows.height:
        return None
    row = rows.row(0, named=True)
    scores = _scores(judged, result, item=item, frame=frame, track=track)
    try:
        sights = tuple(
            Sight(
                channel,
                _crop(stage, prefix + item, row),
                _crop(stage, prefix + called, row),
                *scores.get(channel, (None, None)),
            )
            for channel, prefix in stage.copies.items()
        )
    except UnmaskError:
        return None
    return Strip(f"{result.attack} on {result.victim.name}", f"{item}, frame {frame}", sights)


def _place(judged: pl.DataFrame, threshold: float) -> dict[str, Any] | None:
    """Return item, frame and track of the face to show."""
    own = judged.filter(
        pl.col("judge") == pl.col("victim"),
        pl.col("channel") != TENSOR,
        pl.col("before") >= threshold,
    )
    face = ("item", "frame", "track")
    found = own.group_by(face).agg(pl.col("score").count(), attacks=pl.col("attack").n_unique())
    shared = found.filter(pl.col("attacks") == own["attack"].n_unique())
    best = shared.sort("score", *face, descending=[True, False, False, False])
    return best.select(face).row(0, named=True) if best.height else None


def _scores(
    judged: pl.DataFrame, result: AttackResult, *, item: str, frame: int, track: int
) -> dict[str, tuple[float | None, float | None]]:
    """Return the clean and the attacked score of a face by channel."""
    rows = judged.filter(
        pl.col("victim") == result.victim.name,
        pl.col("judge") == result.victim.name,
        pl.col("attack") == result.attack,
        pl.col("item") == item,
        pl.col("frame") == frame,
        pl.col("track") == track,
    )
    found = rows.select("channel", "before", "control", "score").rows()
    return {
        channel: (before if channel == FILE else control, score)
        for channel, before, control, score in found
    }


def _crop(stage: Stage, item: str, row: Row) -> Image:
    """Return the square about a face, at the same place in every file."""
    (path,) = stage.catalog.filter(id=item).table["path"]
    image = read_frame(stage.catalog.media(path), row["frame"]).image
    box = (row["left"], row["top"], row["right"], row["bottom"])
    region: Region | None = square_region(box, image.shape[1], image.shape[0])
    left, top, right, bottom = region or (0, 0, image.shape[1], image.shape[0])
    return image[top:bottom, left:right]
