"""Runs of faces of one track without a gap, and the thinning of a video's faces."""

import polars as pl

TRACK = ("item", "track")
RUN = (*TRACK, "run")
GAP = 2  # times the usual step between a track's faces: more breaks a run


def with_runs(faces: pl.DataFrame, frames: int) -> pl.DataFrame:
    """Return faces with the clips that do not overlap and go over no gap.

    Args:
        faces: `item`, `frame` and `track`, one face in each row.
        frames: faces of a clip.

    Returns:
        The rows ordered by item, track and frame, with `run`, the number of the run in its track,
        `place` of the face in its run, and `total`, the faces in whole clips of the run.

    Example:
        >>> faces = pl.DataFrame({"item": "a", "track": 0, "frame": [0, 3, 6, 30, 33]})
        >>> with_runs(faces, 2)["run"].to_list()
        [0, 0, 0, 1, 1]
        >>> with_runs(faces, 2)["total"].to_list()
        [2, 2, 2, 2, 2]
    """
    step = pl.col("frame").diff().over(TRACK)
    ordered = faces.sort(*TRACK, "frame").with_columns(step=step)
    is_gap = (pl.col("step") > GAP * pl.col("step").median().over(TRACK)).fill_null(value=False)
    return (
        ordered.with_columns(is_gap=is_gap)
        .with_columns(run=pl.col("is_gap").cum_sum().over(TRACK))
        .with_columns(
            place=pl.int_range(pl.len()).over(RUN), total=pl.len().over(RUN) // frames * frames
        )
        .drop("step", "is_gap")
    )


def thinned(faces: pl.DataFrame, count: int, *, frames: int = 1) -> pl.DataFrame:
    """Return `count` evenly spread faces of each item, ordered by item, frame and track.

    Of clips whole ones are kept, at least one: as many as `count` faces make. Items of which there
    is no whole clip keep all faces.

    Args:
        faces: `item`, `frame` and `track`, one face in each row.
        count: faces of each item; fewer where there are no more.
        frames: faces of a clip.
    """
    if frames == 1:
        return _spread(faces.sort("item", "frame", "track"), count)
    cut = with_runs(faces, frames).with_columns(clip=pl.col("place") // frames)
    whole = cut.filter(pl.col("place") < pl.col("total"))
    firsts = whole.filter(pl.col("place") % frames == 0).sort("item", "frame", "track")
    kept = whole.join(
        _spread(firsts, max(1, count // frames)).select(*RUN, "clip"), on=[*RUN, "clip"], how="semi"
    )
    others = cut.join(whole, on="item", how="anti")
    return pl.concat([kept, others]).select(faces.columns).sort("item", "frame", "track")


def _spread(rows: pl.DataFrame, count: int) -> pl.DataFrame:
    place, total = pl.int_range(pl.len()).over("item"), pl.len().over("item")
    # Of n rows the kept ones are the middles of `count` equal stretches, (2 k + 1) n // 2 c.
    before = (2 * place * count + total - 1) // (2 * total)
    after = (2 * (place + 1) * count + total - 1) // (2 * total)
    return rows.filter(after > before)
