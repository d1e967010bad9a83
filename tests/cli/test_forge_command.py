"""The groups `forge` and `build` on the command line: every stage's settings in one flat list."""

import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from makers import forgeable
from makers.forgeable import clip_row
from unmask.catalog import read_catalog
from unmask.cli.main import main
from unmask.swapping.convert_settings import ConvertSettings
from unmask.swapping.dfdm import DfdmSettings
from unmask.swapping.encoder import EncoderSettings
from unmask.swapping.forge_swap import SwapSettings
from unmask.swapping.pair_settings import PairSettings

Run = Callable[..., int | str | None]
SMALL = ["--width=0.05", "--iterations=1", "--batch=2", "--face-size=96", "--workers=1"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def ran(*arguments: object) -> int | str | None:
        monkeypatch.setattr(sys, "argv", ["unmask", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    return ran


def drawn(root: Path) -> Path:
    rows = [clip_row(root, one, frames=4, split="train") for one in ("ann", "bob")]
    return forgeable.make(root, *rows)


def test_every_setting_of_training_and_conversion_is_an_option() -> None:
    def names(kind: type) -> set[str]:
        return {one.name for one in fields(kind)}

    assert names(PairSettings) | names(ConvertSettings) < names(SwapSettings)
    assert names(PairSettings) < names(EncoderSettings)
    # `models` stands in the place of `model`: all of them make the same pairs.
    both = names(PairSettings) | names(ConvertSettings)
    assert both - names(DfdmSettings) == {"model"}


def test_swap_is_forged(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = drawn(tmp_path), tmp_path / "out"
    people = ["--catalog", path, "--target", "ann", "--source", "drawn/bob"]
    assert not run("forge", "swap", *people, "--out", out, "--erosion", "0.1", *SMALL)
    assert f"3 items (3 ok) in {out}" in capsys.readouterr().out
    assert read_catalog(out / "catalog.parquet").filter(label=1).table["method"][0] == "original"


def test_people_of_a_swap_must_be_given(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("forge", "swap", "--target", "ann", "--out", tmp_path) == 2
    assert "source must be given, got nothing; Whose face goes in" in capsys.readouterr().err


def test_encoder_is_trained(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not run("forge", "encoder", drawn(tmp_path), tmp_path / "encoder", *SMALL)
    assert str(tmp_path / "encoder") in capsys.readouterr().out
    assert (tmp_path / "encoder" / "weights.safetensors").is_file()


def test_data_set_is_built(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = drawn(tmp_path), tmp_path / "out"
    chosen = ["--models", "iae,original", "--rates", "0", "--rates", "23"]
    assert not run("build", "dfdm", path, "--pairs", 1, "--out", out, *chosen, *SMALL)
    assert f"8 items (8 ok) in {out}" in capsys.readouterr().out


def test_clips_are_forged(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert not run("forge", "clips", drawn(tmp_path), out, "self_blend", "--workers", 1)
    assert f"4 items (4 ok) in {out}" in capsys.readouterr().out
