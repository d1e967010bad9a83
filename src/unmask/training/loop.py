"""The training of a detector."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from math import ceil
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from unmask.execution.progress import progress
from unmask.training.adversary import examiner
from unmask.training.augment import Augmentation
from unmask.training.batches import Loader, Plan
from unmask.training.clips import data_in_clips
from unmask.training.data import TrainingData, load_data
from unmask.training.finish import finish, forget_other_run, identity_of, is_finished
from unmask.training.learner import Learner
from unmask.training.log import need_tensorboard, write_csv, write_tensorboard
from unmask.training.memory import kept_memory
from unmask.training.sampling import sampler_for
from unmask.training.schedule import learning_rate
from unmask.training.settings import PROBABILITIES, TrainSettings
from unmask.training.setup import device_for, repeatable
from unmask.training.state import Best, Row, read_run
from unmask.training.store import FaceStore
from unmask.training.validation import validate

__all__ = ["TrainSettings", "train"]


def train(settings: TrainSettings, *, store: FaceStore | None = None) -> Path:
    """Train a detector on prepared faces.

    It learns on the split `train` and is chosen on `val`; `test` is never read. A run that was
    stopped at any moment continues where it was, to the same weights.

    Args:
        settings: of the training.
        store: decoded faces that several trainings share; its own by default.

    Returns:
        The folder of the checkpoint, with `weights.safetensors`, `card.json` and `log.csv`.

    Raises:
        NotFoundError: if a file, detector, quality or method does not exist.
        InvalidInputError: if the data cannot be learned from or the folder holds another run.
        MissingDependencyError: if the detector or the log needs a package that is not installed.
    """
    if settings.tensorboard:
        need_tensorboard()
    data = load_data(settings)
    identity = identity_of(settings, data)
    if settings.restart:
        forget_other_run(settings.out, identity)
    if not is_finished(settings.out, identity):
        fabric = Fabric(
            accelerator=device_for(settings.device),
            devices=settings.devices,
            precision=settings.precision,  # type: ignore[arg-type]  # the settings have checked it
        )
        fabric.launch()
        if store is None:
            store = FaceStore(gib=settings.cache_gib)
        with repeatable(fabric.device), kept_memory():
            _Training(fabric, settings, data, store, identity).run_to_its_end()
    return settings.out


class _Training:
    """One run: what it has, and where it stands."""

    def __init__(
        self,
        fabric: Fabric,
        settings: TrainSettings,
        data: TrainingData,
        store: FaceStore,
        identity: Mapping[str, Any],
    ) -> None:
        self.fabric, self.settings, self.store = fabric, settings, store
        self.run, state = read_run(settings.out, identity)
        self.learner = Learner(fabric, settings, data.train.classes)
        self.learner.restore(state)
        self.frames = self.learner.detector.frames
        self.data = data = data_in_clips(data, self.frames)
        self.plan = Plan(
            sampler_for(settings.sampling, data.train, data.ancestors, seed=settings.seed),
            batch=settings.batch,
            accumulate=settings.accumulate,
            rank=fabric.global_rank,
            world=fabric.world_size,
        )
        # Free training goes through each batch several times, so through fewer epochs.
        epochs = ceil(settings.epochs / self.learner.replays)
        self.steps = settings.steps or epochs * self.plan.steps_per_epoch

    def run_to_its_end(self) -> None:
        run, settings = self.run, self.settings
        loader = Loader(
            self.data.train,
            self.plan,
            self.store,
            size=self.learner.detector.size,
            augmentation=Augmentation(**{one: getattr(settings, one) for one in PROBABILITIES}),
            seed=settings.seed,
            frames=self.frames,
            alike=not settings.paper_quirks,
            workers=settings.workers,
        )
        saved = time.monotonic()
        with self._progress() as advance:
            for batches in loader.batches(run.step, run.step if self._is_over else self.steps):
                epoch = run.step // self.plan.steps_per_epoch
                only_head = epoch < settings.head_epochs
                if settings.paper_quirks and run.step % self.plan.steps_per_epoch == 0:
                    self.learner.forget()
                rate = self._rate(run.step)
                run.losses += self.learner.step(batches, run.step, rate, only_head=only_head)
                run.step += 1
                advance()
                if run.step % self.plan.steps_per_epoch == 0 or run.step == self.steps:
                    self._close_epoch(epoch)
                if time.monotonic() - saved >= settings.checkpoint_seconds:
                    self._save()
                    saved = time.monotonic()
                if self._is_over:
                    break
        if self.fabric.is_global_zero:
            finish(settings, self.data, self.learner.detector, run)
        self.fabric.barrier()

    def _progress(self) -> AbstractContextManager[Callable[..., None]]:
        if not self.fabric.is_global_zero:
            return nullcontext(lambda: None)
        described = f"training {self.settings.detector}"
        return progress(described, self.steps, done=self.run.step)

    def _rate(self, step: int) -> float:
        per_epoch = self.plan.steps_per_epoch
        return learning_rate(self.settings, step, steps=self.steps, steps_per_epoch=per_epoch)

    @property
    def _is_over(self) -> bool:
        return 0 < self.settings.patience <= self.run.stale

    def _save(self) -> None:
        if self.fabric.is_global_zero:
            self.run.save(self.settings.out, self.learner.state())

    def _close_epoch(self, epoch: int) -> None:
        """Validate where it is time to, and write the log."""
        run, settings = self.run, self.settings
        before = run.rows[-1] if run.rows else {"step": 0, "seconds": 0.0}
        steps = run.step - int(before["step"])
        clips = steps * settings.batch * settings.accumulate * self.fabric.world_size
        row: Row = {
            "epoch": epoch + 1,
            "step": run.step,
            "learning_rate": self._rate(run.step - 1),
            "loss": run.losses / steps,
            "images_per_second": clips * self.frames / (run.worked - before["seconds"]),
        }
        if (epoch + 1) % settings.validate_every == 0 or run.step == self.steps:
            if self.fabric.is_global_zero:
                row |= self._validate(epoch)
            run.stale = self.fabric.broadcast(run.stale)
        run.rows.append(row | {"seconds": run.worked})
        run.losses = 0.0
        if self.fabric.is_global_zero:
            write_csv(settings.out, run.rows)
            if settings.tensorboard:
                write_tensorboard(settings.out, run.rows[-1])

    def _validate(self, epoch: int) -> Row:
        """Keep the weights where they are the best so far."""
        run, detector = self.run, self.learner.detector
        found = validate(
            detector,
            self.data.validation,
            batch=self.settings.batch,
            device=self.fabric.device,
            store=self.store,
            adversary=examiner(self.settings),
        )
        merit = found.merit(self.settings.chosen_by)
        if run.best is None or merit > run.best.merit:
            weights = {
                name: one.detach().cpu().clone() for name, one in detector.state_dict().items()
            }
            run.best, run.stale = Best(weights, found, merit, epoch + 1, run.step), 0
        else:
            run.stale += 1
        return found.log_row()
