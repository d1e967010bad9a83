"""From JSON to frozen dataclasses, by the types of their fields."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from unmask.errors import InvalidInputError, unknown_name

Record = TypeVar("Record")


def decoded(kind: type[Record], value: object, *, file: str) -> Record:
    """Return a JSON object as a dataclass, with the dataclasses, lists and tables inside it.

    Args:
        kind: the dataclass.
        value: what the JSON file holds.
        file: its name, for the messages.

    Raises:
        InvalidInputError: if a key is unknown, missing or of another type; the message has the
            file and the key.
    """
    record: Record = _decoded(kind, value, file, "")
    return record


def _decoded(kind: Any, value: Any, file: str, key: str) -> Any:
    """Return a JSON value as the type that a field asks for."""
    if is_dataclass(kind) and isinstance(value, dict):
        return _decoded_record(kind, value, file, key)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(value, list):
        return tuple(
            _decoded(inner[0], one, file, f"{key}[{place}]") for place, one in enumerate(value)
        )
    if origin is Mapping and isinstance(value, dict):
        return {name: _decoded(inner[1], one, file, f"{key}.{name}") for name, one in value.items()}
    if origin is UnionType and value is None:
        return None
    wanted = inner[0] if origin is UnionType else kind
    if origin is Literal and value in inner:
        return value
    if wanted is Any or (isinstance(wanted, type) and _is_of(wanted, value)):
        return float(value) if wanted is float else value
    raise InvalidInputError(
        f"{file}: {key or 'the whole'} must be {_described(wanted)}, got {value!r}; "
        "correct the file or measure it again"
    )


def _decoded_record(kind: Any, value: Mapping[str, Any], file: str, key: str) -> Any:
    hints, known = get_type_hints(kind), {one.name: one for one in fields(kind)}
    start = f"{key}." if key else ""
    for name in value:
        if name not in known:
            raise InvalidInputError(
                f"{unknown_name(f'{file}: {key or kind.__name__}', name, known)}"
            )
    for name, one in known.items():
        if name not in value and one.default is MISSING and one.default_factory is MISSING:
            raise InvalidInputError(
                f"{file}: {start}{name} must be given, got nothing; measure it again"
            )
    return kind(
        **{name: _decoded(hints[name], one, file, start + name) for name, one in value.items()}
    )


def _is_of(wanted: type, value: object) -> bool:
    allowed = (int, float) if wanted is float else wanted
    return isinstance(value, allowed) and (wanted is bool or not isinstance(value, bool))


def _described(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(get_args(kind))}"
    if get_origin(kind) is tuple:
        return "a list"
    if is_dataclass(kind) or get_origin(kind) is Mapping:
        return "an object"
    names = {str: "text", float: "a number", int: "a whole number", bool: "true or false"}
    return names.get(kind, str(kind))
