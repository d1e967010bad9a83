"""Look at a data set's folder, or at one file, and say what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from unmask.datasets.doctor import examine

SIGNS = {"present": "[green]✓[/]", "missing": "[red]✗[/]", "suspicious": "[yellow]![/]"}

app = typer.Typer(add_completion=False)


@app.command()
def doctor(
    what: Annotated[str, typer.Argument(help="A data set's name with its folder, or one file.")],
    folder: Annotated[Path | None, typer.Argument(help="The data set's folder.")] = None,
    options: Annotated[
        list[str] | None, typer.Option(help="key=value for the data set's reader.")
    ] = None,
) -> None:
    """Say what is there, what is missing and what looks wrong, before hours are lost."""
    findings = (
        examine(what, folder, options or ())
        if folder is not None
        else examine(None, Path(what), options or ())
    )
    console = Console(highlight=False)
    for finding in findings:
        console.print(f"{SIGNS[finding.level]} {escape(finding.what)}", soft_wrap=True)
        if finding.advice:
            console.print(f"  {escape(finding.advice)}", style="dim", soft_wrap=True)
