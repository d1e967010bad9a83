"""What a training learns from: prepared faces joined to what the catalog says of their videos."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unmask.catalog import Catalog, read_catalog
from unmask.detectors.create import frames_of
from unmask.errors import InvalidInputError, unknown_name
from unmask.faces.table import FaceTable, read_face_table
from unmask.training.carded import CARD
from unmask.training.checkpoint import read_card
from unmask.training.runs import thinned
from unmask.training.settings import TrainSettings
from unmask.training.target import TARGETS, Target

logger = logging.getLogger(__name__)

# What decides on a picture that is learned: the video, the face in it, and how it was cut out.
PICTURE = ("sha256", "frame", "track", "left", "top", "right", "bottom")
CUT = ("profile", "size", "crop_format")
SPLIT_ADVICE = "split it by person with `unmask catalog split`"


@dataclass(frozen=True)
class Faces:
    """Crops with the columns of their videos, ordered by item, frame and track.

    Args:
        table: `item`, `frame`, `track`, `crop` (the file) and the catalog's columns; `label` is
            the number of the item's class.
        classes: their names; one that is benign comes first.
        runs: the files of each row in the order of frames, where a row stands for several faces
            of one track and not for its own alone.
    """

    table: pl.DataFrame
    classes: tuple[str, ...] = ("real", "fake")
    runs: Sequence[Sequence[str]] | None = None

    def __len__(self) -> int:
        return self.table.height

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """(n,) numbers of classes."""
        return self.table["label"].to_numpy().astype(np.int64)

    @cached_property
    def clips(self) -> Sequence[Sequence[str]]:
        """The files of each row: that of one face, or those of several."""
        return [[crop] for crop in self.table["crop"]] if self.runs is None else self.runs


@dataclass(frozen=True)
class Seen:
    """What a checkpoint has seen in training and validation, to be kept out of its tests.

    Args:
        hashes: SHA-256 of every item and of all that they were made from, sorted.
        persons: `data set/person` of the same items, sources of swaps among them, sorted.
        is_known: whether that is all; of weights from elsewhere nobody knows.
    """

    hashes: tuple[str, ...]
    persons: tuple[str, ...]
    is_known: bool = True


@dataclass(frozen=True)
class TrainingData:
    """Faces of both splits, and where they come from.

    Args:
        train: what is learned.
        validation: what the detector is chosen on.
        ancestors: rows (id, ancestor), of what each item was made from.
        seen: what is in both splits, and what the weights to start from have seen before.
        catalog_hash: of the whole catalog.
        faces_hash: of the faces of both splits, which decides whether two runs are the same.
    """

    train: Faces
    validation: Faces
    ancestors: pl.DataFrame
    seen: Seen
    catalog_hash: str
    faces_hash: str


def load_data(settings: TrainSettings) -> TrainingData:
    """Return the faces of the train and val splits that the settings choose.

    Raises:
        NotFoundError: if a file does not exist, or a quality or method is unknown.
        InvalidInputError: if a split or a class is missing, a label or a hash unknown, a person
            stands in both splits, or the card beside the weights to start from was changed.
    """
    catalog, table = read_catalog(settings.catalog), read_face_table(settings.faces)
    target = TARGETS[settings.target]
    faces = target.marked(_with_whole_paths(table), catalog)
    items = target.concerned(_chosen(catalog.usable().table, settings, target))
    classes = target.classes(items.filter(pl.col("split").is_in(("train", "val"))))
    if len(classes) < 2:
        raise InvalidInputError(
            f"train and val must have two classes or more to tell apart, got {', '.join(classes)}; "
            "add items, or choose other methods"
        )
    items = target.numbered(items, classes)
    frames = frames_of(settings.detector, settings.detector_options)
    train, validation = (
        _faces_of(items, split, faces, _Share(count, frames), classes, target.column)
        for split, count in (
            ("train", settings.frames_per_video),
            ("val", settings.validation_frames_per_video),
        )
    )
    ancestors = catalog.ancestors()
    learned, chosen_on = (_seen(catalog, ancestors, one) for one in (train, validation))
    _refuse_shared(learned, chosen_on)
    return TrainingData(
        train,
        validation,
        ancestors,
        _united(learned, chosen_on, *_seen_before(settings.weights)),
        catalog.content_hash(),
        _hash([train, validation], table.settings),
    )


def read_faces(path: Path) -> pl.DataFrame:
    """Return a face table whose crops are told as whole paths.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if it is no face table.
    """
    return _with_whole_paths(read_face_table(path))


def _with_whole_paths(faces: FaceTable) -> pl.DataFrame:
    return faces.table.with_columns(crop=pl.format("{}/{}", pl.lit(faces.root.as_posix()), "crop"))


def joined(
    items: pl.DataFrame, faces: pl.DataFrame, count: int | None = None, *, frames: int = 1
) -> Faces:
    """Return the usable faces of the items, `count` evenly spread ones of each where given.

    Of networks of clips, which take so many frames, whole clips are kept; see `thinned`.
    """
    usable = faces.filter(pl.col("status") == "ok")
    found = (
        usable.select("item", *PICTURE[1:], "crop")
        .join(items, left_on="item", right_on="id")
        .sort("item", "frame", "track")
    )
    return Faces(found if count is None else thinned(found, count, frames=frames))


def _chosen(items: pl.DataFrame, settings: TrainSettings, target: Target) -> pl.DataFrame:
    for column, wanted in (("quality", settings.qualities), ("method", settings.methods)):
        known = items[column].drop_nulls().unique().to_list()
        for name in wanted:
            if name not in known:
                raise unknown_name(f"the catalog's column {column}", name, known)
    if settings.qualities:
        items = items.filter(pl.col("quality").is_in(settings.qualities))
    if settings.methods:
        chosen = pl.col("method").is_in(settings.methods)
        items = items.filter(target.is_benign | chosen)
    return items


@dataclass(frozen=True)
class _Share:
    """How many faces of each item are taken; all where it is None, in whole clips of frames."""

    count: int | None
    frames: int


def _faces_of(
    items: pl.DataFrame,
    split: str,
    faces: pl.DataFrame,
    share: _Share,
    classes: tuple[str, ...],
    column: str,
) -> Faces:
    inside = items.filter(pl.col("split") == split)
    if inside.is_empty():
        there = items["split"].drop_nulls().unique().sort().to_list()
        raise InvalidInputError(
            f"the catalog must have items of the split {split!r}, got "
            f"{', '.join(there) or 'no split at all'} among {len(items)} items; {SPLIT_ADVICE}"
        )
    unknown = inside.filter(pl.col("label").is_null())
    _refuse_unknown(unknown, column, split, "fill it in, or leave the item out")
    without_hash = inside.filter(pl.col("sha256").is_null())
    _refuse_unknown(without_hash, "sha256", split, "run `unmask index` again, which writes it")
    found = Faces(joined(inside, faces, share.count, frames=share.frames).table, classes)
    for label, name in enumerate(classes):
        if not (found.labels == label).any():
            videos = inside.filter(pl.col("label") == label).height
            raise InvalidInputError(
                f"the split {split!r} must have {name} faces, got none from {videos} {name} "
                "items; add such items, prepare their faces, or choose other qualities or methods"
            )
    faceless = len(inside) - found.table["item"].n_unique()
    if faceless:
        logger.warning("%d of %d items in %s have no usable face", faceless, len(inside), split)
    return found


def _refuse_unknown(unknown: pl.DataFrame, column: str, split: str, advice: str) -> None:
    if unknown.height:
        raise InvalidInputError(
            f"{column} must be known for every item of the split {split!r}, got none for "
            f"{unknown['id'][0]!r} and {unknown.height - 1} more; {advice}"
        )


def _refuse_shared(train: Seen, validation: Seen) -> None:
    videos = set(train.hashes) & set(validation.hashes)
    shared = sorted(set(train.persons) & set(validation.persons))
    if videos and not shared:
        raise InvalidInputError(
            "no video, nor one that was made from it, may stand in both train and val, got "
            f"{len(videos)} that do; {SPLIT_ADVICE}"
        )
    if shared:
        raise InvalidInputError(
            f"no person may stand in both train and val, got {shared[0]!r} and "
            f"{len(shared) - 1} more; {SPLIT_ADVICE}"
        )


def _seen(catalog: Catalog, ancestors: pl.DataFrame, faces: Faces) -> Seen:
    items = faces.table.select(id="item").unique()
    lineage = ancestors.join(items, on="id", how="semi")
    seen = pl.concat([items, lineage.select(id="ancestor")]).unique()
    hashes = catalog.table.join(seen, on="id", how="semi")["sha256"].drop_nulls()
    persons = catalog.people().join(seen, on="id", how="semi")["person"]
    return Seen(tuple(hashes.unique().sort()), tuple(persons.unique().sort()))


def _seen_before(weights: Path | None) -> Iterator[Seen]:
    """Yield what weights to start from have seen, where the card of their checkpoint says so."""
    if weights is not None and (weights.parent / CARD).is_file():
        card = read_card(weights.parent)
        yield Seen(card.seen_hashes, card.seen_persons, card.seen_is_known)


def _united(*seen: Seen) -> Seen:
    return Seen(
        tuple(sorted({one for part in seen for one in part.hashes})),
        tuple(sorted({one for part in seen for one in part.persons})),
        all(part.is_known for part in seen),
    )


def _hash(splits: Sequence[Faces], cut: Mapping[str, Any]) -> str:
    hashed = sha256(json.dumps([cut.get(name) for name in CUT]).encode())
    for faces in splits:
        columns = faces.table.select(
            *("item", "label", "person", "quality", *PICTURE),
            pl.col("parents").list.join(","),
        )
        hashed.update(columns.write_csv().encode())
    return hashed.hexdigest()
