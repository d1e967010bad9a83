"""Trainings of seconds on faces whose fakes bear a chequered pattern."""

import csv
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from makers.prepared_faces import Prepared, make_prepared
from unmask.catalog import read_catalog
from unmask.errors import InvalidInputError, MissingDependencyError, NotFoundError
from unmask.metrics.ranking import auc
from unmask.training import loop
from unmask.training.checkpoint import load_checkpoint, read_card
from unmask.training.learner import Learner
from unmask.training.loop import train
from unmask.training.score import score_faces
from unmask.training.settings import TrainSettings
from unmask.training.store import FaceStore
from unmask.training.validation import validate

Make = Callable[..., TrainSettings]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return make_prepared(tmp_path_factory.mktemp("made"), persons=12, frames=4)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # fast enough here, and kind to neighbours
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make(prepared: Prepared, tmp_path: Path) -> Make:
    """Return the settings of a short training; what is given is otherwise."""

    def settings(name: str = "run", **changes: Any) -> TrainSettings:
        short: dict[str, Any] = {
            "detector": "meso4",
            "size": 32,
            "epochs": 2,
            "batch": 8,
            "device": "cpu",
        }
        return TrainSettings(prepared.catalog, prepared.faces, tmp_path / name, **(short | changes))

    return settings


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def log(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_what_tells_fakes_apart_is_learned_and_holds_for_persons_never_seen(
    make: Make, prepared: Prepared
) -> None:
    settings = make(size=64, epochs=12, batch=16, learning_rate=3e-3, blur=0.0, downscale=0.0)
    detector, card = load_checkpoint(train(settings))
    test = read_catalog(prepared.catalog).filter(split="test")
    found = score_faces(detector, prepared.faces, test).join(
        test.table, left_on="item", right_on="id"
    )
    assert auc(found["score"], found["label"]) > 0.95
    assert card.metrics["auc"] > 0.95
    assert card.parameters == sum(one.numel() for one in detector.parameters())
    assert card.trained_on == {
        "target": "label",
        "dataset": "made",
        "qualities": ["raw"],
        "methods": ["chequers"],
    }
    assert not {"catalog", "faces", "out"} & set(card.settings)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(make: Make) -> None:
    first, second, other = (
        weights(train(make(name, seed=seed, workers=workers)))
        for name, seed, workers in (("a", 1, 1), ("b", 1, 3), ("c", 2, 1))
    )
    assert first == second
    assert first != other


def test_training_leaves_the_callers_randomness_and_settings_of_pytorch(make: Make) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(make(epochs=1))
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_finished_run_is_not_run_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make(epochs=1)
    folder = train(settings)
    before = weights(folder)
    monkeypatch.setattr(loop, "Fabric", None)
    assert train(replace(settings, workers=2)) == folder
    assert weights(folder) == before


@pytest.mark.parametrize("finished", [True, False])
def test_a_folder_of_another_run_is_refused(
    make: Make, monkeypatch: pytest.MonkeyPatch, finished: bool
) -> None:
    settings = make(epochs=1, checkpoint_seconds=0.0)
    if finished:
        train(settings)
    else:
        stopped_after(2, settings, monkeypatch)
    with pytest.raises(InvalidInputError, match=r"whose seed was 0, not 3; choose another folder"):
        train(replace(settings, seed=3))
    fresh = train(make("fresh", epochs=1, seed=3))
    assert weights(train(replace(settings, seed=3, restart=True))) == weights(fresh)
    assert weights(train(replace(settings, seed=3, restart=True))) == weights(fresh)


class StoppedError(Exception):
    """Stands for whatever breaks a training off."""


def stopped_after(steps: int, settings: TrainSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train and break off within the step that follows so many."""
    step = Learner.step

    def or_stop(self: Learner, batches: Any, number: int, *more: Any, **named: Any) -> float:
        if number == steps:
            raise StoppedError
        return step(self, batches, number, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Learner, "step", or_stop)
        with pytest.raises(StoppedError):
            train(settings)


@pytest.mark.parametrize("kind", ["pgd", "free", "fast"])
def test_adversarial_training_that_was_stopped_ends_with_the_same_weights(
    make: Make, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    same: dict[str, Any] = {"steps": 5, "adversarial": kind, "adversarial_steps": None}
    if kind != "fast":
        same["adversarial_steps"] = 2
    whole = train(make("whole", **same))
    settings = make("broken", **same, checkpoint_seconds=0.0)
    for steps in (2, 4):
        stopped_after(steps, settings, monkeypatch)
    assert weights(train(settings)) == weights(whole)
    assert weights(whole) != weights(train(make("clean", steps=5)))


def test_the_log_and_the_card_tell_how_robust_each_epoch_is(make: Make) -> None:
    folder = train(make(adversarial="fast", adversarial_epsilon=0.2, selection="robust_auc"))
    card, rows = read_card(folder), log(folder)
    told = [(float(row["robust_auc"]), -float(row["validation_loss"])) for row in rows]
    best = told.index(max(told))
    assert card.selection == {"by": "robust_auc", "epoch": best + 1, "step": 6 * (best + 1)}
    assert card.metrics["robust_auc"] == told[best][0] <= card.metrics["auc"]
    assert card.metrics["robust_accuracy"] == float(rows[best]["robust_accuracy"])
    assert "robust_auc" not in read_card(train(make("clean", epochs=1))).metrics


def test_free_training_goes_through_fewer_epochs_as_it_replays_each_batch(make: Make) -> None:
    folder = train(make(epochs=5, adversarial="free", adversarial_steps=3))
    assert [row["step"] for row in log(folder)] == ["6", "12"]


@pytest.mark.parametrize("saved_every", [0.0, 1e9])
def test_a_run_stopped_at_any_step_ends_with_the_weights_of_an_unbroken_one(
    make: Make, monkeypatch: pytest.MonkeyPatch, saved_every: float
) -> None:
    same: dict[str, Any] = {"epochs": 3, "accumulate": 2, "sampling": "paired", "head_epochs": 1}
    whole = train(make("whole", **same))
    settings = make("broken", **same, checkpoint_seconds=saved_every)
    for steps in (1, 3, 4, 7):  # within epochs and at their ends
        if saved_every == 0.0 or steps == 1:
            stopped_after(steps, settings, monkeypatch)
    broken = train(settings)
    assert weights(broken) == weights(whole)
    times = {"images_per_second", "seconds"}
    told = [
        [{key: row[key] for key in row if key not in times} for row in log(one)]
        for one in (whole, broken)
    ]
    assert told[0] == told[1]
    assert read_card(broken).metrics == read_card(whole).metrics


CHILD = """
import sys, tomllib, torch
from pathlib import Path
from unmask.settings import load_settings
from unmask.training.loop import train
from unmask.training.settings import TrainSettings
torch.set_num_threads(1)
for file in sys.argv[1:]:
    train(load_settings(TrainSettings, {}, Path(file)))
"""


def toml(settings: TrainSettings, path: Path) -> Path:
    lines = [
        f'{name} = "{value}"' if isinstance(value, Path | str) else f"{name} = {value}"
        for name, value in vars(settings).items()
        if value is not None and not isinstance(value, bool | tuple)
    ]
    path.write_text("\n".join(lines))
    return path


def test_a_run_killed_at_random_moments_ends_with_the_weights_of_an_unbroken_one(
    make: Make, tmp_path: Path
) -> None:
    same: dict[str, Any] = {"steps": 150, "batch": 16}
    whole = train(make("whole", **same))
    settings = make("killed", **same, checkpoint_seconds=0.0)
    file, moment = toml(settings, tmp_path / "settings.toml"), random.Random(0)
    state = settings.out / "state.pt"
    for _ in range(2):
        begun = state.stat().st_mtime_ns if state.exists() else 0
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(file)])
        while child.poll() is None and (not state.exists() or state.stat().st_mtime_ns == begun):
            time.sleep(0.01)
        time.sleep(moment.uniform(0, 0.15))
        assert child.poll() is None, "the run ended before it could be killed"
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        assert not (settings.out / "card.json").exists()
    assert weights(train(settings)) == weights(whole)
    assert not state.exists()


def test_two_processes_train_one_network_the_same_way_each_time(make: Make, tmp_path: Path) -> None:
    runs = [make(name, devices=2, epochs=1, accumulate=2) for name in ("a", "b")]
    files = [str(toml(one, tmp_path / f"{one.out.name}.toml")) for one in runs]
    (tmp_path / "child.py").write_text(CHILD)
    subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"),
            *(str(tmp_path / "child.py"), *files),
        ],
        check=True,
        capture_output=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert weights(runs[0].out) == weights(runs[1].out)


def test_a_broken_state_is_refused(make: Make) -> None:
    settings = make()
    settings.out.mkdir()
    (settings.out / "state.pt").write_bytes(b"half")
    with pytest.raises(InvalidInputError, match="state of a run must be as training wrote it, got"):
        train(settings)


def test_a_device_that_is_not_there_is_refused(make: Make) -> None:
    absent = "mps" if torch.cuda.is_available() else "cuda"
    with pytest.raises(
        InvalidInputError, match=f"device must be one of this machine, got {absent}"
    ):
        train(make(device=absent))
    with pytest.raises(NotFoundError, match="device has no 'cpuu'; did you mean 'cpu'"):
        train(make(device="cpuu"))


def test_trainings_share_a_store_and_read_each_crop_once(make: Make, prepared: Prepared) -> None:
    store = FaceStore()
    first = train(make("a", epochs=1), store=store)
    crop = next(prepared.faces.parent.glob("crops/*/*/*.png"))
    hidden = crop.rename(crop.with_suffix(".hidden"))
    try:
        assert weights(train(make("b", epochs=1), store=store)) == weights(first)
    finally:
        hidden.rename(crop)


def test_only_the_head_learns_in_the_first_epochs(make: Make) -> None:
    begun = Learner(Fabric(accelerator="cpu", devices=1), make()).detector.state_dict()
    detector, _ = load_checkpoint(train(make(epochs=1, head_epochs=1)))
    state = detector.state_dict()
    changed = {
        name
        for name in state
        if "running" not in name and "num" not in name and not torch.equal(state[name], begun[name])
    }
    assert changed == {"network.head.4.weight", "network.head.4.bias"}


def test_it_stops_after_validations_without_progress(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([0.5, 0.4, 0.6, 0.7, 0.1, 0.1])
    monkeypatch.setattr(
        loop, "validate", lambda *a, **k: replace(validate(*a, **k), loss=next(losses))
    )
    folder = train(make(epochs=6, patience=2, selection="loss"))
    assert len(log(folder)) == 4
    assert read_card(folder).selection["epoch"] == 2


def test_steps_end_the_training_and_the_last_is_always_validated(make: Make) -> None:
    folder = train(make(steps=8, validate_every=5))
    rows = log(folder)
    assert [row["step"] for row in rows] == ["6", "8"]  # 48 faces in batches of 8: 6 an epoch
    assert [bool(row["validation_auc"]) for row in rows] == [False, True]


def test_the_log_has_a_line_for_each_epoch_with_the_rate_of_its_last_step(make: Make) -> None:
    rows = log(train(make(epochs=3, schedule="step", step_every=1, learning_rate=0.01)))
    rates = [float(row["learning_rate"]) for row in rows]
    assert rates == pytest.approx([0.01, 0.001, 0.0001])
    assert all(float(row["images_per_second"]) > 0 for row in rows)


def test_tensorboard_gets_its_log(make: Make) -> None:
    folder = train(make(epochs=1, tensorboard=True))
    assert list((folder / "tensorboard").glob("events.*"))


def test_without_tensorboard_its_log_is_refused_before_anything_is_done(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'unmask\[tensorboard\]'"):
        train(make(tensorboard=True))
    assert not make().out.exists()


@pytest.mark.parametrize("kind", ["", "pgd", "free"])
def test_mixed_precision_trains(make: Make, kind: str) -> None:
    folder = train(make(steps=2, precision="bf16-mixed", adversarial=kind, adversarial_steps=2))
    assert (folder / "card.json").exists()


def test_a_loss_that_is_not_finite_is_refused(make: Make) -> None:
    with pytest.raises(InvalidInputError, match=r"loss must stay finite, got nan at step \d+; low"):
        train(make(epochs=9, learning_rate=1e30, schedule="constant"))


def test_a_detector_of_other_classes_is_refused(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unmask.detectors.efficientnet_lite0 import EfficientNetLite0

    def three(name: str, **_: object) -> EfficientNetLite0:
        return EfficientNetLite0(size=32, pretrained=False, classes=("real", "swap", "blend"))

    monkeypatch.setattr("unmask.training.setup.create_detector", three)
    with pytest.raises(
        InvalidInputError, match=r"classes must be real and fake, got \('real', 'sw"
    ):
        train(make())


def test_a_misspelt_detector_is_answered_with_the_closest(make: Make) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'meso4'"):
        train(make(detector="meso5"))
