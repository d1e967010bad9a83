"""Finding the attacked faces again among those that were found anew in a written file."""

import polars as pl

from unmask.adversarial.found_again import LEAST_OVERLAP

BOX = ("left", "top", "right", "bottom")
FACE = ("item", "frame", "track")


def matched(wanted: pl.DataFrame, found: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the wanted faces with the score of the face that was found in their place.

    The rule is that of the attack itself: the area that both boxes share is half of what either
    covers, or more; those that share most go first, and each stands for one face only.

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
    others = found.select(*FACE, "score", *BOX).rename({"track": "other", "score": name})
    pairs = wanted.select(*FACE, *BOX).join(others, on=["item", "frame"], suffix="_found")
    nearest = (
        pairs.with_columns(overlap=_overlap())
        .filter(pl.col("overlap") >= LEAST_OVERLAP)
        .sort("overlap", descending=True, maintain_order=True)
        .unique(["item", "frame", "other"], keep="first", maintain_order=True)
        .unique(list(FACE), keep="first", maintain_order=True)
    )
    return wanted.join(
        nearest.select(*FACE, name), on=list(FACE), how="left", maintain_order="left"
    )


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


def _overlap() -> pl.Expr:
    """Return the area that the two boxes of each row share by the area that either covers."""

    def side(low: str, high: str) -> pl.Expr:
        ends = pl.min_horizontal(high, f"{high}_found"), pl.max_horizontal(low, f"{low}_found")
        return (ends[0] - ends[1]).clip(lower_bound=0)

    def area(suffix: str) -> pl.Expr:
        left, top, right, bottom = (pl.col(f"{edge}{suffix}") for edge in BOX)
        return (right - left) * (bottom - top)

    shared = side("left", "right") * side("top", "bottom")
    return shared / (area("") + area("_found") - shared)
