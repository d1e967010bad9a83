"""What a part takes beside its input, written as text: `blending=poisson`."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from inspect import signature
from typing import Any

from unmask.errors import InvalidInputError, unknown_name

Value = str | int | float | bool
WORDS = {"true": True, "false": False}
WANTED = {int: "a whole number", float: "a number", bool: "true or false"}


def parse_options(part: type, options: Iterable[str]) -> dict[str, Value]:
    """Return all keyword arguments of a part's constructor, those given over its defaults.

    Args:
        part: the class.
        options: `name=value` each.

    Raises:
        NotFoundError: if the part takes nothing of that name; the message has the closest.
        InvalidInputError: if an option is not `name=value`, or the value is of another type.

    Example:
        >>> class Part:
        ...     def __init__(self, *, feather: float = 0.3, match: bool = True) -> None: ...
        >>> parse_options(Part, ["feather=0.5"])
        {'feather': 0.5, 'match': True}
    """
    parameters = signature(part, eval_str=True).parameters
    values: dict[str, Value] = {name: one.default for name, one in parameters.items()}
    for option in options:
        name, separator, text = option.partition("=")
        if not separator:
            raise InvalidInputError(
                f"an option must be name=value, got {option!r}; "
                f"choose from {', '.join(parameters) or 'none, as there are no options'}"
            )
        if name not in parameters:
            raise unknown_name(f"the method {part.__name__}", name, parameters)
        values[name] = _value(name, text.strip(), parameters[name].annotation)
    return values


def _value(name: str, text: str, kind: Any) -> Value:
    try:
        value: Value = _reader_of(kind)(text)
    except (ValueError, KeyError, ZeroDivisionError):
        raise InvalidInputError(
            f"{name} must be {WANTED.get(kind, 'text')}, got {text!r}; correct the value"
        ) from None
    return value


def _reader_of(kind: Any) -> Callable[[str], Value]:
    if kind is bool:
        return lambda text: WORDS[text.lower()]
    if kind is float:  # 8/255 is how the field writes a change of eight grey levels
        return lambda text: float(Fraction(text)) if "/" in text else float(text)
    return kind if kind in (int, str) else str
