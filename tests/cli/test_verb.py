import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from unmask.catalog import make_catalog
from unmask.cli.verb import say, verb, verbs
from unmask.errors import InvalidInputError
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


@dataclass(frozen=True)
class GuidedSettings:
    place: Path = setting(help="Where to.")
    guide: str = setting(help="Who knows the way.", named=True)


def test_what_must_be_given_by_name_is_an_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["walk", "home", "--guide", "Ada"])
    with pytest.raises(SystemExit):
        verb(repr, GuidedSettings)()
    assert capsys.readouterr().out.strip() == repr(GuidedSettings(Path("home"), "Ada"))
    monkeypatch.setattr(sys, "argv", ["walk", "home"])
    with pytest.raises(InvalidInputError, match="guide must be given, got nothing; Who knows"):
        verb(repr, GuidedSettings)()


def test_a_group_of_verbs_asks_for_a_name_even_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["go", "long-walk", "home"])
    with pytest.raises(SystemExit):
        verbs("Ways to go.", long_walk=(walk, WalkSettings))()
    assert capsys.readouterr().out.strip() == repr(WalkSettings(Path("home")))


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
