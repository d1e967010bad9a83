"""The verb that trains one encoder on many people, for the pairs that start from it."""

import logging
from dataclasses import dataclass
from pathlib import Path

from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError
from unmask.settings import setting
from unmask.swapping.extract import ExtractSettings, extract
from unmask.swapping.face_set import FaceSet
from unmask.swapping.learner import network_options
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.people import people_of
from unmask.swapping.preview import PREVIEW
from unmask.swapping.ranks import LOCK, is_first, one_after_another
from unmask.swapping.swap_rows import part_of
from unmask.swapping.warm_start import train_encoder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _EncoderPlaces:
    catalog: Path = setting(help="The catalog whose people are learned.")
    out: Path = setting(help="The folder for the encoder; the same folder continues.")
    split: str | None = setting(None, "Only the people of this split, such as train.")


@dataclass(frozen=True)
class EncoderSettings(PairSettings, ExtractSettings, _EncoderPlaces):
    """What `unmask forge encoder` needs.

    Raises:
        NotFoundError: if a choice or an option has no such name.
        InvalidInputError: if a number is out of its range.
    """

    def __post_init__(self) -> None:
        PairSettings.__post_init__(self)
        ExtractSettings.__post_init__(self)
        network_options(self)  # a name that is misspelt is answered before the work


def warm_start(settings: EncoderSettings) -> Path:
    """Train an autoencoder on all people of a catalog, for pairs to start from.

    A pair of the same model and width that starts from it needs fewer steps of its own. Killed at
    any point, the same call continues.

    Returns:
        The folder, which `unmask forge swap --start` takes.

    Raises:
        NotFoundError: if there is no such model, option or finder of landmarks.
        InvalidInputError: if the catalog shows nobody whose name and face are known, or if the
            folder holds another run.
        MissingDependencyError: if 68 landmarks are asked for and cannot be found here.
    """
    catalog = read_catalog(settings.catalog).moved(settings.out)
    chosen = catalog.filter(split=settings.split) if settings.split else catalog
    people = people_of(chosen, settings.quality)
    settings.out.mkdir(parents=True, exist_ok=True)  # paths lead through it
    with one_after_another(settings.out / LOCK):
        found = extract(people, settings.out, settings, padding=settings.padding)
    sets = [one for one in found.sets if isinstance(one, FaceSet)]
    if len(sets) < len(people):
        errors = [one for one in found.sets if isinstance(one, InvalidInputError)]
        if not sets:
            raise errors[0]
        logger.warning("%d of %d people are left out: %s", len(errors), len(people), errors[0])
    if is_first():
        logger.info("the preview is refreshed in %s", settings.out / PREVIEW)
    return train_encoder(part_of(settings, PairSettings), sets, settings.out)
