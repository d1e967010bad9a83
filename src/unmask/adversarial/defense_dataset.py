"""The verb that makes an Adversarial Deepfakes Defense Dataset of forged videos."""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from unmask.adversarial.defense_choice import NUMBERINGS, chosen_videos, file_names
from unmask.adversarial.defense_faces import FAULTS, Task, Video, Way, make_faces, path_of
from unmask.adversarial.kept import check_kept
from unmask.adversarial.opening import OpenVictim, open_victim
from unmask.attacks.presets import create_attack
from unmask.catalog import Catalog, hash_file, make_catalog
from unmask.datasets.defense_names import ORIGINAL, PARTS
from unmask.errors import InvalidInputError, unknown_name
from unmask.execution.journal import run_journaled
from unmask.faces.attack_table import TABLE, make_attack_table, write_attack_table
from unmask.files import stamp
from unmask.schema import ADVERSARIAL
from unmask.settings import setting
from unmask.training.setup import device_for
from unmask.video.picture import PICTURE_SUFFIXES
from unmask.video.probe import probe

logger = logging.getLogger(__name__)

Row = dict[str, Any]

CATALOG = "catalog.parquet"


@dataclass(frozen=True)
class DefenseDatasetSettings:
    """What `unmask build defense-dataset` needs.

    Raises:
        NotFoundError: if there is no such numbering.
        InvalidInputError: if a number makes no sense, or no victim is given.
    """

    source: Path = setting(help="A folder of FaceForensics++, or a catalog of forged videos.")
    out: Path = setting(Path("defense-dataset"), "The folder for the five parts.")
    xception: str = setting("", "The victim of the XceptionNet parts: a checkpoint's folder ...")
    mesonet: str = setting("", "The victim of the MesoNet parts. Without one, its parts are left.")
    videos: int = setting(100, "How many videos of each forgery method.")
    numbering: str = setting(
        "ids", "Which: ids (001 to `videos`, of the targets) or listing (the first, from 000)."
    )
    methods: tuple[str, ...] = setting((), "Forgery methods: by default the four, or a catalog's.")
    quality: str = setting("raw", "Of the videos: raw, c23 ...")
    every: int = setting(50, "Frames from one face to the next.")
    start: int = setting(0, "The frame of a video's first face.")
    white: str = setting("iterative_fgsm", "The attack of the white-box parts, such as robust.")
    black: str = setting("nes", "The attack of the black-box parts, such as robust_nes.")
    preset: str = setting("paper", "Whose settings the attacks take.")
    white_options: tuple[str, ...] = setting((), "Of the white-box attack: iterations=20 ...")
    black_options: tuple[str, ...] = setting((), "Of the black-box attack.")
    together: int = setting(32, "Faces that are attacked at once: what a kill can lose.")
    splits: Path | None = setting(None, "The official lists of FaceForensics++.")
    seed: int = setting(0, "The seed of the attacks.")
    device: str = setting("auto", "Where the victims run: auto, cpu, cuda or mps.")
    workers: int = setting(0, "Processes; 0 takes one for each core. Other devices get one.")
    retry_failed: bool = setting(False, "Try again what could not be read before.")

    def __post_init__(self) -> None:
        if self.numbering not in NUMBERINGS:
            raise unknown_name("the choice of numbering", self.numbering, NUMBERINGS)
        for name, least in {"videos": 1, "every": 1, "start": 0, "together": 1}.items():
            if getattr(self, name) < least:
                raise InvalidInputError(
                    f"{name} must be {least} or more, got {getattr(self, name)}; leave it out for "
                    "the published way"
                )
        if not (self.xception or self.mesonet):
            raise InvalidInputError(
                "xception or mesonet must be given, got neither; name the folder of a checkpoint "
                "for each"
            )


