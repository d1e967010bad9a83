"""Finding the attacked faces again among those that were found anew in a written file."""

from collections.abc import Mapping
from math import isnan, nan

import polars as pl

from unmask.adversarial import found_again
from unmask.adversarial.found_again import Seen
from unmask.benchmark.attack_measure import JUDGED

BOX = ("left", "top", "right", "bottom")
PLACE = ("item", "frame")
FACE = (*PLACE, "track")
UNREAD = "crop unreadable"
Place = tuple[str, int]
Faults = Mapping[tuple[str, int | None], str]
NO_FAULTS: Faults = {}


def matched(
    wanted: pl.DataFrame, found: pl.DataFrame, name: str, faults: Faults = NO_FAULTS
) -> pl.DataFrame:
    """Return the wanted faces with the score of the face that was found in their place.

    The rule is that of the attack itself, `found_again.matched`, frame by frame.

    Args:
        wanted: `item`, `frame`, `track` and a box `left`, `top`, `right`, `bottom`.
        found: the same of the found faces, with `score`, null where the crop cannot be read.
        name: of the column that is added: the score, null where no face was found in the place.
        faults: what kept a frame, or with None a whole item, from being searched.

    Returns:
        The table with the score, and as `<name>_fault` why there can be none, null elsewhere.

    Example:
        >>> box = {"left": [0.0], "top": [0.0], "right": [8.0], "bottom": [8.0]}
        >>> wanted = pl.DataFrame({"item": ["a"], "frame": [0], "track": [0]} | box)
        >>> found = wanted.with_columns(pl.col("left", "right") + 2, track=5, score=0.25)
        >>> matched(wanted, found, "score")["score"].to_list()
        [0.25]
    """
    there: dict[Place, list[Seen]] = {}
    for item, frame, score, *box in found.select(*PLACE, "score", *BOX).iter_rows():
        read = nan if score is None else score
        there.setdefault((item, frame), []).append(Seen(tuple(box), read))
    asked: dict[Place, list[int]] = {}
    for row, place in enumerate(wanted.select(PLACE).iter_rows()):
        asked.setdefault(place, []).append(row)
    boxes = wanted.select(BOX).rows()
    scores: list[float | None] = [None] * wanted.height
    lost: list[str | None] = [None] * wanted.height
    for place, rows in asked.items():
        again = found_again.matched([boxes[row] for row in rows], there.get(place, ()))
        fault = faults.get(place) or faults.get((place[0], None))
        for row, one in zip(rows, again, strict=True):
            is_unread = one is not None and isnan(one.score)
            scores[row] = one.score if one and not is_unread else None
            lost[row] = UNREAD if is_unread else fault
    return wanted.with_columns(
        pl.Series(name, scores, dtype=pl.Float64),
        pl.Series(f"{name}_fault", lost, dtype=pl.String),
    )


def judged_faces(
    attacked: pl.DataFrame,
    *,
    before: pl.DataFrame,
    control: pl.DataFrame,
    score: pl.DataFrame,
    methods: pl.DataFrame,
    faults: Faults = NO_FAULTS,
    clean_faults: Faults = NO_FAULTS,
) -> pl.DataFrame:
    """Return the table of `attack_measure.JUDGED` for one attack, judge and channel.

    Args:
        attacked: the table of attacked faces.
        before: the scored faces of the clean files, by the id of the clean video.
        control: those of the clean files on this channel, by the id of the clean video.
        score: those of the attacked files on this channel, by the id of the attacked video.
        methods: `item` and `method` of the clean videos.
        faults: of the attacked files on this channel, by the id of the attacked video.
        clean_faults: of the clean files on this channel, by the id of the clean video.
    """
    own = attacked.filter(pl.col("status") == "ok").select(*FACE, "parent", *BOX)
    faces = matched(own, score, "score", faults).drop("item").rename({"parent": "item"})
    faces = matched(faces, control, "control", clean_faults)
    faces = matched(faces, before, "before")
    return _judged(faces, methods)


def tensor_faces(attacked: pl.DataFrame, methods: pl.DataFrame) -> pl.DataFrame:
    """Return the same for the victim itself, of faces that never were in a file."""
    own = attacked.filter(pl.col("status") == "ok").select(
        "frame",
        "track",
        item="parent",
        before="score_before",
        control="score_before",
        score="score_after",
        score_fault=pl.lit(None, pl.String),
        control_fault=pl.lit(None, pl.String),
    )
    return _judged(own, methods)


def _judged(faces: pl.DataFrame, methods: pl.DataFrame) -> pl.DataFrame:
    whole = faces.join(methods.select("item", "method"), on="item", how="left")
    return whole.select(*JUDGED).sort("item", "frame", "track")
