"""Show, filter, join and split catalogs."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from unmask.catalog import read_catalog
from unmask.cli.verb import say
from unmask.errors import InvalidInputError
from unmask.splitting import split_by_person
from unmask.summary import as_text, summary

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

File = Annotated[Path, typer.Argument(help="The catalog.")]
Out = Annotated[Path, typer.Option(help="The catalog to write.")]


@app.command()
def show(catalog: File) -> None:
    """Count what a catalog holds."""
    Console().print(as_text(summary(read_catalog(catalog))))


@app.command()
def verify(catalog: File) -> None:
    """Look whether every file that a catalog names is there."""
    found = read_catalog(catalog)
    found.check_media()
    say(found)


@app.command("filter")
def keep(
    catalog: File,
    conditions: Annotated[list[str], typer.Argument(help="column=value[,value], such as crf=23.")],
    out: Out,
) -> None:
    """Keep the items whose columns have the values; column= without a value means none."""
    found = read_catalog(catalog)
    kept = found.filter(**dict(_condition(one, found.table.schema) for one in conditions))
    kept.write(out)
    say(kept.moved(out.parent))


@app.command()
def join(
    catalogs: Annotated[list[Path], typer.Argument(help="The catalogs.")],
    out: Out,
) -> None:
    """Put the items of several catalogs into one."""
    first, *others = (read_catalog(one) for one in catalogs)
    whole = first.moved(out.parent).join(*others)
    whole.write(out)
    say(whole)


@app.command()
def split(
    catalog: File,
    out: Out,
    fractions: Annotated[str, typer.Option(help="Shares of train, val, test.")] = "0.7,0.15,0.15",
    crossing: Annotated[
        str, typer.Option(help="Items that join two people: together, or leave_out.")
    ] = "together",
    seed: Annotated[int, typer.Option(help="Who goes where.")] = 0,
) -> None:
    """Split a catalog by person; both persons of a swap go to the same split."""
    if crossing not in ("together", "leave_out"):
        raise InvalidInputError(
            f"crossing must be together or leave_out, got {crossing!r}; choose one"
        )
    try:
        shares = [float(one) for one in fractions.split(",")]
    except ValueError:
        raise InvalidInputError(
            f"fractions must be numbers with commas between, got {fractions!r}; "
            "write for example 0.7,0.15,0.15"
        ) from None
    found = split_by_person(
        read_catalog(catalog),
        seed=seed,
        fractions=shares,
        crossing=crossing,  # type: ignore[arg-type]  # checked above
    )
    found.write(out)
    Console().print(as_text(summary(found)))


def _condition(text: str, kinds: Any) -> tuple[str, object]:
    """Return a column and the values that it may have."""
    name, equals, values = text.partition("=")
    if not equals:
        raise InvalidInputError(
            f"a condition must be column=value, got {text!r}; write for example split=test"
        )
    if not values:
        return name, None
    kind = kinds.get(name)
    read = int if kind and kind.is_integer() else float if kind and kind.is_float() else str
    try:
        return name, [read(one) for one in values.split(",")]
    except ValueError:
        raise InvalidInputError(
            f"{name} must be compared with numbers, got {values!r}; write for example {name}=23"
        ) from None
