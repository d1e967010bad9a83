"""Opening a victim by text: a checkpoint, several as an ensemble, guards, purifiers before them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from unmask.defences.ensemble import Ensemble
from unmask.defences.guarded import CLEAN, Guarded
from unmask.defences.purified import Purified
from unmask.defences.spec import parse_purifiers
from unmask.errors import InvalidInputError
from unmask.torch_contracts import Detector
from unmask.training.carded import CARD
from unmask.training.checkpoint import Card, load_checkpoint


@dataclass(frozen=True)
class OpenVictim:
    """A detector to be attacked or defended.

    Args:
        detector: ready to score.
        name: short, and legal as a folder's name: `meso4`, `meso4+xception`, `meso4@jpeg-75`.
        sha256: of all that decides its answers: of each checkpoint the detector and its settings,
            classes, size and weights, and the purifiers' text. It is not the hash of a file.
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
            A member that tells clean faces from attacked ones is no part of the mean: it guards
            the rest (`unmask.defences.guarded`). An `@` in a path stays in it: where a `/` comes
            after it, or where the last member, as it stands, is a checkpoint.

    Raises:
        NotFoundError: if a folder or a purifier does not exist.
        InvalidInputError: if a member is empty, a checkpoint is damaged or has neither the class
            `real` nor `clean`, all members are guards, or a purifier's value is wrong.
    """
    members, spec = _parted(text)
    folders = [_folder(member, text) for member in members.split("&")]
    chain = None if spec is None else parse_purifiers(spec)
    detectors, cards = zip(*map(_loaded, folders), strict=True)
    detector = _joined(detectors, text)
    name = "+".join(folder.resolve().name for folder in folders)
    if chain:
        detector, name = Purified(detector, chain.steps), f"{name}@{chain.name}"
    identity = [_identity(card) for card in cards] + ([chain.name] if chain else [])
    digest = identity[0] if len(identity) == 1 else sha256(" ".join(identity).encode()).hexdigest()
    return OpenVictim(detector.eval(), name, digest, cards)


def open_guard(folder: str) -> OpenVictim:
    """Return the detector of attacked faces in a checkpoint's folder.

    Raises:
        NotFoundError: if there is no such checkpoint.
        InvalidInputError: if it is damaged, or has no class `clean`.
    """
    path = _folder(folder, folder)
    detector, card = load_checkpoint(path)
    if CLEAN not in detector.classes:
        raise InvalidInputError(
            f"a guard must have the class {CLEAN!r}, got {detector.classes} in {path}; train one "
            "that tells clean faces from attacked ones"
        )
    return OpenVictim(detector.eval(), path.resolve().name, _identity(card), (card,))


def _parted(text: str) -> tuple[str, str | None]:
    """Return the members, and the text of the purifiers where there are any."""
    members, at, spec = text.rpartition("@")
    last = Path(text.rpartition("&")[2].strip())
    if not at or "/" in spec or (last / CARD).is_file():
        return text, None
    return members, spec


def _identity(card: Card) -> str:
    """Return a hash of what decides the answers of a checkpoint's detector."""
    told = [card.detector, dict(card.detector_settings), card.classes, card.size]
    text = json.dumps([*told, card.weights_sha256], sort_keys=True)
    return sha256(text.encode()).hexdigest()


def _joined(members: Sequence[Detector], text: str) -> Detector:
    """Return the members as one: the mean of the detectors, behind every guard."""
    detectors = [one for one in members if CLEAN not in one.classes]
    if not detectors:
        raise InvalidInputError(
            f"a victim must have a member with the class 'real', got guards only in {text!r}; name "
            "the detector that they guard"
        )
    joined = detectors[0] if len(detectors) == 1 else Ensemble(detectors)
    for guard in members:
        if CLEAN in guard.classes:
            joined = Guarded(joined, guard)
    return joined


def _folder(member: str, text: str) -> Path:
    if not member.strip():
        raise InvalidInputError(
            f"a victim must be like FOLDER, FOLDER&FOLDER or FOLDER@jpeg:75, got {text!r}; name "
            "the folder of each checkpoint"
        )
    return Path(member.strip())


def _loaded(folder: Path) -> tuple[Detector, Card]:
    detector, card = load_checkpoint(folder)
    if "real" not in detector.classes and CLEAN not in detector.classes:
        raise InvalidInputError(
            f"a victim must have the class 'real', got {detector.classes} in {folder}; choose a "
            "detector that tells real faces from fakes"
        )
    return detector, card
