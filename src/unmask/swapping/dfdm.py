"""The verb that builds a data set like DFDM: the same pairs by five models at three rates."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from unmask.catalog import Catalog, read_catalog
from unmask.datasets.dfdm_names import CRFS, FAKE_FOLDERS, REAL_FOLDERS, TAGS
from unmask.errors import InvalidInputError, unknown_name
from unmask.execution.journal import key_of, run_journaled
from unmask.files import write_whole
from unmask.generators.pairs import Pair, Row, real_videos
from unmask.schema import SPLITS
from unmask.settings import setting
from unmask.swapping.convert import ConvertTask, Output
from unmask.swapping.convert_settings import ConvertSettings
from unmask.swapping.dfdm_make import (
    EncoderTask,
    RealTask,
    SwapTask,
    make_encoder,
    make_real,
    make_swaps,
)
from unmask.swapping.dfdm_numbers import Numbers, number, read_lines
from unmask.swapping.dfdm_pairs import Who, draw_pairs, usable_clips, who
from unmask.swapping.extract import Extracted, ExtractSettings, extract
from unmask.swapping.face_set import FaceSet
from unmask.swapping.learner import network_options
from unmask.swapping.learning_key import FaceFolder, folder_of, learning_key
from unmask.swapping.made_files import as_recorded
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.people import Person
from unmask.swapping.swap_rows import (
    check_kept,
    check_places,
    parents_of,
    part_of,
    swap_row,
    with_made,
)
from unmask.training.setup import device_for

logger = logging.getLogger(__name__)

MODELS, ENCODERS, MASKS = "models", "encoders", "masks"  # folders


@dataclass(frozen=True)
class _DfdmPlaces:
    catalog: Path = setting(help="The catalog of real videos with people and splits.")
    pairs: int = setting(help="How many pairs; each is made by every model.", named=True)
    out: Path = setting(help="The folder for the data set; the same one continues.", named=True)
    models: tuple[str, ...] = setting(tuple(TAGS), "The models: by default all five.")
    rates: tuple[int, ...] = setting(CRFS, "The H.264 rates: by default all three.")
    clips: int = setting(3, "Clips of each person to use, at most; 0 takes all.")
    reals: bool = setting(True, "Whether real videos are coded at the same rates, too.")
    warm_up_iterations: int = setting(
        0, "Steps of an encoder that all pairs of a model start from, on the people of train."
    )
    keep_weights: bool = setting(False, "Whether the weights of each pair are kept.")


@dataclass(frozen=True)
class DfdmSettings(PairSettings, ConvertSettings, ExtractSettings, _DfdmPlaces):
    """What `unmask build dfdm` needs.

    Raises:
        NotFoundError: if a choice has no such name.
        InvalidInputError: if a number is out of its range.
    """

    model: ClassVar[str] = "original"  # type: ignore[misc]  # each of `models` in its turn

    def __post_init__(self) -> None:
        for part in (PairSettings, ConvertSettings, ExtractSettings):
            part.__post_init__(self)
        for name in self.models:
            if name not in TAGS:
                raise unknown_name("DFDM", name, TAGS)
            network_options(self.learning(name))  # of each model, or it is refused
        if not set(self.rates) <= set(CRFS):
            raise InvalidInputError(
                f"rates must be among the published {CRFS}, got {self.rates}; code further ones "
                "with `unmask degrade`"
            )
        for name, least in {"pairs": 1, "clips": 0, "warm_up_iterations": 0}.items():
            if getattr(self, name) < least:
                raise InvalidInputError(
                    f"{name} must be {least} or more, got {getattr(self, name)}; correct it"
                )
        if not self.models or not self.rates or self.devices != 1:
            raise InvalidInputError(
                "models and rates must be one or more and devices 1, got "
                f"{self.models}, {self.rates} and {self.devices}; pairs are trained side by side"
            )

    def learning(self, model: str) -> PairSettings:
        """Return how a model learns a pair, beside others that are learned at the same time."""
        return replace(part_of(self, PairSettings), model=model, threads=self.threads or 1)


def build_dfdm(settings: DfdmSettings) -> Catalog:
    """Make swaps by five autoencoders of the same pairs at three rates, under DFDM's names.

    Both people of a pair are of one split. Two people are trained once by each model, all their
    clips converted, and the weights go; what is done is kept: killed at any point, the same call
    continues, within a training, too. The real videos of the targets are coded at the same rates.
    In the same folder everybody keeps the number that `persons.csv` says.

    Returns:
        A catalog of all items that there were and of what was made; pairs that show no face, or
        too few, have rows with their status. It is written to `catalog.parquet` in the output
        folder, beside `persons.csv`, which says who has which number, and a list for each split.

    Raises:
        NotFoundError: if there is no such model, option or finder of landmarks.
        InvalidInputError: if the catalog has no splits by person, if no split has two people, or
            if the output folder's catalog names fakes that the new one would not, or would of
            other people.
        MissingDependencyError: if 68 landmarks are asked for and cannot be found here.
    """
    catalog, plan = _planned(settings)
    plan.numbers.write(settings.out, plan.clips)
    result = with_made(catalog, [*_swaps(plan), *(_reals(plan) if settings.reals else ())])
    result.write(settings.out / "catalog.parquet")
    _write_lists(result, plan)
    return result


def _planned(settings: DfdmSettings) -> tuple[Catalog, "_Plan"]:
    """Return what there is and what is to be made, once all faces are cut out."""
    settings.out.mkdir(parents=True, exist_ok=True)  # paths lead through it
    catalog = read_catalog(settings.catalog).moved(settings.out)
    clips = usable_clips(
        real_videos(catalog, settings.quality), most=settings.clips, seed=settings.seed
    )
    pairs = draw_pairs(clips, settings.pairs, seed=settings.seed)
    numbers = number(clips, read_lines(settings.out))
    people = _people(settings, clips, pairs)
    found = extract(people, settings.out, settings, padding=settings.padding)
    plan = _Plan(settings, clips, pairs, numbers, people, found)
    check_places(catalog, plan.parents)
    check_kept(
        settings.out,
        parents_of(catalog) | dict(plan.parents),
        advice="ask for all pairs, models and rates that it names",
    )
    return catalog, plan


def _people(settings: DfdmSettings, clips: list[Row], pairs: list[Pair]) -> list[Person]:
    """Return everybody whose faces are needed."""
    wanted = {who(row) for pair in pairs for row in (pair.target, pair.source) if row}
    if settings.warm_up_iterations:
        wanted |= {who(row) for row in clips if row["split"] == "train"}
    own = {one: [row for row in clips if who(row) == one] for one in sorted(wanted)}
    return [Person(name, dataset, tuple(rows)) for (dataset, name), rows in own.items()]


@dataclass(frozen=True)
class _Plan:
    """What is to be made."""

    settings: DfdmSettings
    clips: list[Row]
    pairs: list[Pair]
    numbers: Numbers
    people: list[Person]
    found: Extracted

    @cached_property
    def faces(self) -> dict[Who, FaceFolder]:
        """The folder of everybody's faces, or why there are none."""
        sets = zip(self.people, self.found.sets, strict=True)
        return {(person.dataset, person.name): folder_of(one) for person, one in sets}

    @cached_property
    def learned(self) -> set[str]:
        """The ids of all clips that faces come from."""
        sets = (one for one in self.found.sets if isinstance(one, FaceSet))
        return {clip for one in sets for clip in one.clips}

    def sources(self, pair: Pair) -> list[Row]:
        """Return the clips that the face of a pair is learned from, its own one first."""
        assert pair.source is not None
        first = pair.source
        own = [row for row in self.clips if who(row) == who(first)]
        rows = [row for row in own if row["id"] in self.learned] or [first]
        return sorted(rows, key=lambda row: row["id"] != first["id"])

    @property
    def targets(self) -> list[Row]:
        """The clips that are changed, each once."""
        return list({pair.target["id"]: pair.target for pair in self.pairs}.values())

    @cached_property
    def parents(self) -> list[tuple[str, list[str]]]:
        """The id of each item that is made, and its parents."""
        made = [
            (output.id, [row["id"] for row in (pair.target, *self.sources(pair))])
            for pair in self.pairs
            for model in self.settings.models
            for output in self.fakes(pair, model)
        ]
        if self.settings.reals:
            made += [(one.id, [row["id"]]) for row in self.targets for one in self.reals(row)]
        return made

    def fakes(self, pair: Pair, model: str) -> tuple[Output, ...]:
        """Return the videos of a pair by a model."""
        name = self.numbers.fake(pair, model)
        return tuple(Output(f"{FAKE_FOLDERS[rate]}/{name}", rate) for rate in self.settings.rates)

    def reals(self, row: Row) -> tuple[Output, ...]:
        """Return the videos of a real one."""
        name = self.numbers.real(row)
        return tuple(Output(f"{REAL_FOLDERS[rate]}/{name}", rate) for rate in self.settings.rates)

    @property
    def workers(self) -> int:
        """How many pairs are trained at the same time."""
        is_cpu = device_for(self.settings.device) == "cpu"
        return self.settings.workers if is_cpu else self.settings.workers or 1