def build_defense_dataset(settings: DefenseDatasetSettings) -> Catalog:
    """Make faces of forged videos, clean and attacked, as five parts with their published names.

    A face goes the whole way: it is found in its frame, attacked at its own size, rounded, put
    back into the frame as a lossless video would hold it, found again there, and cut out. What is
    done is kept: killed at any point, the same call continues.

    Returns:
        A catalog of the chosen videos and of all images, those that could not be made with their
        status. It is written to `catalog.parquet` in the output folder, beside `attacks.parquet`,
        which says how each attack went.

    Raises:
        NotFoundError: if a folder, a method, an attack or a device is not there.
        InvalidInputError: if a setting is wrong, if there is no forged video to begin with, or if
            the output folder's tables name items that the new ones would not.
    """
    _check_source(settings)
    ways = list(_ways(settings))
    videos = chosen_videos(
        settings.source,
        settings.out,
        videos=settings.videos,
        numbering=settings.numbering,
        methods=settings.methods,
        quality=settings.quality,
        splits=settings.splits,
        workers=settings.workers,
        retry_failed=settings.retry_failed,
    )
    _say(videos)
    # Paths that leave a folder by `..` name nothing before it is there.
    settings.out.mkdir(parents=True, exist_ok=True)
    tasks = list(_tasks(videos, ways, settings))
    _check_kept(videos, tasks, settings)
    made = run_journaled(
        tasks,
        make_faces,
        key=lambda task: task.key,
        journal=settings.out / "journal.jsonl",
        workers=settings.workers if device_for(settings.device) == "cpu" else 1,
        description="faces",
        retry_failed=settings.retry_failed,
        files=_images,
        unit="queries",
        amount=lambda rows: sum(row.get("queries") or 0 for row in rows[0]["rows"]),
    )
    found = [
        (task.way, row) for task, (one,) in zip(tasks, made, strict=True) for row in one["rows"]
    ]
    catalog = _catalog(videos, found, settings)
    _warn(catalog)
    parents = dict(catalog.table.select("id", pl.col("parents").list.first()).iter_rows())
    told = [row | {"parent": parents[row["item"]]} for way, row in found if way.attack]
    write_attack_table(make_attack_table(told), settings.out / TABLE)
    catalog.write(settings.out / CATALOG)
    return catalog


def _check_source(settings: DefenseDatasetSettings) -> None:
    if settings.source.resolve() == (settings.out / CATALOG).resolve():
        raise InvalidInputError(
            f"source must be another catalog than the one that is written, got {settings.source} "
            "for both; choose another folder as out"
        )


def _check_kept(videos: Catalog, tasks: Sequence[Task], settings: DefenseDatasetSettings) -> None:
    """Refuse to write over tables of another build, or of something else."""
    images = {
        path_of(task.way.part, video.name, number)
        for task in tasks
        for video in task.videos
        for number in task.way.numbers(video.frames)
    }
    for name in (CATALOG, TABLE):
        check_kept(
            settings.out / name,
            images.union(videos.table["id"]),
            advice="ask for all victims, videos and frames that it names",
        )


def _ways(settings: DefenseDatasetSettings) -> Iterator[Way]:
    """Yield how each part is made, the quickest first."""
    common: Row = {"out": settings.out, "every": settings.every, "start": settings.start}
    yield Way(ORIGINAL, **common)
    texts = {"XceptionNet": settings.xception, "MesoNet": settings.mesonet}
    victims = {name: _opened(name, text) for name, text in texts.items() if text}
    attacks = {
        "w": (settings.white, settings.white_options),
        "b": (settings.black, settings.black_options),
    }
    attacked = [part for part in PARTS if part.victim in victims]
    for part in sorted(attacked, key=lambda part: (part.mark != "w", part.victim != "MesoNet")):
        victim = victims[str(part.victim)]
        attack, options = attacks[str(part.mark)]
        _, resolved = create_attack(attack, settings.preset, options)
        yield Way(
            part,
            **common,
            attack=attack,
            preset=settings.preset,
            options=tuple(options),
            resolved=resolved,
            victim=texts[str(part.victim)],
            victim_name=victim.name,
            victim_sha256=victim.sha256,
            seed=settings.seed,
            device=device_for(settings.device),
        )


def _opened(said: str, text: str) -> OpenVictim:
    """Return a victim, and warn where parts would bear the name of another network."""
    victim = open_victim(text)
    detectors = [card.detector for card in victim.cards]
    if said.lower().removesuffix("net") not in " ".join(detectors):
        logger.warning("the parts of %s get a victim that is %s", said, " and ".join(detectors))
    return victim


