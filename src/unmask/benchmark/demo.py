"""The whole life of a data set in one command: people, fakes, codecs, faces, detectors, report."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from unmask.benchmark.compression import CompressionSettings, Story, compression
from unmask.catalog import Catalog, read_catalog
from unmask.contracts import FAKE, REAL
from unmask.datasets.cut import CutSettings, cut
from unmask.datasets.index import IndexSettings, index
from unmask.degrade.apply import DegradeSettings, degrade_videos
from unmask.faces.prepare import FacesSettings, prepare_faces
from unmask.generators.forge import ForgeSettings, forge
from unmask.generators.openpeople import CorpusSettings, make_corpus
from unmask.settings import setting
from unmask.splitting import split_by_person

logger = logging.getLogger(__name__)

METHODS = ("landmark_swap", "self_blend")
# Rendered clips and their forgeries are filmed by one camera, or its noise would tell them apart.
CAMERA = "camera:electrons=8000:blur=0.6+c12"
STUDIO = "studio"  # the quality of the rendered clips
# Two people at least in each split: a swap needs another person of the same split.
FRACTIONS = (0.56, 0.22, 0.22)
# Larger footage is made smaller: a comparison of an hour is no demo.
LONGEST_SIDE = 640


@dataclass(frozen=True)
class DemoSettings:
    """What `unmask demo` needs: nothing, or a folder of your own clips."""

    footage: Path | None = setting(
        None, "A folder of clips: one person a file, or person/clip.mp4. Without it, made people."
    )
    out: Path = setting(Path("unmask-demo"), "The folder for everything that is made.")
    quick: bool = setting(False, "Less of everything: under a minute, for a first look.")
    seed: int = setting(0, "The seed of all randomness.")
    workers: int = setting(0, "Processes; 0 takes one for each core.")


@dataclass(frozen=True)
class Plan:
    """How much is made: what fits five minutes of two cores, or one.

    Args:
        actions: of the made people; none for all ten.
        size: of the made clips, in pixels of a side.
        frames: of each clip.
        faces: how many faces of each clip are prepared.
        qualities: besides raw.
        training: settings for every detector, and for each by its name.
    """

    actions: tuple[str, ...]
    size: int
    frames: int
    faces: int
    qualities: tuple[str, ...]
    training: Mapping[str, Mapping[str, object]]


# Only what starts from ImageNet learns enough in seconds; the others show what a start from nothing
# is worth. All validate once, at their end.
EACH = {"sampling": "paired", "validate_every": 1000, "validation_frames_per_video": 2}
STEADY = {"jpeg": 0.0, "blur": 0.0, "downscale": 0.0}
PLAN = Plan(
    actions=(),
    size=320,
    frames=8,
    faces=4,
    qualities=("c23", "c40"),
    training={
        "efficientnet_lite0": EACH
        | STEADY
        | {"size": 128, "steps": 160, "batch": 16, "learning_rate": 2e-3, "norm_momentum": 0.05},
        "meso4": EACH | {"size": 128, "steps": 200, "batch": 32, "learning_rate": 3e-3},
        "mesoinception4": EACH | {"size": 96, "steps": 60, "batch": 32, "learning_rate": 3e-3},
    },
)
QUICK = Plan(
    actions=("mouth", "yaw", "smile"),
    size=256,
    frames=4,
    faces=2,
    qualities=("c40",),
    training={
        "efficientnet_lite0": EACH
        | STEADY
        | {"size": 96, "steps": 16, "batch": 16, "learning_rate": 2.5e-3, "norm_momentum": 0.1},
        "meso4": EACH | {"size": 96, "steps": 20, "batch": 16, "learning_rate": 3e-3},
        "mesoinception4": EACH | {"size": 64, "steps": 20, "batch": 16, "learning_rate": 3e-3},
    },
)


def demo(settings: DemoSettings) -> Path:
    """Make a data set, train detectors on it and compare them: the whole of Unmask in one run.

    Returns:
        The page with the report. Everything else that was made lies beside it.

    Raises:
        NotFoundError: if the footage does not exist.
        InvalidInputError: if it holds too few people.
    """
    plan, out = plan_of(settings), settings.out
    logger.info("1 of 6: clips of people")
    people = _footage(settings, plan) if settings.footage else _made_people(settings, plan)
    logger.info("2 of 6: fakes by %s", " and ".join(METHODS))
    raw = _forged(settings, people)
    logger.info("3 of 6: compression to %s", " and ".join(plan.qualities))
    degrade_videos(
        DegradeSettings(
            raw, out / "videos", plan.qualities, seed=settings.seed, workers=settings.workers
        )
    )
    videos = out / "videos/catalog.parquet"
    logger.info("4 of 6: faces")
    prepare_faces(
        FacesSettings(
            videos,
            out / "faces",
            profile="square",
            sampling=f"spread:{plan.faces}",
            workers=settings.workers,
        )
    )
    logger.info("5 of 6: %s", ", ".join(plan.training))
    page = compression(
        CompressionSettings(
            videos,
            out / "faces/faces.parquet",
            out,
            detectors=tuple(plan.training),
            qualities=("raw", *plan.qualities),
            seed=settings.seed,
            workers=settings.workers,
        ),
        training=plan.training,
        story=_story(settings, read_catalog(videos)),
    )
    logger.info("6 of 6: the report")
    print((out / "tables/cross_quality_auc_video.md").read_text(encoding="utf-8"))
    return page


def plan_of(settings: DemoSettings) -> Plan:
    """Return how much the demo makes."""
    return QUICK if settings.quick else PLAN


def _made_people(settings: DemoSettings, plan: Plan) -> Path:
    """Return the catalog of made people who talk, split by person."""
    folder = settings.out / "people"
    corpus = make_corpus(
        CorpusSettings(
            folder,
            actions=plan.actions,
            frames=plan.frames,
            size=plan.size,
            seed=settings.seed,
            workers=settings.workers,
        )
    )
    return _split(corpus, folder, settings.seed)


def _footage(settings: DemoSettings, plan: Plan) -> Path:
    """Return the catalog of the user's clips, cut short and split by person."""
    assert settings.footage is not None
    whole, folder = settings.out / "footage", settings.out / "people"
    index(IndexSettings("footage", settings.footage, whole, workers=settings.workers))
    clips = cut(
        CutSettings(
            whole / "catalog.parquet",
            folder,
            frames=plan.frames,
            longest_side=LONGEST_SIDE,
            workers=settings.workers,
        )
    )
    return _split(clips, folder, settings.seed)


