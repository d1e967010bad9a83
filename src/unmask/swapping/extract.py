"""The aligned faces of people: landmarks found once, faces cut once, both kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.errors import InvalidInputError
from unmask.generators.landmark_files import LandmarkFile, landmark_files
from unmask.settings import setting
from unmask.swapping.face_set import FaceSet, make_face_set
from unmask.swapping.people import Person

FACES = "faces"  # the folder of the face sets
LEAST_SIDE = 64  # pixels: what the smallest network sees


@dataclass(frozen=True)
class ExtractSettings:
    """How people's faces come out of their clips.

    Raises:
        InvalidInputError: if a number is out of its range.
    """

    quality: str | None = setting(None, "Which real videos: raw, c23 ... By default pristine ones.")
    landmarks: str = setting("auto", "What to find where the catalog names none: 68, 5 or auto.")
    faces: int = setting(1000, "Faces of each person to learn from, spread over all clips.")
    face_size: int = setting(256, "The side in pixels that they are cut out at.")
    workers: int = setting(0, "Processes; 0 takes one for each core.")
    retry_failed: bool = setting(False, "Try again what could not be done before.")

    def __post_init__(self) -> None:
        if self.faces < 2:
            raise InvalidInputError(
                f"faces must be 2 or more, got {self.faces}; some are held out, and 1000 are usual"
            )
        if self.face_size < LEAST_SIDE:
            raise InvalidInputError(
                f"face_size must be {LEAST_SIDE} pixels or more, got {self.face_size}; 256 is usual"
            )


@dataclass(frozen=True)
class Extracted:
    """What was found of some people.

    Args:
        landmarks: of each clip, by the id of its row.
        sets: the faces of each person, in the order of the people; an error for those without.
    """

    landmarks: dict[str, LandmarkFile]
    sets: list[FaceSet | InvalidInputError]


def extract(
    people: Sequence[Person], out: Path, settings: ExtractSettings, *, padding: float
) -> Extracted:
    """Find the landmarks of people's clips and cut out their faces.

    Args:
        people: with the paths of their clips told from `out`.
        out: the folder to work in.
        settings: how.
        padding: see `unmask.swapping.alignment.face_matrix`.

    Raises:
        NotFoundError: if there is no such finder of landmarks.
        MissingDependencyError: if 68 landmarks are asked for and cannot be found here.
    """
    rows = [row for person in people for row in person.rows]
    files = landmark_files(
        rows,
        out,
        finder=settings.landmarks,
        workers=settings.workers,
        retry_failed=settings.retry_failed,
    )
    known = {row["id"]: file for row, file in zip(rows, files, strict=True)}
    sets = [_faces_of(person, known, out, settings, padding=padding) for person in people]
    return Extracted(known, sets)


def _faces_of(
    person: Person,
    known: Mapping[str, LandmarkFile],
    out: Path,
    settings: ExtractSettings,
    *,
    padding: float,
) -> FaceSet | InvalidInputError:
    try:
        return make_face_set(
            person.rows,
            [known[row["id"]] for row in person.rows],
            out,
            out / FACES,
            size=settings.face_size,
            most=settings.faces,
            padding=padding,
            workers=settings.workers,
        )
    except InvalidInputError as error:
        return InvalidInputError(f"{person.name}: {error}")
