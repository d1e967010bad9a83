"""Opening a victim by text: a checkpoint, several as an ensemble, purifiers before them."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from unmask.defences.ensemble import Ensemble
from unmask.defences.purified import Purified
from unmask.defences.spec import parse_purifiers
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector
from unmask.training.checkpoint import Card, load_checkpoint


@dataclass(frozen=True)
class OpenVictim:
    """A detector to be attacked or defended.

    Args:
        detector: ready to score.
        name: short, and legal as a folder's name: `meso4`, `meso4+xception`, `meso4@jpeg-75`.
        sha256: of the weights of a lone checkpoint; else of all weights' hashes and of the
            purifiers' text.
        cards: of the checkpoints, in their order.
    """

    detector: Detector
    name: str
    sha256: str
    cards: tuple[Card, ...]


def open_victim(text: str) -> OpenVictim:
    """Return the detector that a text names.

    Args:
        text: the folder of a checkpoint, or several with `&` between them for an ensemble; behind
            an `@`, purifiers as `parse_purifiers` takes them: `meso4&xception@jpeg:75+median:3`.

    Raises:
        NotFoundError: if a folder or a purifier does not exist.
        InvalidInputError: if a member is empty, a checkpoint is damaged or has no class `real`, or
            a purifier's value is wrong.
    """
    members, at, spec = text.rpartition("@") if "@" in text else (text, "", "")
    folders = [_folder(member, text) for member in members.split("&")]
    chain = parse_purifiers(spec) if at else None
    loaded = [_loaded(folder) for folder in folders]
    detectors, cards = zip(*loaded, strict=True)
    detector = detectors[0] if len(detectors) == 1 else Ensemble(detectors)
    name = "+".join(folder.resolve().name for folder in folders)
    if chain:
        detector, name = Purified(detector, chain.steps), f"{name}@{chain.name}"
    identity = [card.weights_sha256 for card in cards] + ([chain.name] if chain else [])
    digest = identity[0] if len(identity) == 1 else sha256(" ".join(identity).encode()).hexdigest()
    return OpenVictim(detector.eval(), name, digest, cards)


def _folder(member: str, text: str) -> Path:
    if not member.strip():
        raise InvalidInputError(
            f"a victim must be like FOLDER, FOLDER&FOLDER or FOLDER@jpeg:75, got {text!r}; name "
            "the folder of each checkpoint"
        )
    return Path(member.strip())


def _loaded(folder: Path) -> tuple[Detector, Card]:
    detector, card = load_checkpoint(folder)
    if "real" not in detector.classes:
        raise InvalidInputError(
            f"a victim must have the class 'real', got {detector.classes} in {folder}; choose a "
            "detector that tells real faces from fakes"
        )
    return detector, card
