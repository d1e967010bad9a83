"""When to say "none of these makers": a threshold of confidence, chosen on validation videos."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from unmask.catalog import Catalog
from unmask.errors import InvalidInputError
from unmask.files import write_whole
from unmask.metrics.open_set import at_threshold, unknown_auroc
from unmask.metrics.tally import FloatArray
from unmask.training.checkpoint import Card

FORMAT = 1
OPEN_SET = "open_set.json"
BALANCED, ACCEPTED = "balanced", "accepted"


@dataclass(frozen=True)
class Calibration:
    """A threshold of confidence and what it does to the videos that it was chosen on.

    Args:
        threshold: a video at or above it is given a maker; below it is of none of these.
        by: `balanced` between known makers and held-out ones, or `accepted`, the share of known
            ones alone.
        known_videos: of makers that the network has learned.
        unknown_videos: of makers that it has not.
        known_accepted: the share of the former at or above the threshold.
        unknown_refused: the share of the latter below it; None where there are none.
        auroc: how often a known video is more confident than an unknown one; None likewise.
    """

    threshold: float
    by: str
    known_videos: int
    unknown_videos: int
    known_accepted: float
    unknown_refused: float | None
    auroc: float | None


@dataclass(frozen=True)
class OpenSet:
    """The threshold of one checkpoint, and where it comes from.

    Args:
        weights_sha256: of the checkpoint.
        classes: that it tells apart.
        rule: of `confidence.RULES`, what the threshold is of.
        aggregate: of `video.AGGREGATES`, how the faces of a video make its probabilities.
        calibration: the threshold.
        held_out: the makers of the unknown videos.
        dataset: of all videos.
        split: that they are from.
        catalog_sha256: of the content of these items.
        seen_hashes: SHA-256 of these videos and of what they were made from.
        seen_persons: `data set/person` of the same.
        commit: of Unmask's source, or its release.
        created: the UTC time.
        qualities: of the videos; empty where the catalog tells none, or an older release chose.
        format: of the file.
    """

    weights_sha256: str
    classes: tuple[str, ...]
    rule: str
    aggregate: str
    calibration: Calibration
    held_out: tuple[str, ...]
    dataset: str
    split: str
    catalog_sha256: str
    seen_hashes: tuple[str, ...]
    seen_persons: tuple[str, ...]
    commit: str
    created: str
    qualities: tuple[str, ...] = ()
    format: int = FORMAT

    def __str__(self) -> str:
        chosen = self.calibration
        known = f"{chosen.known_accepted:.0%} of {chosen.known_videos} videos of known makers"
        if chosen.unknown_refused is None:
            return f"threshold {chosen.threshold:.4g} of {self.rule} accepts {known}"
        unknown = f"{chosen.unknown_refused:.0%} of {chosen.unknown_videos}"
        return (
            f"threshold {chosen.threshold:.4g} of {self.rule} accepts {known} and refuses "
            f"{unknown} of {', '.join(self.held_out)} (AUROC {chosen.auroc:.3f})"
        )


def calibrate(
    known: ArrayLike, unknown: ArrayLike | None = None, *, accepted: float = 0.95
) -> Calibration:
    """Return the threshold of confidence to accept a maker from.

    Where videos of held-out makers are given, it is the one with the largest sum of known videos
    accepted and unknown ones refused, as shares; of equally good ones the lowest, which accepts
    the most. It lies midway between two neighbouring confidences. Without them it is the largest
    confidence at which the wanted share of known videos is accepted: how much of the unknown that
    refuses, nobody has seen.

    Args:
        known: (n,) confidences of validation videos whose makers the network has learned.
        unknown: (m,) confidences of validation videos of makers that it has not.
        accepted: the least share of known videos to be accepted, where `unknown` is None.

    Raises:
        InvalidInputError: if there is no video, a confidence is not finite, or the share is none.

    Example:
        >>> calibrate([0.9, 0.8, 0.7, 0.3], [0.5, 0.4, 0.2]).threshold
        0.6
        >>> calibrate([0.9, 0.8, 0.7, 0.3], accepted=0.75).threshold
        0.7
    """
    inside = _checked("known", known)
    if unknown is None:
        threshold = _accepting(inside, accepted)
        share = float((inside >= threshold).mean())
        return Calibration(threshold, ACCEPTED, len(inside), 0, share, None, None)
    outside = _checked("unknown", unknown)
    threshold = _balancing(inside, outside)
    both = np.concatenate([inside, outside])
    is_known = np.repeat([True, False], [len(inside), len(outside)])
    found = at_threshold(both, is_known, is_known, threshold=threshold)
    return Calibration(
        threshold,
        BALANCED,
        len(inside),
        len(outside),
        found.known_accepted,
        found.unknown_refused,
        unknown_auroc(both, is_known),
    )


def _accepting(known: FloatArray, accepted: float) -> float:
    if not 0 < accepted <= 1:
        raise InvalidInputError(f"accepted must lie in (0, 1], got {accepted}; 0.95 is usual")
    values, counts = np.unique(-known, return_counts=True)
    shares = counts.cumsum() / len(known)
    return -float(values[int((shares >= accepted).argmax())])


def _balancing(known: FloatArray, unknown: FloatArray) -> float:
    rising = np.unique(np.concatenate([known, unknown]))
    # Of n items in order, those from place p on are at or above a confidence.
    accepted = 1 - np.searchsorted(np.sort(known), rising) / len(known)
    refused = np.searchsorted(np.sort(unknown), rising) / len(unknown)
    reward = accepted + refused
    place = int((reward >= reward.max() - 1e-12).argmax())
    upper = float(rising[place])
    if place == 0:
        return upper
    middle = (upper + float(rising[place - 1])) / 2
    return middle if middle > rising[place - 1] else upper  # neighbouring floats have no middle


def _checked(name: str, confidences: ArrayLike) -> FloatArray:
    values = np.asarray(confidences, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise InvalidInputError(
            f"{name} must be one finite confidence or more, got {values.size} of shape "
            f"{values.shape}; give one for each validation video that was scored"
        )
    return values


def seen_of_threshold(
    catalog: Catalog, items: pl.DataFrame
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a threshold that is chosen on some items has seen.

    Args:
        catalog: that holds the items and their ancestors.
        items: their `id`.

    Returns:
        SHA-256 of the items and of all their ancestors, and `data set/person` of the same; sorted.
    """
    lineage = catalog.ancestors().join(items, on="id", how="semi")
    seen = pl.concat([items, lineage.select(id="ancestor")]).unique()
    hashes = catalog.table.join(seen, on="id", how="semi")["sha256"].drop_nulls()
    people = catalog.people().join(seen, on="id", how="semi")["person"]
    return tuple(hashes.unique().sort()), tuple(people.unique().sort())


