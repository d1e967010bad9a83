"""Made probabilities of makers, and the results that are measured on them."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import polars as pl

from unmask.benchmark.attribution_clips import Watched
from unmask.benchmark.attribution_measure import (
    Confidences,
    Measuring,
    measure_accepted,
    measure_known,
    measure_unknown,
    probabilities_of,
    truth_of,
)
from unmask.benchmark.attribution_results import (
    AttributionResult,
    OpenSetResult,
    Tally,
    Threshold,
    Unknown,
)
from unmask.benchmark.results import Checkpoint, Part

MAKERS = ("dfaker", "dfl_h128", "iae", "lightweight", "original")
QUALITIES = ("c0", "c10", "c23")
STRENGTH = {"dma_sta": 3.0, "meso4": 1.2}  # of the logit of the true maker
LOSS = {"c0": 0.1, "c10": 0.0, "c23": 0.8}
WAY = Measuring(resamples=100, seed=0)


def make_videos(
    classes: Sequence[str],
    *,
    makers: Sequence[str] = MAKERS,
    videos: int = 12,
    strength: float = 2.0,
    seed: int = 0,
) -> pl.DataFrame:
    """Return `videos` of each maker, of ten persons, with the probability of each class."""
    random = np.random.default_rng(seed)
    rows = []
    for maker in makers:
        for number in range(videos):
            logits = random.normal(0, 1, len(classes))
            if maker in classes:
                logits[classes.index(maker)] += strength
            shares = np.exp(logits) / np.exp(logits).sum()
            row = {"item": f"{maker}/{number:02}", "maker": maker, "person": f"P{number % 10}"}
            rows.append(row | {f"p_{name}": float(p) for name, p in zip(classes, shares)})  # noqa: B905
    return pl.DataFrame(rows)


def make_result(
    detector: str = "dma_sta",
    tested: str = "c10",
    *,
    classes: tuple[str, ...] = MAKERS,
    videos: int = 12,
) -> AttributionResult:
    """Return the result of a network that was trained at c10."""
    strength = STRENGTH.get(detector, 2.0) - LOSS[tested]
    made = make_videos(classes, makers=classes, videos=videos, strength=strength)
    known = measure_known(made, classes, WAY)
    tallied = dict.fromkeys(classes, videos)
    return AttributionResult(
        detector=detector,
        frames=10 if detector == "dma_sta" else 1,
        classes=classes,
        metrics=known.metrics,
        per_class=known.per_class,
        confusion=known.confusion,
        checkpoint=Checkpoint(f"{detector}-c10", "ab" * 32),
        train=Part("made", ("c10",), "train", classes),
        test=Part("made", (tested,), "test", classes),
        counts=Tally(
            dict.fromkeys(classes, 30), tallied, tallied, 120, 10, {"no_face": 2, "too_short": 1}
        ),
        **PROVENANCE,  # type: ignore[arg-type]
    )


def make_unknown(
    detector: str = "dma_sta",
    left_out: str = "iae",
    *,
    held_out: str = "",
    tested: str = "c10",
) -> tuple[OpenSetResult, Confidences, Confidences]:
    """Return the result of a network that does not know a maker, and the confidences."""
    classes = tuple(name for name in MAKERS if name not in (left_out, held_out))
    strength = STRENGTH.get(detector, 2.0)
    made = make_videos(classes, makers=[*classes, left_out], strength=strength)
    chances = probabilities_of(made, classes)
    is_known = made["maker"].is_in(classes).to_numpy()
    judged = made.filter(is_known)
    right = probabilities_of(judged, classes).argmax(1) == truth_of(judged, classes)
    items, values = made["item"].to_numpy(), chances.max(1)
    known = Confidences(items[is_known], values[is_known], right)
    unknown = Confidences(items[~is_known], values[~is_known], np.zeros((~is_known).sum(), bool))
    result = OpenSetResult(
        detector=detector,
        left_out=left_out,
        held_out=held_out,
        classes=classes,
        checkpoint=Checkpoint(f"{detector}-c10-without-{left_out}{held_out}", "cd" * 32),
        train=Part("made", ("c10",), "train", classes),
        test=Part("made", (tested,), "test", (*classes, left_out)),
        counts=Tally({}, {}, dict.fromkeys(classes, 12), 60, 10),
        threshold=Threshold(0.4, "largest probability", "known videos"),
        known=measure_accepted(known, 0.4, WAY),
        unknown=(Unknown(left_out, 12, measure_unknown(known, unknown, 0.4, WAY)),),
        **PROVENANCE,  # type: ignore[arg-type]
    )
    return result, known, unknown


@cache
def make_attribution_study() -> tuple[list[AttributionResult], list[OpenSetResult]]:
    """Return two detectors at each quality, and with each of two makers left out."""
    results = [make_result(detector, tested) for detector in STRENGTH for tested in QUALITIES]
    unknown = [
        make_unknown(detector, left_out, held_out=held_out)[0]
        for detector in STRENGTH
        for left_out, held_out in (("iae", ""), ("dfaker", ""), ("iae", "dfaker"))
    ]
    return results, unknown


def make_watched(named: str = "iae") -> Watched:
    """Return a clip of ten grey faces, whose weights rise from left to right."""
    random = np.random.default_rng(0)
    faces = tuple(np.full((40, 40, 3), 60 + 10 * frame, np.uint8) for frame in range(10))
    weights = np.arange(1, 11) / 55
    places = random.random((10, 7, 7))
    return Watched("a/1.mp4", "iae", named, 0.7, tuple(range(10)), faces, weights, places)


PROVENANCE = {
    "aggregate": "mean",
    "seed": 0,
    "settings": {"qualities": list(QUALITIES)},
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "catalog_sha256": "cd" * 32,
    "versions": {"python": "3.11.7", "torch": "2.13.0", "unmask": "0.1.0"},
    "created": "2026-11-21T10:00:00+00:00",
    "scores": "scores/dma_sta-c10.parquet",
}
