"""The training of a pair: one autoencoder that learns to rebuild the faces of two persons."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import cv2
import torch
from lightning_fabric import Fabric

from unmask.catalog import hash_file
from unmask.errors import InvalidInputError, NotFoundError
from unmask.execution.progress import progress
from unmask.provenance import this_commit, versions
from unmask.settings import to_plain
from unmask.swapping.batches import Side
from unmask.swapping.face_set import FaceSet
from unmask.swapping.learner import SwapLearner, network_options, new_network
from unmask.swapping.pair_settings import FREE, PairSettings
from unmask.swapping.pictures import Batch, Pictures
from unmask.swapping.prepared import prepare
from unmask.swapping.preview import ROWS, write_preview
from unmask.swapping.swap_model import WEIGHTS, SwapCard, load_swap, read_swap_card, save_swap
from unmask.swapping.swap_run import STATE, read_swap_run, refuse_other_run
from unmask.torch_contracts import SOURCE, TARGET, Autoencoder
from unmask.training.batches import ahead
from unmask.training.memory import kept_memory
from unmask.training.setup import device_for, repeatable

MOST_HELD_OUT = 64  # faces of a side that a look takes: it must cost little
SIDES = ("target", "source")
STEPS_BETWEEN_AGREEMENTS = 20  # of several devices, on whether the time is over


def train_pair(
    settings: PairSettings,
    target: FaceSet,
    source: FaceSet,
    out: Path,
    *,
    names: tuple[str, str] = ("target", "source"),
    start: Path | None = None,
) -> Path:
    """Train an autoencoder on the faces of two persons.

    It stops at the iterations, the minutes or a plateau, whichever comes first. A run that was
    stopped at any moment continues where it was, to the same weights; a finished one returns at
    once.

    Args:
        settings: of the training.
        target: faces of the person whose clips are changed.
        source: faces of the person whose face goes in.
        out: the folder of the result; the same folder continues a run.
        names: of both persons, for the card.
        start: the folder of a trained autoencoder to start from, with its shared layers and those
            of each side, such as `train_encoder` makes it.

    Returns:
        The folder, with `weights.safetensors`, `card.json`, `preview.png` and `log.csv`.

    Raises:
        NotFoundError: if there is no such model, option or start.
        InvalidInputError: if the faces differ in size or are too few, the start has another
            model, or the folder holds another run.
    """
    return run_training(settings, [[target], [source]], out, names=names, start=start)


def run_training(
    settings: PairSettings,
    sides: Sequence[Sequence[FaceSet]],
    out: Path,
    *,
    names: tuple[str, ...],
    start: Path | None,
) -> Path:
    """Train on the face sets of both sides, or of the target's alone, and return `out`."""
    work = _Work(settings, sides, out, names, start)
    if not work.is_finished():
        fabric = Fabric(
            accelerator=device_for(settings.device),
            devices=settings.devices,
            precision=settings.precision,  # type: ignore[arg-type]  # the settings have checked it
        )
        fabric.launch()
        with repeatable(fabric.device), kept_memory(), _single_threaded_opencv():
            _Training(fabric, work).run_to_its_end()
    return out


