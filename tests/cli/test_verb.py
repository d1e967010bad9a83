import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from unmask.catalog import make_catalog
from unmask.cli.verb import say, verb
from unmask.settings import setting


@dataclass(frozen=True)
class WalkSettings:
    place: Path = setting(help="Where to.")
    steps: int = setting(3, "How many.")
    ways: tuple[str, ...] = setting(("left", "right"), "Which ways.")
    fast: bool = setting(False, "Whether to run.")
    speed: float | None = setting(None, "How fast.")


def walk(settings: WalkSettings) -> str:
    """Walk to a place.

    More about it.
    """
    return repr(settings)


def shown(
    *arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.setattr(sys, "argv", ["walk", *arguments])
    with pytest.raises(SystemExit) as ended:
        verb(walk, WalkSettings)()
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_fields_without_a_default_are_arguments_and_others_keep_theirs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown("home", monkeypatch=monkeypatch, capsys=capsys).strip() == repr(
        WalkSettings(Path("home"))
    )


def test_options_are_repeated_or_given_with_commas(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["home", "--ways", "up,down", "--ways", "back", "--fast", "--speed", "2"]
    assert shown(*arguments, monkeypatch=monkeypatch, capsys=capsys).strip() == repr(
        WalkSettings(Path("home"), ways=("up", "down", "back"), fast=True, speed=2.0)
    )


def test_options_win_over_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "walk.toml"
    file.write_text('place = "away"\nsteps = 7\nways = ["up"]\n')
    arguments = ["home", "--config", str(file), "--steps", "9"]
    assert shown(*arguments, monkeypatch=monkeypatch, capsys=capsys).strip() == repr(
        WalkSettings(Path("home"), steps=9, ways=("up",))
    )


def test_help_tells_what_the_verb_does_and_each_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = shown("--help", monkeypatch=monkeypatch, capsys=capsys)
    assert "Walk to a place." in told
    assert "More about it." not in told
    assert "left right" in told


def test_a_catalog_is_told_as_a_count_of_each_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows: list[dict[str, object]] = [
        {"id": "a", "path": "a", "dataset": "d"},
        {"id": "b", "path": "b", "dataset": "d", "status": "no_face", "reason": "none seen"},
        {"id": "c", "path": "c", "dataset": "d"},
    ]
    say(make_catalog(rows, tmp_path))
    assert capsys.readouterr().out == f"3 items (2 ok, 1 no_face) in {tmp_path}\n"
