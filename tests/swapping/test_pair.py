import csv
import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

from makers.drawn_face_sets import drawn_faces
from unmask.errors import InvalidInputError, NotFoundError
from unmask.swapping import swap_run
from unmask.swapping.batches import Side
from unmask.swapping.learner import SwapLearner, new_network
from unmask.swapping.pair import train_pair
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.swap_model import load_swap, read_swap_card
from unmask.video.picture import read_picture, read_png_mark

TARGET, SOURCE = drawn_faces(0, count=30), drawn_faces(1, count=25)

CHILD = """
import sys
from itertools import count
from pathlib import Path
from torch.distributed import barrier
from swapping.test_pair import trained
from unmask.swapping import pair_loop
from unmask.swapping.learner import SwapLearner
pair_loop.STEPS_BETWEEN_AGREEMENTS = 1
steps, step = count(1), SwapLearner.step
def interrupted(self, batches):
    if next(steps) == 3:
        raise KeyboardInterrupt
    return step(self, batches)
SwapLearner.step = interrupted
try:
    trained(Path(sys.argv[1]), iterations=3, devices=2)
except KeyboardInterrupt:
    barrier()
trained(Path(sys.argv[1]), iterations=3, devices=2)
assert next(steps) == 5  # two steps, the one that was interrupted, and that one again
"""


def small(**given: Any) -> PairSettings:
    usual: dict[str, Any] = {
        "width": 0.02, "iterations": 6, "batch": 4, "preview_every": 4, "learning_rate": 1e-3,
        "device": "cpu", "save_every": 0.0,
    }  # fmt: skip
    return PairSettings(**usual | given)


def trained(out: Path, **given: Any) -> Path:
    return train_pair(small(**given), TARGET, SOURCE, out, names=("ann", "bob"))


def weights(folder: Path) -> dict[str, Tensor]:
    return load((folder / "weights.safetensors").read_bytes())


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(one, second[name]) for name, one in first.items()
    )


def log(folder: Path) -> list[dict[str, float]]:
    with (folder / "log.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("pair") / "out")


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> "count[int]":
    """Interrupt the fourth step that is taken."""
    steps, step = count(1), SwapLearner.step

    def interrupted(self: SwapLearner, batches: Any) -> Tensor:
        if next(steps) == 4:
            raise KeyboardInterrupt
        return step(self, batches)

    monkeypatch.setattr(SwapLearner, "step", interrupted)
    return steps


def test_training_writes_weights_card_log_and_preview(finished: Path) -> None:
    names = {"card.json", "log.csv", "preview.png", "weights.safetensors"}
    assert {one.name for one in finished.iterdir()} == names
    assert read_png_mark(finished / "preview.png") == "unmask autoencoder original"
    assert read_picture(finished / "preview.png").shape[1] == 6 * 130 - 2


def test_card_tells_what_was_trained_on_what_and_how_it_went(finished: Path) -> None:
    card = read_swap_card(finished)
    network, _ = load_swap(finished)
    assert (card.model, card.width, card.options) == (
        "original",
        0.02,
        {"width": 0.02, "lowmem": False},
    )
    assert (card.input_size, card.output_size) == (64, 64)
    assert card.parameters == sum(one.numel() for one in network.parameters())
    assert (card.coverage, card.padding) == (0.875, 0.5)
    assert (card.iterations, card.stopped_by) == (6, "iterations")
    assert card.steps_per_second == pytest.approx(6 / card.seconds)
    assert card.names == ("ann", "bob")
    assert card.faces == {
        "sha256": [[TARGET.sha256], [SOURCE.sha256]],
        "learned": [29, 24],
        "held_out": [1, 1],
    }
    assert card.settings["learning_rate"] == 1e-3
    assert card.started_from == ""
    last = log(finished)[-1]
    names = ("target", "source", "validation_target", "validation_source")
    assert card.losses == {name: pytest.approx(last[name]) for name in names}


def test_log_has_a_line_for_each_look_and_for_the_end(finished: Path) -> None:
    assert [row["iteration"] for row in log(finished)] == [4, 6]


def test_interrupted_training_continues_to_the_same_bits(
    finished: Path, tmp_path: Path, killed_at: "count[int]"
) -> None:
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path)
    assert not (tmp_path / "card.json").exists()
    trained(tmp_path)
    assert next(killed_at) == 8  # three steps, the one that was killed, and three more
    assert same(weights(tmp_path), weights(finished))
    for row, other in zip(log(tmp_path), log(finished), strict=True):
        for name in ("target", "source", "validation_target", "validation_source"):
            assert row[name] == other[name]
    assert not (tmp_path / "state.pt").exists()


def test_finished_training_returns_at_once(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Side, "batch", lambda *_: pytest.fail("it was trained again"))
    before = (finished / "card.json").stat().st_mtime_ns
    assert trained(finished) == finished
    assert (finished / "card.json").stat().st_mtime_ns == before


def test_how_the_work_is_done_may_change(finished: Path) -> None:
    assert trained(finished, threads=2, save_every=7.0) == finished


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"iterations": 7}, "iterations was 6, not 7"),
        ({"seed": 1}, "seed was 0, not 1"),
        ({"model": "iae"}, "model was 'original', not 'iae'"),
    ],
)
def test_folder_of_another_training_is_refused(
    finished: Path, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"out must be new or hold the same run.*{told}"):
        trained(finished, **given)


def test_folder_of_other_faces_or_people_is_refused(finished: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"hold the same run, got .*, whose faces was"):
        train_pair(small(), SOURCE, TARGET, finished, names=("ann", "bob"))
    with pytest.raises(InvalidInputError, match=r"hold the same run, got .*, whose names was"):
        train_pair(small(), TARGET, SOURCE, finished, names=("ann", "joe"))


