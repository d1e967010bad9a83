"""Choosing when a checkpoint says "none of these makers", on makers that it has not learned."""

import logging
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.attribution.confidence import RULES, USUAL
from unmask.attribution.makers import MakerCheckpoint, load_makers
from unmask.attribution.open_set import (
    Calibration,
    OpenSet,
    calibrate,
    save_open_set,
    seen_of_threshold,
)
from unmask.attribution.video import AGGREGATES, video_confidence, video_probabilities
from unmask.catalog import Catalog, read_catalog
from unmask.errors import InvalidInputError, unknown_name
from unmask.metrics.tally import FloatArray
from unmask.provenance import now, this_commit
from unmask.settings import setting
from unmask.training.checkpoint import UNKNOWN
from unmask.training.score import class_probabilities
from unmask.training.setup import device_for

logger = logging.getLogger(__name__)

LEAST_AUROC = 0.6  # below it a threshold parts known from held-out makers hardly better than chance
SPLIT = "val"  # a threshold that is chosen on the test split makes its results too good


@dataclass(frozen=True)
class CalibrateSettings:
    """What `unmask attribute calibrate` needs.

    Raises:
        InvalidInputError: if a value makes no sense.
        NotFoundError: if there is no such rule or aggregate.
    """

    checkpoint: Path = setting(help="The folder of a checkpoint that tells makers apart.")
    catalog: Path = setting(help="The catalog whose split val the threshold is chosen on.")
    faces: Path = setting(help="The face table of that catalog.")
    held_out: tuple[str, ...] = setting(
        (), "Makers in that split that the checkpoint has not learned; without any, the threshold "
        "accepts the share `accepted` of the videos of those that it has."
    )  # fmt: skip
    qualities: tuple[str, ...] = setting(
        (), "The qualities of the videos; by default those that the checkpoint was trained on."
    )
    rule: str = setting(USUAL, f"What the confidence is: {', '.join(RULES)}.")
    aggregate: str = setting("mean", f"How faces make a video: {' or '.join(AGGREGATES)}.")
    accepted: float = setting(0.95, "The share of known videos to accept, without held-out makers.")
    device: str = setting("auto", "Where the network runs: auto, cpu, cuda or mps.")

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise unknown_name("the rules of confidence", self.rule, RULES)
        if self.aggregate not in AGGREGATES:
            raise unknown_name("the aggregates of makers", self.aggregate, AGGREGATES)
        if not 0 < self.accepted <= 1:
            raise InvalidInputError(
                f"accepted must lie in (0, 1], got {self.accepted}; 0.95 is usual"
            )


def calibrate_checkpoint(settings: CalibrateSettings) -> OpenSet:
    """Choose from which confidence on a checkpoint names a maker, and write it beside it.

    Both known and held-out videos are of the split `val` of the catalog, whose persons are in no
    test. Held-out makers stand for all that the checkpoint has not learned, known to nobody: the
    more there are and the less they resemble each other, the better. Unless others are asked for,
    videos are of the qualities of the training: at others the network is less sure of all of them.

    Returns:
        What is also `open_set.json` in the checkpoint's folder.

    Raises:
        NotFoundError: if a file, a held-out maker or a quality does not exist.
        InvalidInputError: if the checkpoint tells no makers apart or has learned a held-out one,
            or if there is no video of its qualities, or no scored one of known or of held-out
            makers.
    """
    checkpoint = load_makers(settings.checkpoint)
    catalog = read_catalog(settings.catalog)
    items = _with_makers(catalog.filter(split=SPLIT).usable(), checkpoint)
    items = _of_qualities(items, settings.qualities, checkpoint)
    _check_held_out(settings.held_out, items, checkpoint)
    wanted = items.filter(pl.col("maker").is_in([*checkpoint.classes, *settings.held_out]))
    part = Catalog(wanted.drop("maker"), catalog.root)
    videos = _judged(settings, checkpoint, part).join(wanted, left_on="item", right_on="id")
    hashes, people = seen_of_threshold(catalog, videos.select(id="item"))
    open_set = OpenSet(
        weights_sha256=checkpoint.card.weights_sha256,
        classes=checkpoint.classes,
        rule=settings.rule,
        aggregate=settings.aggregate,
        calibration=_chosen(settings, checkpoint, videos),
        held_out=settings.held_out,
        dataset="+".join(videos["dataset"].unique().sort()),
        split=SPLIT,
        qualities=tuple(videos["quality"].drop_nulls().unique().sort()),
        catalog_sha256=part.content_hash(),
        seen_hashes=hashes,
        seen_persons=people,
        commit=this_commit(),
        created=now(),
    )
    save_open_set(settings.checkpoint, open_set)
    return open_set


