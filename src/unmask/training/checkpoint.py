"""A trained detector on disk: its weights, and a card that says how it came to be."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from unmask.detectors.create import create_detector, takes
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector
from unmask.training.carded import FORMAT, packed, read_plain_card, read_weights, write_carded

TOLD = "a checkpoint"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Card:
    """What a checkpoint is and where it comes from.

    Args:
        detector: the name that `create_detector` takes.
        detector_settings: the settings that it takes with it.
        classes: the outputs in order.
        size: side of the network's input.
        parameters: how many it learns.
        settings: of the training, as plain values.
        commit: of Unmask's source, or its release.
        versions: of what it was trained with.
        trained_on: the `target` that was learned, and the `dataset`, `qualities` and `methods` of
            the training faces; the data set of weights that another project has made is `unknown`,
            also among several. `started_from` names the file of weights that it started from.
        catalog_hash: of the catalog's content.
        faces_hash: of the faces of both splits.
        seen_hashes: SHA-256 of every training and validation item and of their ancestors; those
            of a checkpoint that it started from are among them.
        seen_persons: `data set/person` of the same items.
        selection: by what, and at which epoch and step, the weights were chosen.
        metrics: on the validation videos, by name.
        face_threshold: chosen on validation; a face's score at or above it is judged fake. None
            where no class is benign, for then there is no score.
        video_thresholds: the same for a video's score, by the rule that makes it of its faces'.
        threshold_rule: how both were chosen.
        temperature: chosen on validation; it divides the logarithms of a video's probabilities,
            which of two classes divides the logit of its score.
        training_seconds: how long it took, pauses left out.
        weights_sha256: of the weight file; written by `save_checkpoint`.
        format: of the card.
    """

    detector: str
    detector_settings: Mapping[str, Any]
    classes: tuple[str, ...]
    size: int
    parameters: int
    settings: Mapping[str, Any]
    commit: str
    versions: Mapping[str, str]
    trained_on: Mapping[str, Any]
    catalog_hash: str
    faces_hash: str
    seen_hashes: tuple[str, ...]
    seen_persons: tuple[str, ...]
    selection: Mapping[str, Any]
    metrics: Mapping[str, float]
    face_threshold: float | None
    video_thresholds: Mapping[str, float]
    threshold_rule: str | None
    temperature: float
    training_seconds: float
    weights_sha256: str = ""
    format: int = FORMAT

    @property
    def seen_is_known(self) -> bool:
        """Whether `seen_hashes` and `seen_persons` say all; of adopted weights nobody knows."""
        return UNKNOWN not in self.trained_on["dataset"].split("+")


def save_checkpoint(folder: Path, detector: Detector, card: Card) -> Card:
    """Write `weights.safetensors`, then `card.json`, which makes the checkpoint whole.

    Returns:
        The card with the hash of the weights.
    """
    content, weights_sha256 = packed(detector)
    card = replace(card, weights_sha256=weights_sha256)
    write_carded(folder, content, asdict(card))
    return card


def load_checkpoint(folder: Path) -> tuple[Detector, Card]:
    """Return a trained detector, ready to score, and its card.

    Raises:
        NotFoundError: if the folder holds no whole checkpoint.
        InvalidInputError: if the card or the weights were changed after they were written, are
            of another format, or do not fit the detector.
    """
    card = read_card(folder)
    detector = create_blank(card.detector, card.detector_settings, card.classes)
    if (detector.classes, detector.size) != (card.classes, card.size):
        raise InvalidInputError(
            f"the classes and size must be those of the card, {card.classes} at {card.size}, got "
            f"{detector.classes} at {detector.size} from detector {card.detector}; install the "
            "release that it was trained with"
        )
    name = f"detector {card.detector}"
    read_weights(folder, detector, card.weights_sha256, told=TOLD, name=name)
    return detector.eval(), card


def read_card(folder: Path) -> Card:
    """Return the card of a checkpoint.

    Raises:
        NotFoundError: if the folder holds no whole checkpoint.
        InvalidInputError: if the card was changed after it was written or has another format.
    """
    plain = read_plain_card(folder, Card, told=TOLD)
    several = ("classes", "seen_hashes", "seen_persons")
    return Card(**plain | {name: tuple(plain[name]) for name in several})


def create_blank(name: str, settings: Mapping[str, Any], classes: tuple[str, ...]) -> Detector:
    """Return a detector whose weights will be loaded: none to start from are looked for."""
    plain = {key: value for key, value in settings.items() if key not in ("pretrained", "weights")}
    if takes(name, "pretrained"):
        plain["pretrained"] = False
    if takes(name, "classes"):
        plain["classes"] = classes
    return create_detector(name, **plain)
