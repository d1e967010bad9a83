"""The loop that trains a pair: steps, looks at held-out faces, states to continue from."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from math import isfinite
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import Tensor

from unmask.errors import InvalidInputError
from unmask.execution.progress import progress
from unmask.provenance import this_commit, versions
from unmask.settings import to_plain
from unmask.swapping.batches import make_sides
from unmask.swapping.learner import SwapLearner, network_options
from unmask.swapping.pair_work import SIDES, PairWork
from unmask.swapping.pictures import Batch
from unmask.swapping.preview import ROWS, write_preview
from unmask.swapping.swap_model import SwapCard, save_swap
from unmask.swapping.swap_run import STATE, read_swap_run
from unmask.torch_contracts import SOURCE, TARGET
from unmask.training.batches import ahead

MOST_HELD_OUT = 64  # faces of a side that a look takes: it must cost little
STEPS_BETWEEN_AGREEMENTS = 20  # of several devices, on whether it is time to save or to stop


class PairTraining:
    """One run: what it has, and where it stands."""

    def __init__(self, fabric: Fabric, work: PairWork) -> None:
        self.fabric, self.work, self.settings = fabric, work, work.settings
        self.run, state = read_swap_run(work.out, work.identity)
        network = work.network()
        self.learner = SwapLearner(fabric, self.settings, network, len(work.sides))
        self.learner.restore(state)
        self.sides = make_sides(
            work.sides, network, self.settings, rank=fabric.global_rank, world=fabric.world_size
        )
        self.held_out = [side.unchanged(MOST_HELD_OUT) for side in self.sides]
        self.shown = [side.unchanged(ROWS) for side in self.sides]
        zeros = [0.0] * len(self.sides)
        self._sums = torch.tensor(self.run.losses or zeros, device=fabric.device)

    def run_to_its_end(self) -> None:
        """Take all steps that are left, and write the result."""
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
                if self._agreed(time.monotonic() - saved >= settings.save_every):
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
        if settings.minutes is None or not run.step:
            return ""  # a result needs one step
        return "minutes" if self._agreed(run.worked >= 60 * settings.minutes) else ""

    def _agreed(self, is_time: bool) -> bool:
        """Return what the first device's clock says: all must save and stop at one step."""
        if self.fabric.world_size == 1:
            return is_time
        if self.run.step % STEPS_BETWEEN_AGREEMENTS:
            return False
        return self.fabric.broadcast(is_time)

    def _save(self) -> None:
        self.run.losses = self._finite_sums()
        if self.fabric.is_global_zero:
            self.run.save(self.work.out, self.learner.state())

    def _finite_sums(self) -> list[float]:
        """Return the losses since the last look, on all devices the mean of them all."""
        self._sums = cast(Tensor, self.fabric.all_reduce(self._sums, reduce_op="mean"))
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
