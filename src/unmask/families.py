"""A family: all parts of one kind, each found by its name."""

import logging
from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from inspect import isabstract
from pkgutil import iter_modules
from typing import Generic, TypeVar

from unmask.errors import InvalidInputError, unknown_name

logger = logging.getLogger(__name__)

Part = TypeVar("Part")


class Family(Generic[Part]):
    """The parts in one folder, and those that other packages offer as entry points.

    A part is the one concrete subclass of `base` that a file defines, and its name is the file's.
    An installed package adds its own with an entry point in the group named as the folder
    (`unmask.detectors`).

    Args:
        package: the folder, as a package name.
        base: the abstract class that each part fills in.
    """

    def __init__(self, package: str, base: type[Part]) -> None:
        self.package = package
        self.base = base

    def __iter__(self) -> Iterator[str]:
        """Yield the names in order."""
        return iter(sorted(self.parts))

    def __contains__(self, name: object) -> bool:
        return (name in self._modules and self._own(str(name)) is not None) or (
            name in self._offered.names
        )

    def __getitem__(self, name: str) -> type[Part]:
        """Return the class of that name; of the folder, only its file is imported.

        Raises:
            NotFoundError: if there is none; the message has the closest name.
            InvalidInputError: if two packages use the name, or the part breaks the rules.
        """
        own = self._own(name) if name in self._modules else None
        offered = list(self._offered.select(name=name))
        places = [self.package] * (own is not None) + [point.value for point in offered]
        if len(places) > 1:
            raise InvalidInputError(
                f"each part of {self.package} must have a name of its own, got {name!r} in "
                f"{' and in '.join(places)}; uninstall the package of one of them"
            )
        if own is not None:
            return own
        if offered:
            return self._loaded(offered[0])
        raise unknown_name(self.package, name, self)

    @cached_property
    def parts(self) -> dict[str, type[Part]]:
        """All parts by name; looking at this imports every file of the folder.

        A part of another package that cannot be loaded is logged and left out.
        """
        found = {name: part for name in self._modules if (part := self._own(name)) is not None}
        for point in self._offered:
            try:
                found.setdefault(point.name, self._loaded(point))
            except InvalidInputError as error:
                logger.warning("%s", error)
        return found

    @cached_property
    def _modules(self) -> list[str]:
        return [module.name for module in iter_modules(import_module(self.package).__path__)]

    @cached_property
    def _offered(self) -> EntryPoints:
        return entry_points(group=self.package)

    def _own(self, name: str) -> type[Part] | None:
        """Return the part that a file of the folder defines, or None if it is a helper."""
        module = import_module(f"{self.package}.{name}")
        found = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, self.base)
            and value.__module__ == module.__name__
            and not isabstract(value)
        ]
        if len(found) > 1:
            raise InvalidInputError(
                f"{module.__name__} must define one {self.base.__name__}, got "
                f"{', '.join(part.__name__ for part in found)}; give each its own file"
            )
        return found[0] if found else None

    def _loaded(self, point: EntryPoint) -> type[Part]:
        try:
            part = point.load()
        except (ImportError, AttributeError) as error:
            raise InvalidInputError(
                f"the part {point.name!r} of {self.package} must load, got {error!r} from "
                f"{point.value}; update or uninstall its package"
            ) from error
        if not (isinstance(part, type) and issubclass(part, self.base)) or isabstract(part):
            raise InvalidInputError(
                f"the part {point.name!r} of {self.package} must be a complete "
                f"{self.base.__name__}, got {part!r} from {point.value}; update or uninstall its "
                "package"
            )
        return part
