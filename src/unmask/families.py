"""A family: all parts of one kind, each found by its name."""

from collections.abc import Iterator
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoints, entry_points
from inspect import isabstract
from pkgutil import iter_modules
from typing import Generic, TypeVar

from unmask.errors import InvalidInputError, unknown_name

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
        return iter(sorted(self.parts))

    def __getitem__(self, name: str) -> type[Part]:
        """Return the class of that name.

        Raises:
            NotFoundError: if there is none; the message has the closest name.
        """
        if name.isidentifier() and name in self._modules:
            found = self._defined_in(f"{self.package}.{name}")
            if found is not None:
                return found
        if name not in self.parts:
            raise unknown_name(self.package, name, self.parts)
        return self.parts[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules or name in self.parts

    @cached_property
    def parts(self) -> dict[str, type[Part]]:
        """All parts by name; looking at this imports every file of the folder."""
        own = {name: self._defined_in(f"{self.package}.{name}") for name in self._modules}
        offered = {point.name: self._checked(point.load()) for point in self._offered}
        return {name: part for name, part in own.items() if part is not None} | offered

    @cached_property
    def _modules(self) -> list[str]:
        return [module.name for module in iter_modules(import_module(self.package).__path__)]

    @property
    def _offered(self) -> EntryPoints:
        return entry_points(group=self.package)

    def _defined_in(self, module_name: str) -> type[Part] | None:
        module = import_module(module_name)
        found = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, self.base)
            and value.__module__ == module_name
            and not isabstract(value)
        ]
        if len(found) > 1:
            raise InvalidInputError(
                f"{module_name} must define one {self.base.__name__}, got "
                f"{', '.join(part.__name__ for part in found)}; give each its own file"
            )
        return found[0] if found else None

    def _checked(self, part: object) -> type[Part]:
        if not (isinstance(part, type) and issubclass(part, self.base)):
            raise InvalidInputError(
                f"an entry point of {self.package} must be a {self.base.__name__}, got {part!r}; "
                "correct the package that offers it"
            )
        return part
