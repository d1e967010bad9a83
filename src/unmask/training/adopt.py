"""Making a checkpoint out of weights that another project has published."""

import logging
from dataclasses import dataclass
from pathlib import Path

from unmask.catalog import hash_file
from unmask.detectors.create import create_detector, takes
from unmask.detectors.foreign import load_foreign
from unmask.detectors.keras_weights import load_keras_weights
from unmask.detectors.meso4 import Meso4
from unmask.detectors.mesoinception4 import MesoInception4
from unmask.errors import InvalidInputError, NotFoundError
from unmask.metrics.aggregation import RULES
from unmask.provenance import this_commit, versions
from unmask.settings import setting
from unmask.torch_contracts import BENIGN, Detector
from unmask.training.carded import CARD, WEIGHTS
from unmask.training.checkpoint import UNKNOWN, Card, save_checkpoint

logger = logging.getLogger(__name__)

KERAS = (".h5", ".hdf5")


@dataclass(frozen=True)
class AdoptSettings:
    """What `unmask adopt` needs."""

    detector: str = setting(help="The detector or network of timm that the weights are of.")
    weights: Path = setting(help="A .safetensors file, a state dict of torch, or MesoNet's .h5.")
    out: Path = setting(help="The new folder of the checkpoint.")
    classes: tuple[str, ...] = setting(
        (), "What the outputs mean, in their order, such as fake,real; not for MesoNet's .h5."
    )
    size: int | None = setting(None, "Side of the network's input in pixels; its own by default.")


def adopt(settings: AdoptSettings) -> Path:
    """Make a checkpoint out of weights that another project has published.

    No list of the videos that they were trained on comes with them: the card says so, and
    whatever is measured with the checkpoint carries a note. Its thresholds are 0.5.

    Returns:
        The folder of the checkpoint.

    Raises:
        NotFoundError: if the detector or the file does not exist.
        InvalidInputError: if the folder holds a checkpoint already, the classes are missing or
            others, or the weights are of another network.
    """
    if (settings.out / CARD).exists() or (settings.out / WEIGHTS).exists():
        raise InvalidInputError(
            f"out must be a new folder, got {settings.out}, which holds a checkpoint; choose "
            "another"
        )
    if not settings.weights.is_file():
        raise NotFoundError(f"the weight file must exist, got {settings.weights}; check the path")
    detector = create_detector(settings.detector, **_detector_settings(settings))
    if settings.weights.suffix in KERAS:
        _load_keras(detector, settings)
    else:
        load_foreign(settings.weights, detector, classes=settings.classes or None)
    save_checkpoint(settings.out, detector, _card(settings, detector))
    logger.warning("%s: what the weights were trained on is unknown", settings.out)
    return settings.out


def _detector_settings(settings: AdoptSettings) -> dict[str, object]:
    given: dict[str, object] = {} if settings.size is None else {"size": settings.size}
    return given | ({"pretrained": False} if takes(settings.detector, "pretrained") else {})


def _load_keras(detector: Detector, settings: AdoptSettings) -> None:
    if not isinstance(detector, Meso4 | MesoInception4):
        raise InvalidInputError(
            f"the detector of a Keras file must be meso4 or mesoinception4, got "
            f"{settings.detector}; convert the weights of another network to safetensors"
        )
    if settings.classes:
        raise InvalidInputError(
            f"classes must not be given for a Keras file, got {settings.classes}; MesoNet's one "
            "output is known to be the probability of real"
        )
    load_keras_weights(detector, settings.weights)


def _card(settings: AdoptSettings, detector: Detector) -> Card:
    has_score = not set(BENIGN).isdisjoint(detector.classes)
    return Card(
        detector=settings.detector,
        detector_settings={} if settings.size is None else {"size": settings.size},
        classes=detector.classes,
        size=detector.size,
        parameters=sum(parameter.numel() for parameter in detector.parameters()),
        settings={
            "adopted_from": settings.weights.name,
            "adopted_sha256": hash_file(settings.weights),
            "adopted_classes": list(settings.classes),
            "seed": 0,
        },
        commit=this_commit(),
        versions=versions(),
        trained_on={"dataset": UNKNOWN, "qualities": [UNKNOWN], "methods": []},
        catalog_hash=UNKNOWN,
        faces_hash=UNKNOWN,
        seen_hashes=(),
        seen_persons=(),
        selection={"by": UNKNOWN},
        metrics={},
        face_threshold=0.5 if has_score else None,
        video_thresholds=dict.fromkeys(RULES, 0.5) if has_score else {},
        threshold_rule="fixed at 0.5" if has_score else None,
        temperature=1.0,
        training_seconds=0.0,
    )