def _judged(
    settings: CalibrateSettings, checkpoint: MakerCheckpoint, items: Catalog
) -> pl.DataFrame:
    """Return the probability of each maker for each of the items that has usable faces."""
    device = str(device_for(settings.device))
    faces = class_probabilities(checkpoint.detector, settings.faces, items, device=device)
    return video_probabilities(faces, checkpoint.classes, aggregate=settings.aggregate)


def _chosen(
    settings: CalibrateSettings, checkpoint: MakerCheckpoint, videos: pl.DataFrame
) -> Calibration:
    """Return the threshold, and warn where it says little."""

    def confidences(makers: tuple[str, ...]) -> FloatArray:
        some = videos.filter(pl.col("maker").is_in(makers))
        return video_confidence(some, checkpoint.classes, rule=settings.rule)

    unknown = confidences(settings.held_out) if settings.held_out else None
    chosen = calibrate(confidences(checkpoint.classes), unknown, accepted=settings.accepted)
    if chosen.auroc is not None and chosen.auroc < LEAST_AUROC:
        logger.warning(
            "the network is about as sure of makers that it has not learned as of its own (AUROC "
            "%.3f): the threshold says little; try another rule, or train it better",
            chosen.auroc,
        )
    return chosen


def _with_makers(items: Catalog, checkpoint: MakerCheckpoint) -> pl.DataFrame:
    """Return the items that the checkpoint is asked about, with their `maker`."""
    asked = checkpoint.target.concerned(items.table)
    return asked.with_columns(maker=checkpoint.target.class_of)


def _of_qualities(
    items: pl.DataFrame, asked: tuple[str, ...], checkpoint: MakerCheckpoint
) -> pl.DataFrame:
    """Return the items of the qualities asked for, or of those that the checkpoint has learned."""
    there = items["quality"].drop_nulls().unique().sort().to_list()
    for name in asked:
        if name not in there:
            raise unknown_name(f"the split {SPLIT} of the catalog", name, there)
    learned = [name for name in checkpoint.card.trained_on["qualities"] if name != UNKNOWN]
    if not asked and not learned:  # nobody knows of which they were
        return items
    found = items.filter(pl.col("quality").is_in(asked or learned))
    if found.is_empty():
        raise InvalidInputError(
            f"the split {SPLIT} must hold videos of a quality that the checkpoint has learned, "
            f"{', '.join(learned)}, got {', '.join(there) or 'none that is known'}; name those to "
            "choose the threshold on with --qualities"
        )
    return found


def _check_held_out(
    held_out: tuple[str, ...], items: pl.DataFrame, checkpoint: MakerCheckpoint
) -> None:
    there = items["maker"].drop_nulls().unique().to_list()
    for name in held_out:
        if name in checkpoint.classes:
            raise InvalidInputError(
                f"held_out must name makers that the checkpoint has not learned, got {name!r} of "
                f"{', '.join(checkpoint.classes)}; train one with --methods that leave it out"
            )
        if name not in there:
            raise unknown_name(f"the split {SPLIT} of the catalog", name, there)
