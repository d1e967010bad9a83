"""From what a network says of faces or clips to one distribution over makers for each video."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import logsumexp

from unmask.attribution.confidence import OF_LOGITS, USUAL, confidence, confidence_of_logits
from unmask.errors import InvalidInputError, unknown_name
from unmask.metrics.class_scaling import logarithms
from unmask.metrics.tally import FloatArray

AGGREGATES = ("mean", "geometric")
UNKNOWN_MAKER = "unknown"
SMALLEST = float(np.finfo(np.float64).tiny)  # whose logarithm is finite


def video_probabilities(
    faces: pl.DataFrame,
    classes: Sequence[str],
    *,
    aggregate: str = "mean",
    temperature: float = 1.0,
) -> pl.DataFrame:
    """Return the probability of each maker for each video.

    Args:
        faces: `item` and `p_<class>` for each class, a row for each face or clip; perhaps `level`,
            the log-sum-exp of its logits, which its probabilities lack.
        classes: of the network.
        aggregate: `mean` of the probabilities, of which one face that is surely wrong cannot take
            more than its share; or `geometric`, the mean of their logarithms, in which each face
            counts by its evidence and one may forbid a class.
        temperature: what the logarithms of a video's probabilities are divided by, those of
            `class_scaling.logarithms`; that of a card is fitted on means.

    Returns:
        `item`, `faces` (how many rows), `p_<class>`, which are 1 in sum, `temperature`, and `level`
        where it was given; ordered by item.

    Raises:
        NotFoundError: if there is no such aggregate.
        InvalidInputError: if a column is missing, or the temperature is not above 0.
    """
    if aggregate not in AGGREGATES:
        raise unknown_name("the aggregates of makers", aggregate, AGGREGATES)
    if not temperature > 0:
        raise InvalidInputError(
            f"temperature must be above 0, got {temperature}; that of a checkpoint is in its card"
        )
    names = [f"p_{name}" for name in classes]
    _check(faces, ["item", *names])
    values = faces.select(names).to_numpy()
    added = values if aggregate == "mean" else logarithms(values)
    averaged = [*names, "level"] if _levelled(faces) else names
    videos = (
        faces.with_columns(pl.Series(name, one) for name, one in zip(names, added.T, strict=True))
        .group_by("item")
        .agg(pl.len().alias("faces"), pl.col(averaged).mean())
        .sort("item")
    )
    means = videos.select(names).to_numpy()
    logits = logarithms(means) if aggregate == "mean" else means
    if _levelled(faces):
        logits = logits + videos.select("level").to_numpy()
    return _with_logits(videos, names, logits / temperature, temperature)


def _levelled(faces: pl.DataFrame) -> bool:
    return "level" in faces.columns


def _with_logits(
    videos: pl.DataFrame, names: Sequence[str], logits: FloatArray, temperature: float
) -> pl.DataFrame:
    levels = logsumexp(logits, -1)
    chances = np.exp(logits - levels[:, np.newaxis])
    told = videos.with_columns(
        *(pl.Series(name, one) for name, one in zip(names, chances.T, strict=True)),
        temperature=pl.lit(temperature),
    )
    return told.with_columns(level=pl.Series(levels)) if _levelled(videos) else told


def video_confidence(
    videos: pl.DataFrame, classes: Sequence[str], *, rule: str = USUAL
) -> FloatArray:
    """Return the confidence (n,) in the maker that is named, as before the temperature.

    A low temperature makes nearly all probabilities 1, so that none could be told from another by
    them; and a threshold stays what it is where another temperature is fitted.

    Args:
        videos: what `video_probabilities` returns.
        classes: of the network.
        rule: of `confidence.RULES`.

    Raises:
        NotFoundError: if there is no such rule.
        InvalidInputError: if a column is missing, as `level` may be that the rule needs.
    """
    names = [f"p_{name}" for name in classes]
    _check(videos, [*names, *(["level"] if rule in OF_LOGITS else [])])
    chances = videos.select(names).to_numpy()
    if "temperature" not in videos.columns and rule not in OF_LOGITS:
        return confidence(chances, rule)
    logits = np.log(chances.clip(SMALLEST))
    if _levelled(videos):
        logits = logits + videos.select("level").to_numpy()
    if "temperature" in videos.columns:
        logits = logits * videos.select("temperature").to_numpy()
    return confidence_of_logits(logits, rule)


def named(
    videos: pl.DataFrame,
    classes: Sequence[str],
    *,
    rule: str = USUAL,
    threshold: float | None = None,
) -> pl.DataFrame:
    """Return the videos with the maker that each is given.

    Args:
        videos: what `video_probabilities` returns.
        classes: of the network.
        rule: of `confidence.RULES`.
        threshold: a video whose confidence is below it is of none of these makers; without one,
            each is given a maker.

    Returns:
        The videos with `maker` (`unknown` below the threshold), `likeliest` (the maker in any
        case), `probability` (of the likeliest), `ranking` (all, the likeliest first) and
        `confidence`.

    Raises:
        NotFoundError: if there is no such rule.
        InvalidInputError: if a column is missing.

    Example:
        >>> videos = pl.DataFrame({"item": ["a"], "p_iae": [0.4], "p_dfaker": [0.6]})
        >>> named(videos, ["iae", "dfaker"], threshold=0.5)["maker"].item()
        'dfaker'
        >>> named(videos, ["iae", "dfaker"], threshold=0.7)["maker"].item()
        'unknown'
    """
    sure = video_confidence(videos, classes, rule=rule)
    chances = videos.select(f"p_{name}" for name in classes).to_numpy()
    order = np.argsort(-chances, axis=1, kind="stable")
    ranking = np.array(classes)[order]
    told = videos.with_columns(
        likeliest=pl.Series(ranking[:, 0].tolist(), dtype=pl.String),
        probability=pl.Series(chances.max(1, initial=0)),
        ranking=pl.Series(ranking.tolist(), dtype=pl.List(pl.String)),
        confidence=pl.Series(sure),
    )
    is_refused = pl.lit(False) if threshold is None else pl.col("confidence") < threshold
    return told.with_columns(
        maker=pl.when(is_refused).then(pl.lit(UNKNOWN_MAKER)).otherwise("likeliest")
    )


def _check(table: pl.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if name not in table.columns:
            raise InvalidInputError(
                f"the table must have the column {name!r}, got {', '.join(table.columns)}; score "
                "the faces with the network of these classes"
            )
