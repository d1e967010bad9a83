"""Finding the attacked faces again among those that were found anew in a written file."""

import polars as pl

from unmask.adversarial import found_again
from unmask.adversarial.found_again import Seen

BOX = ("left", "top", "right", "bottom")
PLACE = ("item", "frame")
FACE = (*PLACE, "track")
Place = tuple[str, int]


def matched(wanted: pl.DataFrame, found: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the wanted faces with the score of the face that was found in their place.

    The rule is that of the attack itself, `found_again.matched`, frame by frame.

    Args:
        wanted: `item`, `frame`, `track` and a box `left`, `top`, `right`, `bottom`.
        found: the same of the found faces, with `score`.
        name: of the column that is added: the score, null where no face was found in the place.

    Example:
        >>> box = {"left": [0.0], "top": [0.0], "right": [8.0], "bottom": [8.0]}
        >>> wanted = pl.DataFrame({"item": ["a"], "frame": [0], "track": [0]} | box)
        >>> found = wanted.with_columns(pl.col("left", "right") + 2, track=5, score=0.25)
        >>> matched(wanted, found, "score")["score"].to_list()
        [0.25]
    """
    there: dict[Place, list[Seen]] = {}
    for item, frame, score, *box in found.select(*PLACE, "score", *BOX).iter_rows():
        there.setdefault((item, frame), []).append(Seen(tuple(box), score))
    asked: dict[Place, list[int]] = {}
    for row, place in enumerate(wanted.select(PLACE).iter_rows()):
        asked.setdefault(place, []).append(row)
    boxes = wanted.select(BOX).rows()
    scores: list[float | None] = [None] * wanted.height
    for place, rows in asked.items():
        again = found_again.matched([boxes[row] for row in rows], there.get(place, ()))
        for row, one in zip(rows, again, strict=True):
            scores[row] = one.score if one else None
    return wanted.with_columns(pl.Series(name, scores, dtype=pl.Float64))


def judged_faces(
    attacked: pl.DataFrame,
    *,
    before: pl.DataFrame,
    control: pl.DataFrame,
    score: pl.DataFrame,
    methods: pl.DataFrame,
) -> pl.DataFrame:
    """Return the table of `attack_measure.JUDGED` for one attack, judge and channel.

    Args:
        attacked: the table of attacked faces.
        before: the scored faces of the clean files, by the id of the clean video.
        control: those of the clean files on this channel, by the id of the clean video.
        score: those of the attacked files on this channel, by the id of the attacked video.
        methods: `item` and `method` of the clean videos.
    """
    own = attacked.filter(pl.col("status") == "ok").select(*FACE, "parent", *BOX)
    faces = matched(own, score, "score").drop("item").rename({"parent": "item"})
    faces = matched(faces, control, "control")
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
    )
    return _judged(own, methods)


def _judged(faces: pl.DataFrame, methods: pl.DataFrame) -> pl.DataFrame:
    whole = faces.join(methods.select("item", "method"), on="item", how="left")
    names = ("item", "method", "frame", "track", "before", "control", "score")
    return whole.select(names).sort("item", "frame", "track")
