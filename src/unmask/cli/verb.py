"""Commands made from settings dataclasses: fields without a default are their arguments."""

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from inspect import Parameter, Signature
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import typer

from unmask.catalog import Catalog
from unmask.settings import load_settings

Settings = TypeVar("Settings")


def verb(run: Callable[[Settings], object], kind: type[Settings]) -> typer.Typer:
    """Return a command-line application that fills in settings and runs one verb.

    Args:
        run: the verb.
        kind: its frozen dataclass of settings.
    """
    app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
    app.command()(_command(run, kind))
    return app


def verbs(help_text: str, **commands: tuple[Callable[[Any], object], type]) -> typer.Typer:
    """Return a command-line application of several verbs.

    Args:
        help_text: what they are.
        commands: each verb and its frozen dataclass of settings by name; `_` is said as `-`.
    """
    app = typer.Typer(
        add_completion=False, no_args_is_help=True, rich_markup_mode="markdown", help=help_text
    )
    for name, (run, kind) in commands.items():
        app.command(name.replace("_", "-"))(_command(run, kind))

    @app.callback()
    def group() -> None:
        # Without it Typer drops the name where there is one verb only.
        pass

    return app


def _command(run: Callable[[Any], object], kind: type) -> Callable[..., None]:
    hints = get_type_hints(kind)
    known = fields(kind)

    def command(config: Path | None = None, **values: object) -> None:
        say(run(load_settings(kind, values, config)))

    parameters = [_parameter(one, hints[one.name]) for one in known]
    settings_file = Annotated[
        Path | None, typer.Option(help="A TOML file of these settings; options given here win.")
    ]
    parameters.append(
        Parameter("config", Parameter.KEYWORD_ONLY, default=None, annotation=settings_file)
    )
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    command.__doc__ = (run.__doc__ or "").split("\n\n")[0]
    return command


def say(result: object) -> None:
    """Print what a verb made: a catalog in one line, anything else as text."""
    if isinstance(result, Catalog):
        counts = result.table["status"].value_counts(sort=True).rows()
        told = ", ".join(f"{count} {status}" for status, count in counts)
        result = f"{len(result)} items ({told or 'none'}) in {result.root}"
    if result is not None:
        print(result)


def _parameter(one: "Field[Any]", kind: Any) -> Parameter:
    help_text = one.metadata.get("help", "")
    flat = _optional(kind)
    if one.default is MISSING and one.default_factory is MISSING:
        # The settings file may hold it: `load_settings` says what is missing.
        kind_of = typer.Option if one.metadata.get("named") else typer.Argument
        argument = Annotated[flat | None, kind_of(help=help_text, show_default=False)]  # type: ignore[valid-type]
        return Parameter(one.name, Parameter.KEYWORD_ONLY, default=None, annotation=argument)
    shown = _shown(one.default)
    option = Annotated[flat | None, typer.Option(help=help_text, show_default=shown)]  # type: ignore[valid-type]
    return Parameter(one.name, Parameter.KEYWORD_ONLY, default=None, annotation=option)


def _optional(kind: Any) -> Any:
    """Return the type that the command line reads: tuples are given by repeating an option."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    return list[get_args(kind)[0]] if get_origin(kind) is tuple else kind  # type: ignore[misc]


def _shown(default: object) -> str | bool:
    if default in (None, MISSING, ()):
        return False
    return " ".join(map(str, default)) if isinstance(default, tuple) else str(default)