def save_open_set(folder: Path, open_set: OpenSet) -> Path:
    """Write `open_set.json` into the folder of its checkpoint and return its path."""
    plain = asdict(open_set)
    text = json.dumps(plain | {"open_set_sha256": _hash(plain)}, indent=1)
    return write_whole(folder / OPEN_SET, text.encode())


def read_open_set(folder: Path, card: Card) -> OpenSet | None:
    """Return the threshold that lies beside a checkpoint, or None where none does.

    Args:
        folder: of the checkpoint.
        card: of the checkpoint.

    Raises:
        InvalidInputError: if it was changed, has another format, or is another checkpoint's.
    """
    path = folder / OPEN_SET
    try:
        plain = json.loads(path.read_bytes())
        written = plain.pop("open_set_sha256")
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise _refusal(
            "be JSON as `unmask attribute calibrate` writes it", repr(error), path
        ) from None
    names = {one.name for one in fields(OpenSet)}
    if plain.get("format") != FORMAT or {*plain, "qualities"} != names:  # older files lack these
        raise _refusal(f"be of format {FORMAT}", str(plain.get("format")), path)
    if _hash(plain) != written:
        raise _refusal("be as it was written", "a changed one", path)
    if plain["weights_sha256"] != card.weights_sha256:
        raise _refusal("be of the weights beside it", "that of others", path)
    several = ("classes", "held_out", "qualities", "seen_hashes", "seen_persons")
    lists = {name: tuple(plain.get(name, ())) for name in several}
    return OpenSet(**plain | lists | {"calibration": Calibration(**plain["calibration"])})


def _refusal(rule: str, got: str, path: Path) -> InvalidInputError:
    return InvalidInputError(
        f"{OPEN_SET} must {rule}, got {got} in {path.parent}; run `unmask attribute calibrate` "
        "again"
    )


def _hash(plain: Mapping[str, Any]) -> str:
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
