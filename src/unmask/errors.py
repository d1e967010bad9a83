"""The errors of Unmask: each says what must hold, what came, and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class UnmaskError(Exception):
    """The base of every error that Unmask raises on purpose."""


class InvalidInputError(UnmaskError, ValueError):
    """A value, file or table is not what the call needs."""


class UnreadableMediaError(InvalidInputError):
    """A video or an image cannot be decoded."""


class NotFoundError(UnmaskError, LookupError):
    """A name, file or folder does not exist."""


class WorkerLostError(UnmaskError):
    """A worker process died: killed, or out of memory."""


class MissingDependencyError(UnmaskError, ImportError):
    """An optional package is needed and not installed."""


def unknown_name(place: str, name: str, known: Iterable[str]) -> NotFoundError:
    """Return the error for a misspelt name, with the closest known one.

    Example:
        >>> print(unknown_name("unmask.degrade", "c32", ["c23", "c40"]))
        unmask.degrade has no 'c32'; did you mean 'c23'?
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        hint = f"did you mean {close[0]!r}?"
    else:
        hint = f"choose one of {', '.join(names)}" if names else "there is none yet"
    return NotFoundError(f"{place} has no {name!r}; {hint}")


def missing_extra(package: str, extra: str, purpose: str) -> MissingDependencyError:
    """Return the error for an optional package that is not installed."""
    return MissingDependencyError(
        f"{purpose} needs the package {package}, which is not installed; "
        f"run: pip install 'unmask[{extra}]'"
    )
