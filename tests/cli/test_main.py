import subprocess
import sys

import pytest

from unmask.cli.main import Commands, main


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["unmask", *arguments])
    try:
        main()
    except SystemExit as ended:
        return ended.code
    return 0


def test_help_lists_every_command_with_what_it_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--help", monkeypatch=monkeypatch) == 0
    shown = capsys.readouterr().out
    for name in ("catalog", "corpus", "degrade", "demo", "doctor", "faces", "forge", "train"):
        assert name in shown


def test_every_command_shows_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in Commands(name="unmask").list_commands(None):
        assert run(name, "--help", monkeypatch=monkeypatch) == 0
        assert "Usage" in capsys.readouterr().out


def test_help_loads_neither_networks_nor_tables() -> None:
    code = (
        "import sys; sys.argv = ['unmask', '--help']\n"
        "from unmask.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'polars', 'cv2', 'av', 'matplotlib'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip().endswith("[]")


def test_a_misspelt_command_is_answered_with_the_closest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("degarde", monkeypatch=monkeypatch) == 2
    assert "unmask has no 'degarde'; did you mean 'degrade'?" in capsys.readouterr().err


def test_wrong_input_ends_with_its_message_and_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("cut", "absent.parquet", "out", monkeypatch=monkeypatch) == 2
    assert "a catalog file must exist, got absent.parquet" in capsys.readouterr().err


def test_version_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--version", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr().out.startswith("unmask 0.")


def test_an_interruption_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("unmask.cli.main.app", interrupted)
    assert run("demo", monkeypatch=monkeypatch) == 130
    assert "run the same command again to continue" in capsys.readouterr().err