def _swaps(plan: _Plan) -> list[Row]:
    """Return the rows of all swaps."""
    encoders = _encoders(plan)
    jobs = [(pair, model) for pair in plan.pairs for model in plan.settings.models]
    # The clips of the same two people share one training.
    groups: dict[tuple[Who, Who, str], list[Pair]] = defaultdict(list)
    for pair, model in jobs:
        assert pair.source is not None
        groups[who(pair.target), who(pair.source), model].append(pair)
    made = run_journaled(
        [
            _swap_task(plan, pairs, model, encoders.get(model))
            for (_, _, model), pairs in groups.items()
        ],
        make_swaps,
        key=lambda task: task.key,
        journal=plan.settings.out / "swaps.jsonl",
        workers=plan.workers,
        description="swaps",
        files=lambda task, made: _files(plan.settings, made[0]["rows"]),
    )
    by_id = {row["id"]: row for (one,) in made for row in one["rows"]}
    return [
        swap_row(
            pair.target,
            plan.sources(pair),
            by_id[output.id],
            method=model,
            seed=plan.settings.seed,
        )
        | {"landmarks": plan.found.landmarks[pair.target["id"]].path or None}
        for pair, model in jobs
        for output in plan.fakes(pair, model)
    ]


def _files(settings: DfdmSettings, rows: list[Row]) -> list[Path]:
    """Return what there must be of a pair's videos; what is to be tried again is not there."""
    good = [row for row in rows if row["status"] == "ok"]
    bad = [row for row in rows if row["status"] != "ok" and settings.retry_failed]
    again = [settings.out / row["path"] / "failed" for row in bad]
    return as_recorded(good, settings.out) + again


