"""The demo's people: stills of adults who do not exist, animated into pristine talking clips.

The stills come from the package `openpeople` (MIT; made by an image model). The clips stand in for
real footage: they are labelled real, carry the synthetic mark, and a score on them says nothing
about footage of real people.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from unmask.catalog import Catalog, hash_file, make_catalog
from unmask.contracts import REAL, Image
from unmask.errors import InvalidInputError, missing_extra, unknown_name
from unmask.execution.journal import key_of, run_journaled
from unmask.generators.stills_expression import express
from unmask.generators.stills_face import LANDMARK_FILE
from unmask.generators.stills_gesture import ACTIONS, make_gestures
from unmask.generators.stills_head import Head
from unmask.generators.stills_person import EXPRESSIONS, make_person
from unmask.seeding import generator_for
from unmask.settings import setting
from unmask.video.media import part_path
from unmask.video.write import VideoWriter

VERSION = 1  # of the animation: a higher one is made anew
MARK = "animated stills of a person who does not exist (openpeople, Unmask)"
SMALLEST, LARGEST = 64, 1024


@dataclass(frozen=True)
class CorpusSettings:
    """What `unmask corpus` needs."""

    out: Path = setting(help="The folder for the clips and their catalog.")
    people: tuple[str, ...] = setting((), "Which people, such as P001; all nine by default.")
    actions: tuple[str, ...] = setting((), "Which actions, such as blink; all ten by default.")
    frames: int = setting(16, "Frames of a clip.")
    size: int = setting(256, "Width and height of a clip in pixels.")
    frames_per_second: float = setting(25.0, "Rate of the clips.")
    takes: int = setting(1, "Clips of each person and action, all different.")
    seed: int = setting(0, "The seed of all randomness.")
    workers: int = setting(0, "Processes; 0 takes one for each core.")


@dataclass(frozen=True)
class Clip:
    """One clip to be made.

    Args:
        folder: of the corpus.
        person: name of the person.
        action: one of `ACTIONS`.
        take: number of the clip among those of this person and action.
        frames: how many.
        size: width and height in pixels.
        frames_per_second: the rate.
        seed: of the corpus.
    """

    folder: Path
    person: str
    action: str
    take: int
    frames: int
    size: int
    frames_per_second: float
    seed: int

    @property
    def name(self) -> str:
        """The file's path in the corpus, without its ending."""
        return f"clips/{self.person}/{self.action}_{self.take}"


def make_corpus(settings: CorpusSettings) -> Catalog:
    """Animate stills into pristine clips of people who act: blink, nod, smile and seven more.

    Run again, it makes only what is missing. The same settings give the same clips, bit for bit.

    Returns:
        The catalog of the clips, which is also written to `catalog.parquet` in the output folder.
        Each clip has its 478 landmarks a frame in a file beside it.

    Raises:
        MissingDependencyError: if the package `openpeople` is not installed.
        NotFoundError: if there is no such person or action.
        InvalidInputError: if a setting is out of range.
    """
    clips = _clips(settings)
    rows = run_journaled(
        clips,
        make_clip,
        key=lambda clip: key_of(VERSION, asdict(clip) | {"folder": ""}),
        journal=settings.out / "journal.jsonl",
        workers=settings.workers,
        description="animating people",
        files=lambda clip, rows: [settings.out / f"{clip.name}.{end}" for end in ("mp4", "npz")],
    )
    catalog = make_catalog([row for several in rows for row in several], settings.out)
    catalog.write(settings.out / "catalog.parquet")
    return catalog


def make_clip(clip: Clip) -> list[dict[str, Any]]:
    """Write one clip with its landmarks and return its catalog row."""
    path = clip.folder / f"{clip.name}.mp4"
    landmarks = []
    with VideoWriter(path, clip.frames_per_second, lossless=True, synthetic=MARK) as writer:
        for image, points in animate(clip):
            writer.write(image)
            landmarks.append(points)
        _write_landmarks(path.with_suffix(".npz"), np.stack(landmarks))
    made = {name: value for name, value in asdict(clip).items() if name != "folder"}
    return [
        {
            "id": f"{clip.person}/{path.name}",
            "path": f"{clip.name}.mp4",
            "dataset": "openpeople",
            "label": REAL,
            "original_label": "pristine stand-in",
            "action": clip.action,
            "person": clip.person,
            "quality": "studio",
            "seed": clip.seed,
            "settings": json.dumps({"made_by": "openpeople", "version": VERSION, **made}),
            "licence": "MIT",
            "sha256": hash_file(path),
            "landmarks": f"{clip.name}.npz",
            "frames": clip.frames,
            "frames_per_second": clip.frames_per_second,
            "width": clip.size,
            "height": clip.size,
        }
    ]


