"""Settings of a command: one frozen dataclass, filled from the call, a TOML file and defaults."""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from unmask.errors import InvalidInputError, NotFoundError, unknown_name

Settings = TypeVar("Settings")


def setting(
    default: Any = MISSING,
    help: str = "",  # noqa: A002  the command line's word
    *,
    named: bool = False,
) -> Any:
    """Return a dataclass field.

    Args:
        default: its value where nothing is given; without it, it must be given.
        help: what the command line says of it.
        named: whether it is an option, such as `--victim`, even where it must be given.
    """
    return field(default=default, metadata={"help": help, "named": named})


def load_settings(
    kind: type[Settings], values: Mapping[str, object], file: Path | None = None
) -> Settings:
    """Return settings: `values` over those of the TOML file over the defaults.

    Args:
        kind: the frozen dataclass.
        values: what the caller gave; None means not given.
        file: a TOML file whose keys are the names of the fields.

    Raises:
        NotFoundError: if the file or a key does not exist.
        InvalidInputError: if the file is not TOML, a value has the wrong type or one is missing.
    """
    given = {name: value for name, value in values.items() if value is not None}
    merged = (read_toml(file) if file else {}) | given
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    for name in merged:
        if name not in known:
            raise unknown_name(kind.__name__, name, known)
    for name, one in known.items():
        if name not in merged and one.default is MISSING and one.default_factory is MISSING:
            raise InvalidInputError(
                f"{name} must be given, got nothing; {one.metadata.get('help') or 'set it'}"
            )
    hints = get_type_hints(kind)
    return kind(**{name: _converted(name, value, hints[name]) for name, value in merged.items()})


def to_plain(settings: Any) -> dict[str, Any]:
    """Return the settings as JSON and TOML can hold them: paths as text, tuples as lists."""

    def plain(value: object) -> object:
        if isinstance(value, Path):
            return value.as_posix()
        return [plain(one) for one in value] if isinstance(value, tuple | list) else value

    return {name: plain(value) for name, value in asdict(settings).items()}


def read_toml(file: Path) -> dict[str, Any]:
    """Return what a TOML file says.

    Raises:
        NotFoundError: if the file does not exist.
        InvalidInputError: if it is not TOML.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFoundError(f"the settings file must exist, got {file}; check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"the settings file must be TOML, got {file}: {error}; correct that line"
        ) from None


def _converted(name: str, value: object, kind: Any) -> object:
    if get_origin(kind) in (Union, UnionType):
        if value is None:
            return None
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is tuple:
        several = value if isinstance(value, list | tuple) else [value]
        # Text may hold several values with commas between: --qualities c23,c40.
        value = [
            part.strip() if isinstance(part, str) else part
            for one in several
            for part in (one.split(",") if isinstance(one, str) else [one])
        ]
        return tuple(_converted(name, one, get_args(kind)[0]) for one in value)
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
        return value
    raise InvalidInputError(
        f"{name} must be of type {kind.__name__}, got {value!r}; correct the value"
    )
