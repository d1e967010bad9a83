"""Made scores and results of a small compression study, with known differences."""

from functools import cache

import numpy as np
import polars as pl
from scipy.special import expit

from unmask.benchmark.measure import SCORES, choose_thresholds, measure
from unmask.benchmark.published import published_for
from unmask.benchmark.results import Checkpoint, Part, Result

QUALITIES = ("raw", "c23", "c40")
STRENGTH = {"efficientnet_lite0": 3.2, "xception": 2.4, "meso4": 1.2}  # logits between the classes
LOSS = {"raw": 0.0, "c23": 0.5, "c40": 1.4}
METHODS = ("landmark_swap", "self_blend")


def make_scores(
    *, seed: int, apart: float, quality: str, videos: int = 40, frames: int = 6
) -> pl.DataFrame:
    """Return scores of `videos` reals and as many fakes, of ten persons."""
    random = np.random.default_rng(seed)
    labels = np.repeat([0, 1], videos)
    logits = random.normal(apart * (labels - 0.5), 1.0)[:, np.newaxis]
    scores = expit(1.3 * (logits + random.normal(0, 0.6, (2 * videos, frames))))
    person = [f"P{number % 10:03}" for number in range(2 * videos)]
    method = [None if label == 0 else METHODS[place % 2] for place, label in enumerate(labels)]
    rows = np.repeat(np.arange(2 * videos), frames)
    return pl.DataFrame(
        {
            "item": [f"{'fake' if labels[row] else 'real'}/{row:03}_{quality}.mp4" for row in rows],
            "person": [person[row] for row in rows],
            "label": labels[rows],
            "method": [method[row] for row in rows],
            "quality": [quality] * len(rows),
            "frame": np.tile(np.arange(frames) * 5, 2 * videos),
            "track": [0] * len(rows),
            "score": scores.ravel(),
        },
        schema=SCORES,
    )


def make_result(
    *,
    detector: str = "xception",
    trained: tuple[str, ...] = ("c23",),
    tested: str = "c23",
    dataset: str = "openpeople",
    seed: int = 0,
    resamples: int = 100,
    videos: int = 40,
) -> tuple[Result, pl.DataFrame]:
    """Return a result and the scores that it was measured on."""
    foreign = 0.0 if tested in trained else 0.8
    apart = max(0.0, STRENGTH.get(detector, 2.0) - LOSS[tested] - foreign)
    scores = make_scores(seed=seed, apart=apart, quality=tested, videos=videos)
    validation = make_scores(seed=seed + 1000, apart=apart, quality=tested, videos=videos)
    thresholds = choose_thresholds(validation)
    found = measure(
        scores,
        thresholds=thresholds,
        seed=seed,
        resamples=resamples,
        dropped={"no_face": 2, "unreadable": 1},
    )
    train, test = Part(dataset, trained, "train"), Part(dataset, (tested,), "test")
    result = Result(
        protocol="compression",
        detector=detector,
        checkpoint=Checkpoint(f"{detector}-{'-'.join(trained)}.safetensors", "ab" * 32),
        train=train,
        test=test,
        counts=found.counts,
        frame=found.frame,
        video=found.video,
        aggregate="mean",
        thresholds=thresholds,
        seed=seed,
        settings={"qualities": list(QUALITIES), "epochs": 4, "size": 128},
        commit="0123456789abcdef0123456789abcdef01234567",
        catalog_sha256="cd" * 32,
        versions={"python": "3.11.7", "torch": "2.13.0", "unmask": "0.1.0"},
        created="2026-11-21T10:00:00+00:00",
        published=published_for(detector, train, test),
    )
    return result, scores


@cache
def make_study(
    detectors: tuple[str, ...] = ("efficientnet_lite0", "meso4", "xception"),
    *,
    dataset: str = "openpeople",
    resamples: int = 100,
    videos: int = 40,
) -> list[tuple[Result, pl.DataFrame]]:
    """Return every detector trained on each quality and on all, tested on each."""
    trainings = [*((quality,) for quality in QUALITIES), QUALITIES]
    return [
        make_result(
            detector=detector,
            trained=trained,
            tested=tested,
            dataset=dataset,
            seed=10 * place,
            resamples=resamples,
            videos=videos,
        )
        for place, detector in enumerate(detectors)
        for trained in trainings
        for tested in QUALITIES
    ]