def _swap_task(plan: _Plan, pairs: list[Pair], model: str, start: Path | None) -> SwapTask:
    """Return the task of all pairs of the same two people."""
    first, settings = pairs[0], plan.settings
    assert first.source is not None
    learning = settings.learning(model)
    target, source = who(first.target), who(first.source)
    faces = plan.faces[target], plan.faces[source]
    key = learning_key(learning, faces, start)
    name = f"{plan.numbers.people[target]}_{plan.numbers.people[source]}_{TAGS[model]}"
    converts = tuple(
        ConvertTask(
            target=pair.target,
            landmarks=plan.found.landmarks[pair.target["id"]],
            model=settings.out / MODELS / f"{name}-{key[:8]}",
            method=model,
            outputs=plan.fakes(pair, model),
            mask=f"{MASKS}/{plan.numbers.fake(pair, model)}",
            out=settings.out,
            settings=part_of(settings, ConvertSettings),
            device=settings.device,
        )
        for pair in pairs
    )
    return SwapTask(converts, learning, faces, (target[1], source[1]), start, settings.keep_weights)


def _encoders(plan: _Plan) -> dict[str, Path]:
    """Return the folder of each model's warm start, if there shall be any."""
    settings = plan.settings
    if not settings.warm_up_iterations:
        return {}
    trained = sorted({who(row) for row in plan.clips if row["split"] == "train"})
    folders = tuple(one for person in trained if isinstance(one := plan.faces[person], Path))
    if not folders:
        raise InvalidInputError(
            f"warm_up_iterations must be 0 where the split train shows no face, got "
            f"{settings.warm_up_iterations}; leave it out"
        )
    tasks = {}
    for model in settings.models:
        learning = replace(settings.learning(model), iterations=settings.warm_up_iterations)
        key = learning_key(learning, folders, None)
        out = settings.out / ENCODERS / f"{model}-{key[:8]}"
        tasks[model] = EncoderTask(learning, folders, out)
    run_journaled(
        list(tasks.values()),
        make_encoder,
        key=lambda task: key_of(task.out.name),
        journal=settings.out / "encoders.jsonl",
        workers=plan.workers,
        description="warming up",
        files=lambda task, rows: task.files,
    )
    return {model: task.out for model, task in tasks.items()}


def _reals(plan: _Plan) -> list[Row]:
    """Return the rows of the targets' real videos at all rates."""
    tasks = [
        RealTask(row, plan.found.landmarks[row["id"]], plan.reals(row), plan.settings.out)
        for row in plan.targets
    ]
    made = run_journaled(
        tasks,
        make_real,
        key=lambda task: task.key,
        journal=plan.settings.out / "reals.jsonl",
        workers=plan.settings.workers,
        description="real videos",
        retry_failed=plan.settings.retry_failed,
        files=lambda task, rows: as_recorded(rows, task.out),
    )
    return [
        task.row
        | {"parents": [task.row["id"]], "seed": None, "sha256": None}
        | {"landmarks": task.landmarks.path or None}
        | row
        for task, rows in zip(tasks, made, strict=True)
        for row in rows
    ]


def _write_lists(catalog: Catalog, plan: _Plan) -> None:
    """Write the paths of the videos of each split that were made, one a line."""
    made = catalog.filter(id=[item for item, _ in plan.parents], status="ok")
    for split in SPLITS:
        paths: Sequence[str] = made.filter(split=split).table["path"].sort().to_list()
        if paths:
            text = "".join(f"{path}\n" for path in paths)
            write_whole(plan.settings.out / f"{split}_list.txt", text.encode())
