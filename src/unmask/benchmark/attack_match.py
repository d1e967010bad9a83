"""Finding the attacked faces again among those that were found anew in a written file."""

import polars as pl

BOX = ("left", "top", "right", "bottom")
FACE = ("item", "frame", "track")


def matched(wanted: pl.DataFrame, found: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the wanted faces with the score of the face that was found in their place.

    A found face stands for a wanted one if its middle lies within the other's box. Where several
    do, the nearest is taken, and each stands for one wanted face only.

    Args:
        wanted: `item`, `frame`, `track` and a box `left`, `top`, `right`, `bottom`.
        found: the same of the found faces, with `score`.
        name: of the column that is added: the score, null where no face was found in the place.

    Example:
        >>> box = {"left": [0.0], "top": [0.0], "right": [8.0], "bottom": [8.0]}
        >>> wanted = pl.DataFrame({"item": ["a"], "frame": [0], "track": [0]} | box)
        >>> found = wanted.with_columns(pl.col("left", "right") + 3, track=5, score=0.25)
        >>> matched(wanted, found, "score")["score"].to_list()
        [0.25]
    """
    others = found.select(*FACE, "score", *BOX).rename({"track": "other", "score": name})
    pairs = wanted.select(*FACE, *BOX).join(others, on=["item", "frame"], suffix="_found")
    x, y = _middle("_found")
    inside = x.is_between("left", "right") & y.is_between("top", "bottom")
    own_x, own_y = _middle("")
    distance = (x - own_x) ** 2 + (y - own_y) ** 2
    nearest = (
        pairs.filter(inside)
        .sort(distance, "other", maintain_order=True)
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


def _middle(suffix: str) -> tuple[pl.Expr, pl.Expr]:
    """Return the middle of a box, across and down."""
    return (
        (pl.col(f"left{suffix}") + pl.col(f"right{suffix}")) / 2,
        (pl.col(f"top{suffix}") + pl.col(f"bottom{suffix}")) / 2,
    )
