"""The verb that builds a data set like DFDM: the same pairs by five models at three rates."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    make_swap,
)
from unmask.swapping.dfdm_numbers import Numbers, number
from unmask.swapping.dfdm_pairs import Who, draw_pairs, usable_clips, who
from unmask.swapping.extract import Extracted, ExtractSettings, extract
from unmask.swapping.learner import network_options
from unmask.swapping.learning_key import FaceFolder, folder_of, learning_key
from unmask.swapping.made_files import as_recorded
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.people import Person
from unmask.swapping.swap_rows import check_kept, check_places, part_of, swap_row, with_made
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

    Both people of a pair are of one split. Each pair is trained, its clip converted, and the
    weights go; what is done is kept: killed at any point, the same call continues, within a
    training, too. The real videos of the targets are coded at the same rates.

    Returns:
        A catalog of all items that there were and of what was made; pairs that show no face, or
        too few, have rows with their status. It is written to `catalog.parquet` in the output
        folder, beside `persons.csv`, which says who has which number, and a list for each split.

    Raises:
        NotFoundError: if there is no such model, option or finder of landmarks.
        InvalidInputError: if the catalog has no splits by person, if no split has two people, or
            if the output folder's catalog names fakes that the new one would not.
        MissingDependencyError: if 68 landmarks are asked for and cannot be found here.
    """
    settings.out.mkdir(parents=True, exist_ok=True)  # paths lead through it
    catalog = read_catalog(settings.catalog).moved(settings.out)
    clips = usable_clips(
        real_videos(catalog, settings.quality), most=settings.clips, seed=settings.seed
    )
    pairs = draw_pairs(clips, settings.pairs, seed=settings.seed)
    plan = _Plan(settings, clips, pairs, number(clips))
    check_places(catalog, plan.parents)
    check_kept(
        settings.out,
        {*catalog.table["id"], *plan.parents},
        advice="ask for all pairs, models and rates that it names",
    )
    plan.numbers.write(settings.out, clips)
    people = plan.people
    found = extract(people, settings.out, settings, padding=settings.padding)
    faces = {
        (person.dataset, person.name): folder_of(one)
        for person, one in zip(people, found.sets, strict=True)
    }
    result = with_made(
        catalog, [*_swaps(plan, found, faces), *(_reals(plan, found) if settings.reals else ())]
    )
    result.write(settings.out / "catalog.parquet")
    _write_lists(result, plan)
    return result


@dataclass(frozen=True)
class _Plan:
    """What is to be made."""

    settings: DfdmSettings
    clips: list[Row]
    pairs: list[Pair]
    numbers: Numbers

    @property
    def people(self) -> list[Person]:
        """Everybody whose faces are needed."""
        wanted = {who(row) for pair in self.pairs for row in (pair.target, pair.source) if row}
        if self.settings.warm_up_iterations:
            wanted |= {who(row) for row in self.clips if row["split"] == "train"}
        clips = {one: [row for row in self.clips if who(row) == one] for one in sorted(wanted)}
        return [Person(name, dataset, tuple(rows)) for (dataset, name), rows in clips.items()]

    @property
    def targets(self) -> list[Row]:
        """The clips that are changed, each once."""
        return list({pair.target["id"]: pair.target for pair in self.pairs}.values())

    @property
    def parents(self) -> dict[str, list[str]]:
        """The parents of each item that is made, by its id."""
        made = {
            output.id: [row["id"] for row in (pair.target, pair.source) if row]
            for pair in self.pairs
            for model in self.settings.models
            for output in self.fakes(pair, model)
        }
        if self.settings.reals:
            made |= {one.id: [row["id"]] for row in self.targets for one in self.reals(row)}
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


def _swaps(plan: _Plan, found: Extracted, faces: dict[Who, FaceFolder]) -> list[Row]:
    """Return the rows of all swaps."""
    encoders = _encoders(plan, faces)
    jobs = [(pair, model) for pair in plan.pairs for model in plan.settings.models]
    made = run_journaled(
        [_swap_task(plan, *job, found, faces, encoders.get(job[1])) for job in jobs],
        make_swap,
        key=lambda task: task.key,
        journal=plan.settings.out / "swaps.jsonl",
        workers=plan.workers,
        description="swaps",
        retry_failed=plan.settings.retry_failed,
        files=lambda task, rows: as_recorded(rows, plan.settings.out),
    )
    return [
        swap_row(pair.target, [pair.source], row, method=model, seed=plan.settings.seed)
        | {"landmarks": found.landmarks[pair.target["id"]].path or None}
        for (pair, model), rows in zip(jobs, made, strict=True)
        for row in rows
        if pair.source is not None
    ]


def _swap_task(
    plan: _Plan,
    pair: Pair,
    model: str,
    found: Extracted,
    faces: dict[Who, FaceFolder],
    start: Path | None,
) -> SwapTask:
    assert pair.source is not None
    settings, name = plan.settings, Path(plan.numbers.fake(pair, model))
    learning = settings.learning(model)
    both = faces[who(pair.target)], faces[who(pair.source)]
    key = learning_key(learning, both, start)
    convert = ConvertTask(
        target=pair.target,
        landmarks=found.landmarks[pair.target["id"]],
        model=settings.out / MODELS / f"{name.stem}-{key[:8]}",
        method=model,
        outputs=plan.fakes(pair, model),
        mask=f"{MASKS}/{name}",
        out=settings.out,
        settings=part_of(settings, ConvertSettings),
        device=settings.device,
    )
    names = pair.target["person"], pair.source["person"]
    return SwapTask(convert, learning, both, names, start, settings.keep_weights)


def _encoders(plan: _Plan, faces: dict[Who, FaceFolder]) -> dict[str, Path]:
    """Return the folder of each model's warm start, if there shall be any."""
    settings = plan.settings
    if not settings.warm_up_iterations:
        return {}
    trained = sorted({who(row) for row in plan.clips if row["split"] == "train"})
    folders = tuple(one for person in trained if isinstance(one := faces[person], Path))
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


def _reals(plan: _Plan, found: Extracted) -> list[Row]:
    """Return the rows of the targets' real videos at all rates."""
    tasks = [
        RealTask(row, found.landmarks[row["id"]], plan.reals(row), plan.settings.out)
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
    made = catalog.filter(id=list(plan.parents), status="ok")
    for split in SPLITS:
        paths: Sequence[str] = made.filter(split=split).table["path"].sort().to_list()
        if paths:
            text = "".join(f"{path}\n" for path in paths)
            write_whole(plan.settings.out / f"{split}_list.txt", text.encode())
