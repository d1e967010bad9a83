"""Naming the model that made each video of a catalog, or none of those that a network knows."""

import logging
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.attribution.attributions import listed, seen_of, write_attributions
from unmask.attribution.confidence import RULES, USUAL
from unmask.attribution.makers import load_makers
from unmask.attribution.open_set import OpenSet, read_open_set
from unmask.attribution.video import AGGREGATES, named, video_probabilities
from unmask.catalog import Catalog, read_catalog
from unmask.errors import InvalidInputError, unknown_name
from unmask.settings import setting
from unmask.training.data import read_faces
from unmask.training.score import class_probabilities
from unmask.training.setup import device_for

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AttributeSettings:
    """What `unmask attribute videos` needs.

    Raises:
        InvalidInputError: if a value makes no sense.
        NotFoundError: if there is no such rule or aggregate.
    """

    checkpoint: Path = setting(help="The folder of a checkpoint that tells makers apart.")
    catalog: Path = setting(help="The catalog of the videos.")
    faces: Path = setting(help="The face table of that catalog.")
    out: Path = setting(help="The folder for attributions.parquet and attributions.csv.")
    split: str | None = setting(None, "The split to attribute; all items by default.")
    threshold: float | None = setting(
        None,
        "The confidence from which on a maker is named; by default what `unmask attribute "
        "calibrate` has chosen.",
    )
    rule: str | None = setting(
        None, f"What the confidence is, with --threshold: {', '.join(RULES)}."
    )
    aggregate: str | None = setting(
        None, f"How faces make a video, with --threshold: {' or '.join(AGGREGATES)}."
    )
    device: str = setting("auto", "Where the network runs: auto, cpu, cuda or mps.")

    def __post_init__(self) -> None:
        if self.rule not in (None, *RULES):
            raise unknown_name("the rules of confidence", str(self.rule), RULES)
        if self.aggregate not in (None, *AGGREGATES):
            raise unknown_name("the aggregates of makers", str(self.aggregate), AGGREGATES)


@dataclass(frozen=True)
class Decision:
    """How a maker is chosen.

    Args:
        threshold: of the confidence; None where each video is given a maker.
        rule: what the confidence is.
        aggregate: how faces make a video.
    """

    threshold: float | None
    rule: str
    aggregate: str


def attribute(settings: AttributeSettings) -> pl.DataFrame:
    """Name the maker of each video, and write it as Parquet and CSV.

    Returns:
        A row for each item: `item`, `status` (`ok`, or why no maker could be named) with `reason`,
        `maker` (`unknown` where the confidence is below the threshold), `probability` of the
        `likeliest` maker after the checkpoint's temperature, `confidence`, `ranking`, `faces` that
        were judged, `p_<class>`, `method` (what the catalog says), and `seen`: whether the
        checkpoint or its threshold comes from this video, a copy or relative of it, or its
        persons; null where nobody knows.

    Raises:
        NotFoundError: if a file does not exist.
        InvalidInputError: if the checkpoint tells no makers apart, or no item is to be attributed.
    """
    checkpoint = load_makers(settings.checkpoint)
    open_set = read_open_set(settings.checkpoint, checkpoint.card)
    decision = _decision(settings, open_set)
    catalog = read_catalog(settings.catalog)
    items = catalog if settings.split is None else catalog.filter(split=settings.split)
    asked = Catalog(checkpoint.target.concerned(items.usable().table), items.root)
    if not len(asked):
        raise InvalidInputError(
            f"the catalog must hold usable fakes to attribute, got {len(items)} items of split "
            f"{settings.split or 'any'} and none of that kind; choose another split or catalog"
        )
    faces = read_faces(settings.faces)
    device = str(device_for(settings.device))
    videos = video_probabilities(
        class_probabilities(checkpoint.detector, faces, asked, device=device),
        checkpoint.classes,
        aggregate=decision.aggregate,
        temperature=checkpoint.card.temperature,
    )
    told = named(videos, checkpoint.classes, rule=decision.rule, threshold=decision.threshold)
    statuses = faces.select("item", "status")
    seen = seen_of(items, catalog, checkpoint.card, open_set)
    table = listed(items, told, statuses, seen, asks_real=checkpoint.target.asks_benign)
    write_attributions(settings.out, table)
    return table


def _decision(settings: AttributeSettings, open_set: OpenSet | None) -> Decision:
    if settings.threshold is not None:
        before = (USUAL, AGGREGATES[0]) if open_set is None else (open_set.rule, open_set.aggregate)
        return Decision(
            settings.threshold, settings.rule or before[0], settings.aggregate or before[1]
        )
    if open_set is None:
        logger.warning(
            "each video is given a maker, as no threshold was chosen: run `unmask attribute "
            "calibrate` with makers that the checkpoint has not learned"
        )
        return Decision(None, settings.rule or USUAL, settings.aggregate or AGGREGATES[0])
    for name in ("rule", "aggregate"):
        wanted, chosen = getattr(settings, name), getattr(open_set, name)
        if wanted not in (None, chosen):
            raise InvalidInputError(
                f"{name} must be {chosen}, that of the threshold beside the checkpoint, got "
                f"{wanted}; give a threshold of your own, or run `unmask attribute calibrate "
                f"--{name} {wanted}`"
            )
    return Decision(open_set.calibration.threshold, open_set.rule, open_set.aggregate)