def animate(clip: Clip) -> Iterator[tuple[Image, NDArray[np.float32]]]:
    """Yield the pictures (S, S, 3) of a clip, each with its landmarks (478, 2) in pixels."""
    random = generator_for(clip.seed, "openpeople", clip.person, clip.action, clip.take)
    head = load_head(clip.person, clip.size)
    for gesture in make_gestures(clip.action, clip.frames, clip.frames_per_second, random):
        canvas, points = express(head.person, gesture)
        yield head.picture(canvas, gesture), head.moved(points, gesture)


def people() -> tuple[str, ...]:
    """Return the names of the people: all of the package but one who resembles somebody."""
    with np.load(LANDMARK_FILE) as file:
        return tuple(str(name) for name in file["people"])


def _clips(settings: CorpusSettings) -> list[Clip]:
    """Return every clip to be made, one person after the other."""
    known = people()
    for name in settings.people:
        if name not in known:
            raise unknown_name("openpeople", name, known)
    for name in settings.actions:
        if name not in ACTIONS:
            raise unknown_name("the corpus", name, ACTIONS)
    _check(settings)
    return [
        Clip(
            settings.out,
            person,
            action,
            take,
            settings.frames,
            settings.size,
            settings.frames_per_second,
            settings.seed,
        )
        for person in settings.people or known
        for action in settings.actions or ACTIONS
        for take in range(settings.takes)
    ]


def _check(settings: CorpusSettings) -> None:
    _assets()
    for name, lowest in (("frames", 2), ("takes", 1)):
        if getattr(settings, name) < lowest:
            raise InvalidInputError(
                f"{name} must be {lowest} or more, got {getattr(settings, name)}; 16 frames and "
                "1 take are usual"
            )
    if not SMALLEST <= settings.size <= LARGEST:
        raise InvalidInputError(
            f"size must lie between {SMALLEST} and {LARGEST} pixels, got {settings.size}; "
            "256 is usual, and the stills show no more than the largest"
        )
    if not 5 <= settings.frames_per_second <= 120:
        raise InvalidInputError(
            f"frames_per_second must lie between 5 and 120, got {settings.frames_per_second}; "
            "25 is usual"
        )


def _assets() -> Path:
    """Return the folder of the people's stills."""
    try:
        folder = Path(str(files("openpeople"))) / "data" / "curated"
    except ModuleNotFoundError:
        raise missing_extra("openpeople", "demo", "the corpus of made people") from None
    with np.load(LANDMARK_FILE) as file:
        wanted = str(file["openpeople_version"])
    found = metadata.version("openpeople")
    if found != wanted:
        raise InvalidInputError(
            f"openpeople must be {wanted}, whose stills the landmarks belong to, got {found}; "
            f"run: pip install openpeople=={wanted}"
        )
    return folder


@lru_cache(maxsize=2)
def load_head(name: str, size: int) -> Head:
    """Return one person's head, ready to be moved in pictures of that size in pixels.

    Raises:
        MissingDependencyError: if the package `openpeople` is not installed.
    """
    assets = _assets() / name / "assets"
    with np.load(LANDMARK_FILE) as file:
        index = list(file["people"]).index(name)
        landmarks = file["landmarks"][index] / float(file["steps_a_pixel"])
    return Head(
        make_person(
            size,
            _read(assets / "studio_portrait.jpg"),
            _read(assets / "emotions_sheet.jpg"),
            dict(zip(EXPRESSIONS, landmarks, strict=True)),
        )
    )


def _read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InvalidInputError(
            f"the still must be an image, got {path.name}; install the package openpeople again"
        )
    return np.asarray(image, dtype=np.uint8)


def _write_landmarks(path: Path, landmarks: NDArray[np.float32]) -> None:
    beside = part_path(path)
    with beside.open("wb") as file:
        np.savez_compressed(file, landmarks=landmarks)
    beside.replace(path)