def _split(clips: Catalog, folder: Path, seed: int) -> Path:
    path = folder / "split.parquet"
    split_by_person(clips, seed=seed, fractions=FRACTIONS).write(path)
    return path


def _forged(settings: DemoSettings, people: Path) -> Path:
    """Return the catalog of the clips and of their fakes, made people filmed by one camera."""
    out, made = settings.out, []
    for method in METHODS:
        made.append(
            forge(
                ForgeSettings(
                    people,
                    out / "fakes" / method,
                    method,
                    quality="raw" if settings.footage else STUDIO,
                    seed=settings.seed,
                    workers=settings.workers,
                )
            )
        )
    reals, fakes = made[0].filter(label=REAL), [one.filter(label=FAKE) for one in made]
    everything = reals.join(*fakes)
    path = out / "fakes/all.parquet"
    everything.write(path)
    return path if settings.footage else _filmed(settings, path)


def _filmed(settings: DemoSettings, path: Path) -> Path:
    """Return the catalog of the same clips after the camera; these are the raw ones."""
    folder = settings.out / "filmed"
    both = degrade_videos(
        DegradeSettings(path, folder, (CAMERA,), seed=settings.seed, workers=settings.workers)
    )
    # The filmed clips take the place of the rendered ones: their names and their parents.
    originals = both.table.filter(pl.col("quality") == STUDIO)
    filmed = (
        both.table.filter(pl.col("quality") != STUDIO)
        .with_columns(id=pl.col("parents").list.get(0), quality=pl.lit("raw"))
        .drop("parents")
        .join(originals.select("id", "parents"), on="id")
    )
    unfilmed = originals.filter(pl.col("status") != "ok")
    kept = pl.concat([filmed.select(both.table.columns), unfilmed])
    raw = folder / "raw.parquet"
    Catalog(kept, folder).write(raw)
    return raw


def _story(settings: DemoSettings, catalog: Catalog) -> Story:
    usable = catalog.usable().table
    people, videos = usable["person"].n_unique(), usable.height
    whose = "your footage" if settings.footage else "people who do not exist"
    command = ["unmask demo"]
    command += [f"--footage {settings.footage.name}"] if settings.footage else []
    command += ["--quick"] if settings.quick else []
    command += [f"--seed {settings.seed}"]
    return Story(
        title="Detectors and compression: " + whose,
        summary=(
            f"Clips of {people} people were forged in two ways: a face swap by landmarks, and the "
            "face blended into itself. Reals and fakes went through the same codec.",
            f"From {videos} videos, faces were found, aligned alike and given to "
            f"{len(plan_of(settings).training)} detectors, each trained at every quality and at "
            "all together, and tested on people whom it had not seen.",
        ),
        stand_in=settings.footage is None,
        command=" ".join(command),
    )
