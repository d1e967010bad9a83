"""The end of a training: the checkpoint with its card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from unmask.catalog import hash_file
from unmask.detectors.create import read_options
from unmask.errors import InvalidInputError, NotFoundError
from unmask.provenance import this_commit, versions
from unmask.settings import to_plain
from unmask.torch_contracts import Detector
from unmask.training.carded import CARD, WEIGHTS
from unmask.training.checkpoint import UNKNOWN, Card, read_card, save_checkpoint
from unmask.training.data import TrainingData
from unmask.training.log import LOG
from unmask.training.settings import TrainSettings
from unmask.training.state import STATE, RunState, read_run, refuse_other_training

# Paths tell of a machine, not of a training; hashes say what lay there.
PATHS = ("catalog", "faces", "out")
# How the work is done may change when a run continues.
FREE = ("restart", "device", "workers", "cache_gib", "checkpoint_seconds", "tensorboard")


def told_settings(settings: TrainSettings) -> dict[str, Any]:
    """Return the settings as plain values without paths."""
    plain = {name: one for name, one in to_plain(settings).items() if name not in PATHS}
    weights = hash_file(settings.weights) if settings.weights else None
    return plain | {"weights": weights, "selection": settings.chosen_by}


def identity_of(settings: TrainSettings, data: TrainingData) -> dict[str, Any]:
    """Return what makes two runs the same run."""
    plain = {name: one for name, one in told_settings(settings).items() if name not in FREE}
    return plain | {"faces_hash": data.faces_hash}


def is_finished(out: Path, identity: Mapping[str, Any]) -> bool:
    """Return whether the folder holds the whole checkpoint of this run.

    Raises:
        InvalidInputError: if it holds that of another run.
    """
    try:
        card = read_card(out)
    except NotFoundError:
        return False
    refuse_other_training(out, dict(card.settings) | {"faces_hash": card.faces_hash}, identity)
    weights = out / WEIGHTS
    if not weights.is_file() or hash_file(weights) != card.weights_sha256:
        return False  # lost or damaged since: to be trained again
    (out / STATE).unlink(missing_ok=True)
    return True


def forget_other_run(out: Path, identity: Mapping[str, Any]) -> None:
    """Delete the files of a run that had other settings or data."""
    try:
        is_finished(out, identity)
        read_run(out, identity)
    except InvalidInputError:
        for name in (CARD, WEIGHTS, STATE, LOG):
            (out / name).unlink(missing_ok=True)


def finish(settings: TrainSettings, data: TrainingData, detector: Detector, run: RunState) -> Card:
    """Write the best weights with their card, and let go of the state of the run."""
    assert run.best is not None  # the last epoch is always validated
    detector.load_state_dict(run.best.weights)
    chosen = run.best.validation.choices(data.validation.table["item"].to_numpy())
    card = Card(
        detector=settings.detector,
        detector_settings=_without_weights(settings),
        classes=detector.classes,
        size=detector.size,
        parameters=sum(parameter.numel() for parameter in detector.parameters()),
        settings=told_settings(settings),
        commit=this_commit(),
        versions=versions() | {"torch_threads": str(torch.get_num_threads())},
        trained_on=_trained_on(settings, data),
        catalog_hash=data.catalog_hash,
        faces_hash=data.faces_hash,
        seen_hashes=data.seen.hashes,
        seen_persons=data.seen.persons,
        selection={"by": settings.chosen_by, "epoch": run.best.epoch, "step": run.best.step},
        metrics=chosen.metrics,
        face_threshold=chosen.face_threshold,
        video_thresholds=chosen.video_thresholds,
        threshold_rule=chosen.threshold_rule,
        temperature=chosen.temperature,
        training_seconds=run.worked,
    )
    written = save_checkpoint(settings.out, detector, card)
    (settings.out / STATE).unlink(missing_ok=True)
    return written


def _without_weights(settings: TrainSettings) -> dict[str, Any]:
    sized = {} if settings.size is None else {"size": settings.size}
    return sized | read_options(settings.detector, settings.detector_options)


def _trained_on(settings: TrainSettings, data: TrainingData) -> dict[str, Any]:
    def named(column: str) -> list[str]:
        return data.train.table[column].drop_nulls().unique().sort().to_list()

    # The hash of the file stands among the settings.
    start = {"started_from": settings.weights.name} if settings.weights else {}
    return start | {
        "target": settings.target,
        "dataset": "+".join(named("dataset") + [UNKNOWN] * (not data.seen.is_known)),
        "qualities": named("quality"),
        "methods": named("method"),
    }