def test_state_of_another_training_is_refused(tmp_path: Path, killed_at: "count[int]") -> None:
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path)
    with pytest.raises(InvalidInputError, match="whose seed was 0, not 5; choose another folder"):
        trained(tmp_path, seed=5)


def test_broken_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.pt").write_bytes(b"half")
    with pytest.raises(InvalidInputError, match="state of a run must be as training wrote it, got"):
        trained(tmp_path)


def test_damaged_weights_are_trained_again(tmp_path: Path) -> None:
    trained(tmp_path, iterations=1)
    before = weights(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(b"damaged")
    trained(tmp_path, iterations=1)
    assert same(weights(tmp_path), before)


def test_other_seed_gives_other_weights(tmp_path: Path) -> None:
    first, second = (trained(tmp_path / str(seed), iterations=1, seed=seed) for seed in (1, 2))
    assert not same(weights(first), weights(second))


def test_loss_falls(tmp_path: Path) -> None:
    given = {"iterations": 30, "preview_every": 5, "learning_rate": 3e-3, "save_every": 9.0}
    rows = log(trained(tmp_path, **given))
    for name in ("target", "source", "validation_target", "validation_source"):
        assert rows[-1][name] < 0.8 * rows[0][name]


def test_training_stops_when_the_time_is_over(tmp_path: Path) -> None:
    card = read_swap_card(trained(tmp_path, iterations=10**6, minutes=1e-4))
    assert card.stopped_by == "minutes"
    assert 1 <= card.iterations < 100
    assert len(log(tmp_path)) == 1 + card.iterations // 4 - (card.iterations % 4 == 0)


def test_training_stops_at_a_plateau(tmp_path: Path) -> None:
    # With a rate of nearly nothing, no look is better than the first one.
    given = {"learning_rate": 1e-12, "iterations": 50, "preview_every": 1, "patience": 3}
    card = read_swap_card(trained(tmp_path, **given))
    rows = log(tmp_path)
    losses = [row["validation_target"] + row["validation_source"] for row in rows]
    best = min(range(len(losses)), key=lambda place: losses[place])
    assert card.stopped_by == "plateau"
    assert len(rows) - 1 - best == 3


@pytest.mark.parametrize("model", ["original", "lightweight", "iae", "dfaker", "dfl_h128"])
def test_each_autoencoder_learns_in_all_of_its_layers(model: str, tmp_path: Path) -> None:
    settings = small(model=model, iterations=1, batch=2, learning_rate=1e-2)
    after = weights(train_pair(settings, TARGET, SOURCE, tmp_path))
    with torch.random.fork_rng():
        before = new_network(settings).state_dict()
    assert before.keys() == after.keys()
    assert not [name for name, one in before.items() if torch.equal(one, after[name])]


def test_options_reach_the_autoencoder(tmp_path: Path) -> None:
    out = trained(tmp_path, iterations=1, options=("lowmem=true",))
    assert read_swap_card(out).options == {"width": 0.02, "lowmem": True}
    with pytest.raises(NotFoundError, match="Original has no 'lowmen'; did you mean 'lowmem'"):
        trained(tmp_path / "other", options=("lowmen=true",))


def test_unknown_autoencoder_is_refused_with_the_closest(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no 'dfakr'; did you mean 'dfaker'"):
        trained(tmp_path, model="dfakr")


def test_faces_of_two_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match=r"faces must be equally large, got \[\(64, 64, 3\)"
    ):
        train_pair(small(), TARGET, drawn_faces(1, count=2, size=72), tmp_path)


def test_single_face_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="faces of the source must be 2 or more, got 1"):
        train_pair(small(), TARGET, drawn_faces(1, count=1), tmp_path)


def test_loss_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"loss must stay finite, got .*; lower learning"):
        trained(tmp_path, learning_rate=1e30)


def test_training_leaves_pytorch_and_opencv_as_they_were(tmp_path: Path) -> None:
    import cv2

    torch.manual_seed(5)
    before = torch.get_rng_state(), cv2.getNumThreads()
    trained(tmp_path, iterations=1)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert cv2.getNumThreads() == before[1]
    assert not torch.are_deterministic_algorithms_enabled()


def test_two_processes_that_were_killed_learn_what_one_learns_and_tell_its_losses(
    tmp_path: Path,
) -> None:
    (tmp_path / "child.py").write_text(CHILD)
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"),
        *(str(tmp_path / "child.py"), str(tmp_path / "two")),
    ]
    tests = str(Path(__file__).parent.parent)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": tests}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    trained(tmp_path / "one", iterations=3)
    one, two = log(tmp_path / "one")[-1], log(tmp_path / "two")[-1]
    for name in ("target", "source", "validation_target", "validation_source"):
        assert two[name] == pytest.approx(one[name], rel=1e-4)


def test_setting_that_an_older_release_did_not_know_was_its_default(
    finished: Path, tmp_path: Path
) -> None:
    settings = dict(read_swap_card(finished).settings)
    del settings["eyes"]
    swap_run.refuse_other_pair(tmp_path, settings, {"eyes": 3.0})
    with pytest.raises(InvalidInputError, match=r"whose eyes was 3.0, not 2.0"):
        swap_run.refuse_other_pair(tmp_path, settings, {"eyes": 2.0})


def test_card_is_readable_json(finished: Path) -> None:
    assert json.loads((finished / "card.json").read_text())["format"] == 1
