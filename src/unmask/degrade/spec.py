"""A chain of degradations written as text: `c23`, `jpeg:50`, `resize:4+noise:5+c40`."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import get_type_hints

import numpy as np

from unmask.contracts import Degradation, Image
from unmask.degrade import DEGRADATIONS
from unmask.errors import InvalidInputError, unknown_name

RAW = "raw"
NAMED = ("raw", "c0", "c10", "c23", "c40")
RATE = re.compile(r"c(\d+)")

Value = int | float | bool


@dataclass(frozen=True)
class Chain:
    """Degradations one after the other.

    Args:
        name: the text that names the chain in one way only; it can be a folder's name, and is
            the `quality` of what the chain makes.
        steps: the degradations; none leave the frames as they are.
    """

    name: str
    steps: tuple[Degradation, ...]

    @property
    def crf(self) -> int | None:
        """The H.264 rate at which the result is to be written; None for without loss."""
        return self.steps[-1].crf if self.steps else None

    def __call__(self, frames: Iterable[Image], random: np.random.Generator) -> Iterator[Image]:
        """Yield the frames (H, W, 3) uint8 RGB after all steps, all of them in memory."""
        return _run(self.steps, frames, random)

    def before_writing(
        self, frames: Iterable[Image], random: np.random.Generator
    ) -> Iterator[Image]:
        """Yield the frames that, written at the rate `crf`, become the result.

        A compression in the last place is left to the writing, so that it happens only once.
        """
        return _run(self.steps if self.crf is None else self.steps[:-1], frames, random)


def parse_degradation(text: str) -> Chain:
    """Return the chain that a text names.

    Steps are joined by `+` and done from left to right. A step is `raw` (or `c0`: nothing is
    lost), `c` with an H.264 rate, or the name of a degradation with what its class takes, behind
    colons: first the number that says how strong it is, then `name=number`, or the name of a
    flag that is to be on. Dashes do as well as colons.

    Raises:
        NotFoundError: if there is no such degradation or parameter; the message has the closest.
        InvalidInputError: if a value is no number or out of range, or if a step is empty.

    Example:
        >>> parse_degradation("h264:23+h264:40").name, parse_degradation("jpeg:50").name
        ('c23+c40', 'jpeg-50')
        >>> parse_degradation("block_wise:5:paper_quirks+c40").crf
        40
        >>> parse_degradation("c0").name
        'raw'
    """
    steps = [step for part in text.strip().split("+") if (step := _step(part.strip(), text))]
    return Chain("+".join(name for name, _ in steps) or RAW, tuple(step for _, step in steps))


def _run(
    steps: Iterable[Degradation], frames: Iterable[Image], random: np.random.Generator
) -> Iterator[Image]:
    steps = tuple(steps)
    # Each step draws from a stream of its own: how far ahead another reads changes nothing.
    for step, own in zip(steps, random.spawn(len(steps)), strict=True):
        frames = step(frames, own)
    return iter(frames)


def _step(part: str, text: str) -> tuple[str, Degradation] | None:
    """Return the name and the degradation of one step, or None for `raw`."""
    if part in (RAW, "c0"):
        return None
    if rate := RATE.fullmatch(part):
        part = f"h264:{rate[1]}"
    name, *words = re.split("[:-]", part)
    if not name or "" in words:
        raise InvalidInputError(
            f"a degradation must be like c23, jpeg:50 or resize:4+c40, got {text!r}; "
            "name each step and its value"
        )
    if not name.isidentifier() or name not in DEGRADATIONS:
        raise unknown_name("unmask.degrade", name, [*DEGRADATIONS, *NAMED])
    kind = DEGRADATIONS[name]
    values = _values(kind, name, words)
    return _canonical(kind, name, values), kind(**values)


def _values(kind: type[Degradation], name: str, words: list[str]) -> dict[str, Value]:
    """Return what the class takes, its defaults included, in its own order."""
    parameters = signature(kind).parameters
    hints = get_type_hints(kind.__init__)
    values = {key: one.default for key, one in parameters.items()}
    for word in words:
        key, _, value = word.partition("=")
        if word[0].isdigit() or word[0] == ".":
            key, value = next(iter(parameters), word), word
        if key not in parameters:
            raise unknown_name(f"the degradation {name}", key, parameters)
        values[key] = _value(hints[key], name, key, value)
    return values


def _value(kind: type, name: str, key: str, text: str) -> Value:
    if kind is bool and text in ("", "true", "false"):
        return text != "false"
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        wanted = {int: "a whole number", bool: "true or false"}.get(kind, "a number")
        raise InvalidInputError(
            f"{key} of {name} must be {wanted}, got {text!r}; correct it"
        ) from None


def _canonical(kind: type[Degradation], name: str, values: dict[str, Value]) -> str:
    """Return the step's one name: its strength always, the rest where it is not the default."""
    if name == "h264" and values["crf"]:
        return f"c{values['crf']}"
    words = [name]
    for key, one in signature(kind).parameters.items():
        if one.kind is Parameter.POSITIONAL_OR_KEYWORD:
            words.append(_text(values[key]))
        elif values[key] is True and not one.default:
            words.append(key)
        elif values[key] != one.default:
            words.append(f"{key}={_text(values[key])}")
    return "-".join(words)


def _text(value: Value) -> str:
    # Without an exponent, whose dash would read as the end of the value.
    return (
        str(value).lower()
        if isinstance(value, bool)
        else np.format_float_positional(value, trim="-")
    )
