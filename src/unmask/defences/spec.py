"""Purifiers written as text: `jpeg:75+median:3`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature

from unmask.defences import PURIFIERS
from unmask.errors import InvalidInputError, unknown_name
from unmask.options import Value, parse_options
from unmask.torch_contracts import Purifier


@dataclass(frozen=True)
class Chain:
    """Purifiers one after the other.

    Args:
        name: the text that names the chain in one way only; it can be part of a folder's name.
        steps: the purifiers.
    """

    name: str
    steps: tuple[Purifier, ...]


def parse_purifiers(text: str) -> Chain:
    """Return the purifiers that a text names.

    They are joined by `+` and used from left to right. Behind a name and a colon stands the first
    value that its class takes, then `name=value` for others. Dashes do as well as colons.

    Raises:
        NotFoundError: if there is no such purifier or value; the message has the closest.
        InvalidInputError: if a value is of another type or out of range, or a purifier is empty.

    Example:
        >>> parse_purifiers("jpeg:75+resize_pad").name
        'jpeg-75+resize_pad-0.9'
    """
    names, steps = zip(*(_step(part.strip(), text) for part in text.split("+")), strict=True)
    return Chain("+".join(names), steps)


def _step(part: str, text: str) -> tuple[str, Purifier]:
    name, *words = re.split("[:-]", part)
    if not name or "" in words:
        raise InvalidInputError(
            f"purifiers must be like jpeg:75 or median:3+bit_depth:4, got {text!r}; "
            "name each and its value"
        )
    if not name.isidentifier() or name not in PURIFIERS:
        raise unknown_name("unmask.defences", name, PURIFIERS)
    kind = PURIFIERS[name]
    first = next(iter(signature(kind).parameters), "value")
    options = [word if "=" in word else f"{first}={word}" for word in words]
    values = parse_options(kind, options)
    return _canonical(kind, name, values), kind(**values)


def _canonical(kind: type[Purifier], name: str, values: Mapping[str, Value]) -> str:
    """Return the one name of a purifier: its first value always, others unless the default."""
    words = [name]
    for place, (key, parameter) in enumerate(signature(kind).parameters.items()):
        if place == 0:
            words.append(f"{values[key]}")
        elif values[key] != parameter.default:
            words.append(f"{key}={values[key]}")
    return "-".join(words)
