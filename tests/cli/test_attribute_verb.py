from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from makers.prepared_faces import Prepared, make_prepared
from makers.tinted_fakes import card_of_tints
from unmask.cli.attribute import app
from unmask.detectors.create import create_detector
from unmask.errors import InvalidInputError
from unmask.training.checkpoint import save_checkpoint

METHODS = ("chequers", "dots", "lines")


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    """Return prepared faces, whose fakes are of three makers in turn."""
    changes = {f"fake/p{n}_raw.mp4": {"method": METHODS[n % 3]} for n in range(12)}
    return make_prepared(tmp_path, persons=12, frames=2, changes=changes)


def save_network(folder: Path, classes: tuple[str, ...], target: str) -> Path:
    torch.manual_seed(0)
    sized: dict[str, Any] = {"size": 32, "width": 0.125, "frames": 2}
    detector = create_detector("dma_sta", classes=classes, **sized)
    trained_on = {"dataset": "other", "qualities": [], "methods": [], "target": target}
    said = {"detector_settings": sized, "trained_on": trained_on}
    save_checkpoint(folder, detector, card_of_tints(detector, name="dma_sta", **said))
    return folder


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_makers_are_counted_on_the_screen_and_listed_in_files(
    prepared: Prepared, tmp_path: Path
) -> None:
    network = save_network(tmp_path / "net", ("chequers", "lines"), "method")
    told = run("calibrate", network, *(prepared.catalog, prepared.faces), "--held-out", "dots")
    assert "of 2 videos of known makers and refuses" in told
    assert (network / "open_set.json").is_file()
    out = tmp_path / "out"
    told = run("videos", network, prepared.catalog, prepared.faces, out, "--split", "test")
    assert told.splitlines()[0].split() == ["maker", "videos", "median", "confidence", "seen"]
    assert [line.split()[:3] for line in told.splitlines() if "none:" in line] == [
        ["none:", "real", "2"]
    ]
    assert told.splitlines()[-1] == f"attributions in {out}"
    assert (out / "attributions.csv").is_file()
    assert (out / "attributions.parquet").is_file()


def test_a_detector_of_fakes_is_refused(prepared: Prepared, tmp_path: Path) -> None:
    network = save_network(tmp_path / "net", ("real", "fake"), "label")
    with pytest.raises(InvalidInputError, match="a checkpoint must tell makers apart"):
        run("videos", network, prepared.catalog, prepared.faces, tmp_path / "out")
