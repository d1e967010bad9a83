"""Settings come from the caller over the file over the defaults, and wrong ones are refused."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from unmask.errors import InvalidInputError, NotFoundError
from unmask.settings import load_settings, read_toml, setting, to_plain


@dataclass(frozen=True)
class Settings:
    catalog: Path = setting(help="the catalog to read")
    workers: int = setting(0, "processes")
    rate: float = setting(0.5, "learning rate")
    loud: bool = setting(False, "whether to say more")
    qualities: tuple[str, ...] = setting(("raw",), "which qualities")
    sizes: tuple[int, ...] = setting((), "which sizes")
    crf: int | None = setting(None, "the H.264 rate")
    name: str = setting("unnamed", "a name")


def file_of(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_caller_comes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    file = file_of(tmp_path, 'catalog = "in.parquet"\nworkers = 3\nrate = 0.25\n')
    loaded = load_settings(Settings, {"workers": 2, "name": None}, file)
    assert loaded == Settings(catalog=Path("in.parquet"), workers=2, rate=0.25)


def test_a_false_of_the_caller_is_a_value(tmp_path: Path) -> None:
    file = file_of(tmp_path, 'catalog = "a"\nloud = true\nworkers = 3\n')
    loaded = load_settings(Settings, {"loud": False, "workers": 0}, file)
    assert (loaded.loud, loaded.workers) == (False, 0)


@pytest.mark.parametrize(
    ("name", "given", "wanted"),
    [
        ("rate", 1, 1.0),
        ("crf", 23, 23),
        ("qualities", ["raw", "c23"], ("raw", "c23")),
        ("qualities", "raw, c23", ("raw", "c23")),
        ("qualities", ["raw,c23", "c40"], ("raw", "c23", "c40")),
        ("qualities", "raw", ("raw",)),
        ("sizes", [64, 128], (64, 128)),
        ("sizes", 64, (64,)),
    ],
)
def test_values_take_the_type_of_their_setting(name: str, given: object, wanted: object) -> None:
    value = getattr(load_settings(Settings, {"catalog": "a", name: given}), name)
    assert value == wanted
    assert type(value) is type(wanted)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("workers", "2", "workers must be of type int, got '2'"),
        ("workers", 2.0, r"workers must be of type int, got 2\.0"),
        ("workers", True, "workers must be of type int, got True"),
        ("rate", True, "rate must be of type float, got True"),
        ("loud", 1, "loud must be of type bool, got 1"),
        ("crf", "23", "crf must be of type int, got '23'"),
        ("sizes", [64, "wide"], "sizes must be of type int, got 'wide'"),
        ("catalog", 3, "catalog must be of type Path, got 3; correct the value"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, given: object, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        load_settings(Settings, {"catalog": "a", name: given})


@pytest.mark.parametrize("place", ["caller", "file"])
def test_a_misspelt_setting_is_answered_with_the_closest_one(tmp_path: Path, place: str) -> None:
    file = file_of(tmp_path, "wrkers = 2" if place == "file" else "")
    given = {"catalog": "a"} | ({"wrkers": 2} if place == "caller" else {})
    with pytest.raises(NotFoundError, match=r"Settings has no 'wrkers'; did you mean 'workers'\?"):
        load_settings(Settings, given, file)


def test_a_missing_setting_is_named_with_its_help() -> None:
    with pytest.raises(InvalidInputError, match="catalog must be given, got nothing; the catalog"):
        load_settings(Settings, {"workers": 2})


def test_a_missing_setting_without_help_is_named() -> None:
    @dataclass(frozen=True)
    class Bare:
        size: int
        names: list[str] = field(default_factory=list)

    with pytest.raises(InvalidInputError, match="size must be given, got nothing; set it"):
        load_settings(Bare, {})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"the settings file must exist, got .*nothing\.toml"):
        read_toml(tmp_path / "nothing.toml")


@pytest.mark.parametrize("content", [b"workers = \n", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"must be TOML, got .*settings\.toml: "):
        load_settings(Settings, {}, path)


def test_plain_settings_load_again_as_they_were() -> None:
    settings = Settings(catalog=Path("a/b"), qualities=("raw", "c23"), crf=40)
    plain = to_plain(settings)
    assert (plain["catalog"], plain["qualities"]) == ("a/b", ["raw", "c23"])
    assert load_settings(Settings, plain) == settings