def _tasks(
    videos: Catalog, ways: Sequence[Way], settings: DefenseDatasetSettings
) -> Iterator[Task]:
    """Yield the videos of each part, as many together as have enough faces."""
    names = file_names(videos.rows())
    usable = [_video(videos, row, names[row["id"]]) for row in videos.usable().rows()]
    for way in ways:
        group: list[Video] = []
        faces = 0
        for video in usable:
            own = len(way.numbers(video.frames))
            if group and faces + own > settings.together:
                yield Task(way, tuple(group))
                group, faces = [], 0
            group.append(video)
            faces += own
        if group:
            yield Task(way, tuple(group))


def _video(videos: Catalog, row: Row, name: str) -> Video:
    path = videos.media(row["path"])
    return Video(
        id=row["id"],
        path=path,
        name=name,
        content=row["sha256"] or stamp(path),
        frames=row["frames"] or _counted(path),
        mask=videos.media(row["mask"]) if row["mask"] else None,
        mark=f"{row['method'] or 'a forgery'} from the data set {row['dataset']}",
    )


def _counted(path: Path) -> int | None:
    try:
        return probe(path).frames
    except FAULTS:
        return None  # `make_faces` says why


def _images(task: Task, made: list[Row]) -> list[Path]:
    """Return the images of a task; for one that was changed since, a path that is not there."""
    rows = [row for row in made[0]["rows"] if row["status"] == "ok"]
    paths = [(task.way.out / row["item"], row["sha256"]) for row in rows]
    return [
        path if path.is_file() and hash_file(path) == sha256 else path / "changed"
        for path, sha256 in paths
    ]


def _catalog(
    videos: Catalog, found: Sequence[tuple[Way, Row]], settings: DefenseDatasetSettings
) -> Catalog:
    """Return the videos and all images."""
    by_id = {row["id"]: row for row in videos.rows()}
    names = file_names(videos.rows())
    images = []
    for way, row in found:
        video = by_id[row["video"]]
        clean = path_of(ORIGINAL, names[video["id"]], row["frame"])
        images.append(_image(way, row, video, clean, settings))
    table = make_catalog(images, settings.out).table
    return Catalog(pl.concat([videos.table, table]), settings.out)


def _image(way: Way, row: Row, video: Row, clean: str, settings: DefenseDatasetSettings) -> Row:
    """Return the catalog's row of an image."""
    told: Row = {
        "frame": row["frame"],
        "time": row["time"],
        "region": row.get("region"),
        "every": way.every,
        "start": way.start,
        "numbering": settings.numbering,
    }
    said = {
        "id": row["item"],
        "path": row["item"],
        "kind": "image",
        "original_label": way.part.name,
        "parents": [video["id"]],
        "seed": None,
        "sha256": row.get("sha256"),
        "mask": None,
        "landmarks": None,
        "frames": 1,
        "frames_per_second": None,
        "width": row.get("width"),
        "height": row.get("height"),
        "status": row["status"],
        "reason": row["reason"],
    }
    if way.attack:
        told |= way.recorded | {"forgery": video["method"]}
        said |= {"family": ADVERSARIAL, "method": way.attack, "seed": way.seed}
        said |= {"parents": [clean]}
    return video | said | {"settings": json.dumps(told, sort_keys=True)}


def _say(videos: Catalog) -> None:
    counts = videos.table["method"].value_counts().sort("method").rows()
    logger.info("videos: %s", ", ".join(f"{count} by {method}" for method, count in counts))
    unusable = len(videos) - len(videos.usable())
    if unusable:
        logger.warning("%d of %d videos cannot be used", unusable, len(videos))


def _warn(catalog: Catalog) -> None:
    """Say what could not be made, and what lies about that was made otherwise."""
    images = catalog.filter(kind="image")
    lost = len(images) - len(images.usable())
    if lost:
        logger.warning("%d of %d images could not be made; see `reason`", lost, len(images))
    named = set(images.usable().table["path"])
    there = {
        path.relative_to(catalog.root).as_posix()
        for part in PARTS
        for path in (catalog.root / part.name).rglob("*")
        if path.suffix in PICTURE_SUFFIXES and not path.name.startswith(".")
    }
    if there - named:
        logger.warning(
            "%d images are of an earlier build and in no catalog, such as %s; delete them",
            len(there - named),
            min(there - named),
        )
