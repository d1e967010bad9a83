"""Opening a data set by its name, with options written as text."""

from collections.abc import Iterable
from inspect import signature
from pathlib import Path
from typing import get_type_hints

from unmask.contracts import VideoDataset
from unmask.datasets import DATASETS
from unmask.errors import InvalidInputError, unknown_name


def open_dataset(name: str, path: Path, options: Iterable[str] = ()) -> VideoDataset:
    """Return the reader of a data set on disk.

    Args:
        name: of the data set: the name of its file in `unmask.datasets`.
        path: its folder.
        options: `key=value` for what its class takes besides the folder.

    Raises:
        NotFoundError: if there is no such data set, option or folder; a name that is misspelt is
            answered with the closest one.
        InvalidInputError: if an option is not of that form, or its value is wrong.
    """
    kind = DATASETS[name]
    hints = get_type_hints(kind.__init__)
    known = {key: hints[key] for key in signature(kind).parameters if key != "root"}
    values = {}
    for option in options:
        key, is_given, value = option.partition("=")
        if key not in known and known:
            raise unknown_name(f"the data set {name}", key, known)
        if key not in known or not is_given:
            raise InvalidInputError(
                f"options must be like key=value, got {option!r} for {name}; "
                f"its keys are {', '.join(known) or 'none'}"
            )
        values[key] = Path(value) if known[key] in (Path, Path | None) else value
    return kind(path, **values)
