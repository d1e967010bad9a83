"""Clips of consecutive faces, for networks that judge several together."""

import logging
from dataclasses import replace

import polars as pl

from unmask.errors import InvalidInputError
from unmask.training.data import Faces, TrainingData
from unmask.training.runs import RUN, with_runs

logger = logging.getLogger(__name__)


def in_clips(faces: Faces, frames: int, *, anywhere: bool = False) -> Faces:
    """Return consecutive faces of one track together, where single faces were.

    Args:
        faces: one in each row.
        frames: faces of a clip; 1 changes nothing.
        anywhere: whether a row stands for all faces of its run, of which a clip may be any so
            many in a row. Else it stands for one clip, and no clips overlap. Either way there are
            as many rows of a run as whole clips fit into it. A run is a track, or a part of it
            between gaps.

    Returns:
        Rows have the columns of their first face. Items without so many faces of one track are
        left out, and their number is logged.
    """
    if frames == 1:
        return faces
    ordered = with_runs(faces.table, frames)
    is_first = (pl.col("place") % frames == 0) & (pl.col("place") < pl.col("total"))
    rows = ordered.filter(is_first).sort("item", "frame", "track")
    left_out = ordered["item"].n_unique() - rows["item"].n_unique()
    if left_out:
        logger.warning("left out: %d items without %d faces of one track", left_out, frames)
    crops = ordered.group_by(RUN, maintain_order=True).agg("crop")
    files = {tuple(run): some for *run, some in crops.iter_rows()}
    runs = [
        files[*run] if anywhere else files[*run][first : first + frames]
        for *run, first in rows.select(*RUN, "place").iter_rows()
    ]
    return replace(faces, table=rows.drop("run", "place", "total"), runs=runs)


def data_in_clips(data: TrainingData, frames: int) -> TrainingData:
    """Return the data of a training in clips, in training from any start.

    Raises:
        InvalidInputError: if a class has no clip in a split.
    """
    train = in_clips(data.train, frames, anywhere=True)
    validation = in_clips(data.validation, frames)
    for split, faces in (("train", train), ("val", validation)):
        for label, name in enumerate(faces.classes):
            if not (faces.labels == label).any():
                raise InvalidInputError(
                    f"the split {split!r} must have {name} clips, got no {frames} faces of one "
                    "track in any item of that class; prepare more faces of each video"
                )
    return replace(data, train=train, validation=validation)
