"""Parts are found by their names, in their folder and in other installed packages."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.families import Family

PACKAGE = "made_family"
PART = """
from test_families import Animal

class {name}(Animal):
    def sound(self):
        return {sound!r}
"""
HELPER = """
from made_family.cat import Cat
from test_families import Animal

class Feline(Animal):
    pass
"""


class Animal(ABC):
    @abstractmethod
    def sound(self) -> str:
        """Return what it says."""


class Maker:
    """Writes files of a made folder, and packages that are installed beside it."""

    def __init__(self, site: Path) -> None:
        self.site = site
        (site / PACKAGE).mkdir()
        (site / PACKAGE / "__init__.py").touch()

    def file(self, name: str, text: str) -> None:
        (self.site / PACKAGE / f"{name}.py").write_text(text)

    def part(self, name: str, sound: str = "") -> None:
        self.file(name, PART.format(name=name.title(), sound=sound))

    def installed(self, package: str, name: str, target: str, text: str) -> None:
        """Install a package that offers one entry point."""
        (self.site / f"{package}.py").write_text(text)
        info = self.site / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{PACKAGE}]\n{name} = {package}:{target}\n")

    def family(self) -> Family[Animal]:
        return Family(PACKAGE, Animal)  # type: ignore[type-abstract]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield Maker(tmp_path)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def sound(part: type[Animal]) -> str:
    return part().sound()


def test_a_file_is_a_part_under_its_own_name(make: Maker) -> None:
    make.part("cat", "meow")
    make.part("dog", "woof")
    family = make.family()
    assert sound(family["dog"]) == "woof"
    assert list(family) == ["cat", "dog"]
    assert ("cat" in family, "cow" in family) == (True, False)


def test_looking_up_a_part_imports_no_other(make: Maker) -> None:
    make.part("cat", "meow")
    make.file("broken", "raise SystemError")
    assert sound(make.family()["cat"]) == "meow"


def test_a_helper_is_not_a_part(make: Maker) -> None:
    make.part("cat")
    make.file("helper", HELPER)
    family = make.family()
    assert list(family) == ["cat"]
    assert "helper" not in family
    with pytest.raises(NotFoundError, match="made_family has no 'helper'; choose one of cat"):
        family["helper"]


def test_a_misspelt_name_is_answered_with_the_closest_one(make: Maker) -> None:
    make.part("dog")
    make.part("sparrow")
    with pytest.raises(NotFoundError, match=r"made_family has no 'sparow'; did you mean 'sparrow'"):
        make.family()["sparow"]


@pytest.mark.parametrize("name", ["", "../cat", "a.b", "cat.py", "os"])
def test_a_name_that_is_no_file_of_the_folder_is_unknown(make: Maker, name: str) -> None:
    make.part("cat")
    with pytest.raises(NotFoundError, match="made_family has no"):
        make.family()[name]


def test_two_parts_in_one_file_are_refused(make: Maker) -> None:
    two = PART.format(name="Cat", sound="meow") + PART.format(name="Lion", sound="roar")
    make.file("cat", two)
    with pytest.raises(InvalidInputError, match=r"cat must define one Animal, got Cat, Lion; give"):
        make.family()["cat"]


def test_an_installed_package_adds_a_part(make: Maker) -> None:
    make.part("cat")
    make.installed("farm", "cow", "Cow", PART.format(name="Cow", sound="moo"))
    family = make.family()
    assert sound(family["cow"]) == "moo"
    assert list(family) == ["cat", "cow"]
    assert "cow" in family


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "class Cow: pass",
            r"must be a complete Animal, got <class 'farm\.Cow'> from farm",
        ),
        ("from test_families import Animal\nclass Cow(Animal): pass", "must be a complete Animal"),
        ("", r"must load, got AttributeError.* from farm:Cow; update or uninstall its package"),
        ("import nothing_of_the_kind", "must load, got ModuleNotFoundError"),
    ],
)
def test_a_wrong_part_of_another_package_is_refused_and_left_out_of_lists(
    make: Maker, caplog: pytest.LogCaptureFixture, text: str, words: str
) -> None:
    make.part("cat")
    make.installed("farm", "cow", "Cow", text)
    with pytest.raises(InvalidInputError, match=words):
        make.family()["cow"]
    assert list(make.family()) == ["cat"]
    assert "the part 'cow' of made_family must" in caplog.text


def test_a_name_that_two_packages_use_is_refused(make: Maker) -> None:
    make.part("cow")
    make.installed("farm", "cow", "Cow", PART.format(name="Cow", sound="moo"))
    with pytest.raises(InvalidInputError, match=r"got 'cow' in made_family and in farm:Cow; unins"):
        make.family()["cow"]