@dataclass(frozen=True)
class _Work:
    """What a training is given."""

    settings: PairSettings
    sides: Sequence[Sequence[FaceSet]]
    out: Path
    names: tuple[str, ...]
    start: Path | None

    def __post_init__(self) -> None:
        sizes = {one.images.shape[1:] for side in self.sides for one in side}
        if len(sizes) != 1:
            raise InvalidInputError(
                f"the faces must be equally large, got {sorted(sizes)}; make the sets alike"
            )
        for name, side in zip(SIDES, self.sides, strict=False):
            count = sum(len(one.images) for one in side)
            if count < 2:
                raise InvalidInputError(
                    f"the faces of the {name} must be 2 or more, got {count}; give more clips"
                )

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two runs the same run."""
        plain = {name: one for name, one in to_plain(self.settings).items() if name not in FREE}
        hashes = [[one.sha256 for one in side] for side in self.sides]
        return plain | {"faces": hashes, "names": list(self.names), "start": self.start_hash}

    @property
    def start_hash(self) -> str:
        return read_swap_card(self.start).weights_sha256 if self.start else ""

    def is_finished(self) -> bool:
        """Return whether the folder holds the whole result of this run."""
        try:
            card = read_swap_card(self.out)
        except NotFoundError:
            return False
        there = dict(card.settings) | {
            "faces": card.faces["sha256"],
            "names": list(card.names),
            "start": card.started_from,
        }
        refuse_other_run(self.out, there, self.identity)
        weights = self.out / WEIGHTS
        if not weights.is_file() or hash_file(weights) != card.weights_sha256:
            return False  # lost or damaged since: to be trained again
        (self.out / STATE).unlink(missing_ok=True)
        return True

    def network(self) -> Autoencoder:
        """Return the autoencoder as it starts."""
        network = new_network(self.settings)
        if self.start is not None:
            begun, card = load_swap(self.start)
            options = network_options(self.settings)
            if (card.model, dict(card.options)) != (self.settings.model, options):
                raise InvalidInputError(
                    f"start must be the same autoencoder, {self.settings.model} with {options}, "
                    f"got {card.model} with {dict(card.options)}; choose the settings of the start"
                )
            network.load_state_dict(begun.state_dict())
        return network


class _Training:
    """One run: what it has, and where it stands."""

    def __init__(self, fabric: Fabric, work: _Work) -> None:
        self.fabric, self.work, self.settings = fabric, work, work.settings
        self.run, state = read_swap_run(work.out, work.identity)
        network = work.network()
        self.learner = SwapLearner(fabric, self.settings, network, len(work.sides))
        self.learner.restore(state)
        self.sides = [self._side(number, network) for number in range(len(work.sides))]
        self.held_out = [side.unchanged(MOST_HELD_OUT) for side in self.sides]
        self.shown = [side.unchanged(ROWS) for side in self.sides]
        self._sums = torch.tensor(self.run.losses or [0.0] * len(self.sides), dtype=torch.float64)
        self._sums = self._sums.to(fabric.device, torch.float32)

    def _side(self, number: int, network: Autoencoder) -> Side:
        sizes = {"input_size": network.input_size, "output_size": network.output_size}
        faces = prepare(
            self.work.sides[number],
            largest=max(sizes.values()),
            whole=self.settings.paper_quirks,
        )
        return Side(
            Pictures(faces, **sizes, settings=self.settings),
            self.settings,
            number,
            rank=self.fabric.global_rank,
            world=self.fabric.world_size,
        )

    def run_to_its_end(self) -> None:
        run, settings = self.run, self.settings
        saved = time.monotonic()
        stopped_by = self._reason_to_stop()
        steps = range(run.step, run.step if stopped_by else settings.iterations)
        with self._progress() as advance:
            for batches in ahead(self._batches, steps, settings.threads):
                self._sums += self.learner.step(batches)
                run.step += 1
                advance(1, 1)
                if run.step % settings.preview_every == 0:
                    self._look()
                stopped_by = self._reason_to_stop()
                if stopped_by:
                    break
                if time.monotonic() - saved >= settings.save_every:
                    self._save()
                    saved = time.monotonic()
        if not run.rows or run.rows[-1]["iteration"] != run.step:
            self._look()
        if self.fabric.is_global_zero:
            self._finish(stopped_by)
        self.fabric.barrier()

    def _batches(self, step: int) -> list[Batch]:
        return [side.batch(step) for side in self.sides]

    def _progress(self) -> AbstractContextManager[Callable[..., None]]:
        if not self.fabric.is_global_zero:
            return nullcontext(lambda *_: None)
        described = f"training {self.settings.model} on {' and '.join(self.work.names)}"
        return progress(described, self.settings.iterations, done=self.run.step, unit="steps")

    def _reason_to_stop(self) -> str:
        """Return what ends the training now: iterations, minutes or plateau; or nothing."""
        settings, run = self.settings, self.run
        if run.step >= settings.iterations:
            return "iterations"
        if 0 < settings.patience <= run.stale:
            return "plateau"
        if settings.minutes is None:
            return ""
        is_over = run.worked >= 60 * settings.minutes
        if self.fabric.world_size > 1:  # their clocks differ, and all must stop at one step
            if run.step % STEPS_BETWEEN_AGREEMENTS:
                return ""
            is_over = self.fabric.broadcast(is_over)
        return "minutes" if is_over else ""

    def _save(self) -> None:
        self.run.losses = self._finite_sums()
        if self.fabric.is_global_zero:
            self.run.save(self.work.out, self.learner.state())

    def _finite_sums(self) -> list[float]:
        sums: list[float] = self._sums.tolist()
        if not all(map(isfinite, sums)):
            raise InvalidInputError(
                f"the loss must stay finite, got {sums} before step {self.run.step}; lower "
                "learning_rate"
            )
        return sums

    def _look(self) -> None:
        """Measure the loss on held-out faces, write the log, and refresh the preview."""
        run = self.run
        before = run.rows[-1] if run.rows else {"iteration": 0, "seconds": 0.0}
        steps = run.step - before["iteration"]
        learned = [one / steps for one in self._finite_sums()]
        self._sums.zero_()
        found = self.learner.look(self.held_out).tolist()
        seconds = run.worked
        row = {"iteration": run.step, "seconds": seconds}
        row |= {"steps_per_second": steps / (seconds - before["seconds"])}
        row |= dict(zip(SIDES, learned, strict=False))
        row |= {f"validation_{name}": one for name, one in zip(SIDES, found, strict=False)}
        run.rows.append(row)
        total = self.fabric.broadcast(sum(found))
        run.best, run.stale = (total, 0) if total < run.best else (run.best, run.stale + 1)
        if self.fabric.is_global_zero:
            run.write_log(self.work.out)
            made_by = f"unmask autoencoder {self.settings.model}"
            write_preview(self.work.out, self.learner.network, self.shown, made_by=made_by)

    def _finish(self, stopped_by: str) -> None:
        work, run, network = self.work, self.run, self.learner.network
        if len(self.sides) == 1:
            network.own[SOURCE].load_state_dict(network.own[TARGET].state_dict())
        options = network_options(self.settings)
        seconds = run.rows[-1]["seconds"]
        card = SwapCard(
            model=self.settings.model,
            options=options,
            width=float(options["width"]),
            input_size=network.input_size,
            output_size=network.output_size,
            parameters=sum(one.numel() for one in network.parameters()),
            coverage=self.sides[0].pictures.share,
            padding=self.settings.padding,
            iterations=run.step,
            seconds=seconds,
            steps_per_second=run.step / seconds,
            stopped_by=stopped_by,
            losses={name: one for name, one in run.rows[-1].items() if name.endswith(SIDES)},
            settings=to_plain(self.settings),
            names=work.names,
            faces={
                "sha256": work.identity["faces"],
                "learned": [len(side.learned) for side in self.sides],
                "held_out": [len(side.held_out) for side in self.sides],
            },
            started_from=work.start_hash,
            commit=this_commit(),
            versions=versions() | {"torch_threads": str(torch.get_num_threads())},
        )
        save_swap(work.out, network, card)
        (work.out / STATE).unlink(missing_ok=True)


@contextmanager
def _single_threaded_opencv() -> Iterator[None]:
    """Keep OpenCV's own threads off the cores that the network works on."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
