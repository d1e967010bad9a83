"""What is measured on what the networks of the attribution protocol say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from unmask.attribution.open_set import calibrate
from unmask.attribution.video import video_confidence, video_probabilities
from unmask.benchmark.attribution_measure import (
    Confidences,
    Measuring,
    measure_accepted,
    measure_known,
    measure_unknown,
    probabilities_of,
)
from unmask.benchmark.attribution_results import (
    AttributionResult,
    OpenSetResult,
    Tally,
    Threshold,
    Unknown,
)
from unmask.benchmark.attribution_runs import REAL_MAKER, Asked
from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings, partner
from unmask.benchmark.evaluate import dropped_items
from unmask.benchmark.results import Part
from unmask.catalog import Catalog
from unmask.metrics.tally import FloatArray
from unmask.training.finish import FREE as FREE_OF_TRAINING
from unmask.training.finish import told_settings
from unmask.training.settings import TrainSettings
from unmask.training.target import TARGETS

# Settings that tell of a machine.
PATHS = ("catalog", "faces", "out", "training")


@dataclass(frozen=True)
class Study:
    """All that the results are made of.

    Args:
        settings: of the protocol.
        catalog: all items.
        faces: what `read_faces` gives.
        reproduced: what all results tell alike.
    """

    settings: AttributionBenchmarkSettings
    catalog: Catalog
    faces: pl.DataFrame
    reproduced: Mapping[str, Any]

    @property
    def way(self) -> Measuring:
        """How measures are taken."""
        return Measuring(self.settings.resamples, self.settings.seed)


def known_results(study: Study, asked: Asked) -> Iterator[AttributionResult]:
    """Yield the results of a network on videos of the makers that it knows."""
    for quality in study.settings.qualities:
        videos = _videos(study, asked, "test", quality, asked.classes)
        found = measure_known(videos, asked.classes, study.way)
        yield AttributionResult(
            frames=asked.frames,
            classes=asked.classes,
            metrics=found.metrics,
            per_class=found.per_class,
            confusion=found.confusion,
            **_common(study, asked, quality, videos, asked.classes),
        )


def unknown_results(study: Study, asked: Asked) -> Iterator[OpenSetResult]:
    """Yield the results of a network on videos of makers that it does not know, if any."""
    for left_out, held_out in _questions(study.settings, asked):
        threshold = _threshold(study, asked, held_out)
        others = [name for name in (left_out, REAL_MAKER) if name not in ("", *asked.classes)]
        for quality in study.settings.qualities:
            videos = _videos(study, asked, "test", quality, asked.classes)
            known = _confidences(study, asked, videos)
            found = {
                name: _confidences(study, asked, some)
                for name in others
                if (some := _videos(study, asked, "test", quality, [name])).height
            }
            if not len(known) or (left_out or REAL_MAKER) not in found:
                continue  # there is nothing to ask
            yield OpenSetResult(
                left_out=left_out,
                held_out=held_out,
                classes=asked.classes,
                threshold=threshold,
                known=measure_accepted(known, threshold.value, study.way),
                unknown=tuple(
                    Unknown(name, len(one), measure_unknown(known, one, threshold.value, study.way))
                    for name, one in found.items()
                ),
                **_common(study, asked, quality, videos, (*asked.classes, *found)),
            )


def _questions(settings: AttributionBenchmarkSettings, asked: Asked) -> list[tuple[str, str]]:
    """Return the makers that a network is asked about, and what its threshold is chosen on."""
    without, methods = asked.net.left_out, asked.net.methods
    if len(without) < 2:
        return [("".join(without), "")]
    wanted = settings.wanted(methods)
    pairs = [without, without[::-1]]
    return [
        (name, other) for name, other in pairs if name in wanted and partner(name, methods) == other
    ]


def _threshold(study: Study, asked: Asked, held_out: str) -> Threshold:
    """Return the threshold that is chosen on validation videos of the quality trained on."""
    known = _confidences(study, asked, _videos(study, asked, "val", None, asked.classes))
    if held_out:
        # There are such videos: the network of all makers was chosen on them, too.
        other = _confidences(study, asked, _videos(study, asked, "val", None, [held_out]))
        found = calibrate(known.values, other.values)
        told = f"videos of known makers and of {held_out}"
        return Threshold(found.threshold, study.settings.confidence, told)
    found = calibrate(known.values, accepted=study.settings.accepted)
    told = f"{study.settings.accepted:.0%} of the videos of known makers"
    return Threshold(found.threshold, study.settings.confidence, told)


def _videos(
    study: Study, asked: Asked, split: str, quality: str | None, makers: Sequence[str]
) -> pl.DataFrame:
    """Return the videos of a split with their makers and the probability of each class."""
    rows = asked.scores.filter(pl.col("split") == split, pl.col("maker").is_in(makers))
    if quality is not None:
        rows = rows.filter(pl.col("quality") == quality)
    found = video_probabilities(
        rows,
        asked.classes,
        aggregate=study.settings.aggregate,
        temperature=asked.temperature,
    )
    return found.join(rows.select("item", "maker", "person").unique(), on="item").sort("item")


def _confidences(study: Study, asked: Asked, videos: pl.DataFrame) -> Confidences:
    """Return how sure a network is of videos, and whether it names their makers."""
    names = np.array(asked.classes)[probabilities_of(videos, asked.classes).argmax(1)]
    return Confidences(
        videos["item"].to_numpy(),
        video_confidence(videos, asked.classes, rule=study.settings.confidence),
        names == videos["maker"].to_numpy(),
    )


def _common(
    study: Study, asked: Asked, quality: str, videos: pl.DataFrame, makers: Sequence[str]
) -> dict[str, Any]:
    """Return what results of known and of unknown makers tell alike."""
    training = asked.net.training
    items = _tested(study, asked, quality, makers)
    counts = dict(videos.group_by("maker").len().rows())
    return {
        "detector": training.detector,
        "checkpoint": asked.checkpoint,
        "train": _part(study.catalog, "train", training.qualities, asked.classes),
        "test": _part(items, "test", (quality,), makers),
        "counts": Tally(
            asked.trained,
            asked.validated,
            {name: counts.get(name, 0) for name in asked.classes},
            int(videos["faces"].sum()),
            videos["person"].drop_nulls().n_unique(),
            _dropped(study, asked, _tested(study, asked, quality, asked.classes)),
        ),
        "catalog_sha256": items.content_hash(),
        "scores": f"scores/{asked.net.name}.parquet",
        "notes": asked.notes,
        "settings": {**study.reproduced["settings"], "training": told_training(training)},
        **{name: value for name, value in study.reproduced.items() if name != "settings"},
    }


def _tested(study: Study, asked: Asked, quality: str, makers: Sequence[str]) -> Catalog:
    """Return the test items of some makers at one quality, those that failed among them."""
    table = study.catalog.table.filter(
        pl.col("split") == "test",
        pl.col("quality") == quality,
        TARGETS["maker"].class_of.is_in(makers),
    )
    return Catalog(table, study.catalog.root)


def _part(catalog: Catalog, split: str, qualities: Sequence[str], makers: Sequence[str]) -> Part:
    names = catalog.table.filter(pl.col("split") == split)["dataset"].unique().sort()
    return Part("+".join(names), tuple(qualities), split, tuple(makers))


def _dropped(study: Study, asked: Asked, items: Catalog) -> dict[str, int]:
    """Return how many items have no probabilities, by status."""
    lost = dropped_items(items, set(asked.scores["item"]), study.faces.select("item", "status"))
    return dict(lost["status"].value_counts().sort("status").iter_rows())


def drawn_confidences(
    study: Study, asked: Asked, result: OpenSetResult
) -> tuple[FloatArray, FloatArray]:
    """Return the confidences of known videos and of the first unknown kind."""
    known, unknown = (
        _confidences(study, asked, _videos(study, asked, "test", result.test.quality, makers))
        for makers in (result.classes, [result.unknown[0].name])
    )
    return known.values, unknown.values


def told_training(training: TrainSettings) -> dict[str, Any]:
    """Return the training settings that are the same for all networks of one detector."""
    own = ("qualities", "methods", *FREE_OF_TRAINING)
    return {name: value for name, value in told_settings(training).items() if name not in own}
