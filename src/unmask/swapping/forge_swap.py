"""The verb that puts one person's face into another one's clips."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.catalog import Catalog, read_catalog
from unmask.errors import InvalidInputError
from unmask.execution.journal import run_journaled
from unmask.generators.landmark_files import Row, slug
from unmask.settings import setting
from unmask.swapping.convert import ConvertTask, Output, convert_clip
from unmask.swapping.convert_settings import ConvertSettings
from unmask.swapping.extract import Extracted, ExtractSettings, extract
from unmask.swapping.face_set import FaceSet
from unmask.swapping.identity import check_embedder
from unmask.swapping.learner import network_options
from unmask.swapping.learning_key import learning_key
from unmask.swapping.made_files import as_recorded, with_mask_hash
from unmask.swapping.mirror import mirrored
from unmask.swapping.pair import train_pair
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.people import Person, index_clips, people_of, person_of, same_person
from unmask.swapping.preview import PREVIEW
from unmask.swapping.ranks import LOCK, is_first, one_after_another
from unmask.swapping.swap_look import LookTask, look_at_all
from unmask.swapping.swap_model import read_swap_card
from unmask.swapping.swap_rows import (
    check_kept,
    check_places,
    file_name,
    parents_of,
    part_of,
    swap_row,
    told,
    with_earlier,
    with_made,
)
from unmask.training.setup import device_for

logger = logging.getLogger(__name__)

MODELS = "models"  # the folder of the trained pairs


@dataclass(frozen=True)
class _SwapPlaces:
    target: str = setting(
        help="Whose clips are changed: a video, a folder of videos, or a person of the catalog.",
        named=True,
    )
    source: str = setting(help="Whose face goes in, told likewise.", named=True)
    out: Path = setting(help="The folder for all that is made; the same one continues.", named=True)
    catalog: Path | None = setting(None, "The catalog that names both people.")
    start: Path | None = setting(None, "A trained encoder or pair to start from.")
    both: bool = setting(False, "Also put the target's face into the source's clips.")
    crf: int | None = setting(None, "The H.264 rate of the swaps; without it, no loss.")
    judge: bool = setting(False, "Also measure identity, pose and surround of each swap.")


@dataclass(frozen=True)
class SwapSettings(PairSettings, ConvertSettings, ExtractSettings, _SwapPlaces):
    """What `unmask forge swap` needs: whose face goes where, and how it is learned and put in.

    Raises:
        NotFoundError: if a choice has no such name.
        InvalidInputError: if a number is out of its range.
    """

    def __post_init__(self) -> None:
        for part in (PairSettings, ConvertSettings, ExtractSettings):
            part.__post_init__(self)
        network_options(self)  # a name that is misspelt is answered before the work
        if self.crf is not None and not 0 <= self.crf <= 51:
            raise InvalidInputError(
                f"crf must lie in [0, 51], got {self.crf}; leave it out to lose nothing"
            )


@dataclass(frozen=True)
class _Side:
    """One of the two people, with everything that is known of their clips."""

    person: Person
    faces: FaceSet
    folder: Path  # of the faces, for other processes


@dataclass(frozen=True)
class _Job:
    """One clip to put a face into."""

    clip: Row
    target: _Side
    source: _Side
    method: str
    is_back: bool = False  # the pair was trained the other way round

    @property
    def sources(self) -> list[Row]:
        """The clips that the face is learned from."""
        return [row for row in self.source.person.rows if row["id"] in self.source.faces.clips]

    @property
    def parents(self) -> list[str]:
        return [self.clip["id"], *(row["id"] for row in self.sources)]

    @property
    def name(self) -> str:
        return file_name(f"{slug(self.clip['id'])}_{slug(self.source.person.name)}")

    @property
    def id(self) -> str:
        return f"{self.method}/{self.name}.mp4"

    @property
    def mask(self) -> str:
        return f"{self.method}/masks/{self.name}.mp4"


def forge_swap(settings: SwapSettings) -> Catalog:
    """Train an autoencoder on two people, and put the face of the one into the other's clips.

    Their faces are cut out, the autoencoder learns them, and each of the target's clips is
    converted. What is done is kept: killed at any point, the same call continues. With other
    settings another autoencoder is trained beside the first, and the swaps are made again.

    Returns:
        A catalog of all items that there were and of the swaps, those that could not be made with
        their status and reason. It is written to `catalog.parquet` in the output folder; where no
        catalog is given, what it holds already stays.

    Raises:
        NotFoundError: if there is no such person, file, model, option or finder of landmarks.
        InvalidInputError: if both are one person, if one shows no face, if a setting is out of
            range, or if a swap would take the place of another item.
        MissingDependencyError: if 68 landmarks or a judgement are asked for and cannot be had.
    """
    if settings.judge:
        check_embedder()
    settings.out.mkdir(parents=True, exist_ok=True)  # paths lead through it
    with one_after_another(settings.out / LOCK):
        catalog, *people = _people(settings)
        found = extract(people, settings.out, settings, padding=settings.padding)
    sides = [_side(person, one) for person, one in zip(people, found.sets, strict=True)]
    jobs = _jobs(settings, *sides)
    check_places(catalog, [(job.id, job.parents) for job in jobs])
    check_kept(
        settings.out,
        parents_of(catalog) | {job.id: job.parents for job in jobs},
        advice="give that file as the catalog to add to it",
    )
    model = _trained(settings, *sides)
    if not is_first():
        return catalog
    rows = _converted(settings, jobs, model, found)
    result = with_made(catalog, rows)
    result.write(settings.out / "catalog.parquet")
    _look(settings, jobs, rows, found)
    return result


def _people(settings: SwapSettings) -> tuple[Catalog, Person, Person]:
    """Return all items, the target and the source."""
    if settings.catalog is None:
        catalog, *people = index_clips(
            Path(settings.target),
            Path(settings.source),
            settings.out,
            workers=settings.workers,
            retry_failed=settings.retry_failed,
        )
        return with_earlier(catalog), people[0], people[1]
    catalog = read_catalog(settings.catalog).moved(settings.out)
    everybody = people_of(catalog, settings.quality)
    target, source = (person_of(everybody, name) for name in (settings.target, settings.source))
    if target == source:
        raise same_person(settings.target, settings.source)
    splits = {row["split"] for person in (target, source) for row in person.rows}
    if len(splits) > 1:
        logger.warning(
            "%s and %s are not in one split: swaps of clips whose split differs from any of the "
            "source's get none",
            target.name,
            source.name,
        )
    return catalog, target, source


def _side(person: Person, faces: FaceSet | InvalidInputError) -> _Side:
    if isinstance(faces, InvalidInputError):
        raise faces
    assert faces.folder is not None  # they are kept
    return _Side(person, faces, faces.folder)


def _jobs(settings: SwapSettings, target: _Side, source: _Side) -> list[_Job]:
    """Return the swaps to make: of the target's clips, and with `both` of the source's, too."""
    jobs = [_Job(clip, target, source, settings.model) for clip in target.person.rows]
    if settings.both:
        jobs += [
            _Job(clip, source, target, settings.model, is_back=True) for clip in source.person.rows
        ]
    return jobs


def _trained(settings: SwapSettings, target: _Side, source: _Side) -> Path:
    """Return the folder of the trained pair, whose name changes with what it learns."""
    pair = part_of(settings, PairSettings)
    names = target.person.name, source.person.name
    key = learning_key(pair, [target.folder, source.folder], settings.start)
    whole = file_name("_".join([*map(slug, names), settings.model]))
    folder = settings.out / MODELS / f"{whole}-{key[:8]}"
    if is_first():
        logger.info("the preview is refreshed in %s", folder / PREVIEW)
    return train_pair(pair, target.faces, source.faces, folder, names=names, start=settings.start)


def _converted(
    settings: SwapSettings, jobs: Sequence[_Job], model: Path, found: Extracted
) -> list[Row]:
    """Return the row of each swap."""
    back = mirrored(model) if settings.both else model
    tasks = [
        ConvertTask(
            target=job.clip,
            landmarks=found.landmarks[job.clip["id"]],
            model=back if job.is_back else model,
            method=job.method,
            outputs=(Output(job.id, settings.crf),),
            mask=job.mask,
            out=settings.out,
            settings=part_of(settings, ConvertSettings),
            device=settings.device,
        )
        for job in jobs
    ]
    made = run_journaled(
        tasks,
        _convert,
        key=lambda task: task.key,
        journal=settings.out / "swap.jsonl",
        workers=settings.workers if device_for(settings.device) == "cpu" else 1,
        description=f"putting {jobs[0].source.person.name} into clips",
        retry_failed=settings.retry_failed,
        files=lambda task, rows: as_recorded(rows, task.out),
    )
    card = read_swap_card(model)
    return [
        swap_row(job.clip, job.sources, told(row, card), method=settings.model, seed=settings.seed)
        | {"landmarks": found.landmarks[job.clip["id"]].path or None}
        for job, (row,) in zip(jobs, made, strict=True)
    ]


def _convert(task: ConvertTask) -> list[Row]:
    return with_mask_hash(convert_clip(task), task.out)


def _look(
    settings: SwapSettings, jobs: Sequence[_Job], rows: Sequence[Row], found: Extracted
) -> None:
    tasks = [
        LookTask(
            swap=row,
            original=job.clip,
            landmarks=found.landmarks[job.clip["id"]],
            target=job.target.folder,
            source=job.source.folder,
            out=settings.out,
            judge=settings.judge,
        )
        for job, row in zip(jobs, rows, strict=True)
        if row["status"] == "ok"
    ]
    look_at_all(tasks, settings.out / "looks.jsonl", workers=settings.workers)
