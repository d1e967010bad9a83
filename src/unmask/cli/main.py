"""The `unmask` command: finds each file of this folder as a command, and says what went wrong."""

import ast
import logging
import os
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from unmask import __version__
from unmask.errors import UnmaskError, unknown_name

FOLDER = Path(__file__).parent
NOT_COMMANDS = {"main", "verb"}


class Commands(TyperGroup):
    """Commands by the names of their files, imported only when they run.

    The stages import PyTorch and more: `unmask --help` answers at once because it only reads the
    first line of each file.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return sorted(
            name for _, name, _ in iter_modules([str(FOLDER)]) if name not in NOT_COMMANDS
        )

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command to be listed: its name and what it does."""
        text = ast.get_docstring(ast.parse((FOLDER / f"{cmd_name}.py").read_text(encoding="utf-8")))
        return TyperCommand(cmd_name, help=(text or "").splitlines()[0])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command to be run, with its arguments."""
        name = args[0]
        if name not in self.list_commands(ctx):
            raise unknown_name("unmask", name, self.list_commands(ctx))
        app = import_module(f"unmask.cli.{name}").app
        return name, typer.main.get_command(app), args[1:]


app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode="markdown"
)


@app.callback()
def unmask(
    quiet: bool = typer.Option(False, "--quiet", "-q", help="Say only what is wrong."),
    version: bool = typer.Option(False, "--version", help="Print the version and stop."),
) -> None:
    """Deepfake data sets and detectors: make, degrade, prepare, train and compare."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("unmask").setLevel(logging.WARNING if quiet else logging.INFO)


def main() -> None:
    """Run the command line; a wrong input ends it with a message and the exit code 2."""
    # Threads that wait without spinning lose less beside other work; it is read as PyTorch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.argv[1:] == ["--version"]:
        print(f"unmask {__version__}")
        return
    try:
        app()
    except UnmaskError as error:
        print(f"unmask: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        print(
            f"unmask: {error}; free space or choose another folder, then run the same command "
            "again to continue",
            file=sys.stderr,
        )
        sys.exit(2)
    except KeyboardInterrupt:
        print("unmask: interrupted; run the same command again to continue", file=sys.stderr)
        sys.exit(130)
