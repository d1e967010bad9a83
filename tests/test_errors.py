"""Errors say what must hold, what came and what to do, and they travel between processes."""

import pickle

import pytest

from unmask import errors
from unmask.errors import (
    InvalidInputError,
    MissingDependencyError,
    NotFoundError,
    UnmaskError,
    missing_extra,
    unknown_name,
)

KINDS = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, UnmaskError)
]


def test_a_misspelt_name_is_answered_with_the_closest_one() -> None:
    error = unknown_name("unmask.attacks", "fgms", ["pgd", "fgsm", "nes"])
    assert isinstance(error, NotFoundError)
    assert str(error) == "unmask.attacks has no 'fgms'; did you mean 'fgsm'?"


def test_a_name_like_no_other_is_answered_with_all_of_them_in_order() -> None:
    error = unknown_name("unmask.degrade", "zzz", ["raw", "c40", "c23"])
    assert str(error) == "unmask.degrade has no 'zzz'; choose one of c23, c40, raw"


def test_where_there_are_no_names_that_is_said() -> None:
    assert str(unknown_name("unmask.attacks", "fgsm", [])).endswith("; there is none yet")


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    error = missing_extra("dlib-bin", "landmarks", "finding 68 landmarks")
    assert isinstance(error, MissingDependencyError)
    assert str(error) == (
        "finding 68 landmarks needs the package dlib-bin, which is not installed; "
        "run: pip install 'unmask[landmarks]'"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_travels_between_processes_unchanged(kind: type[UnmaskError]) -> None:
    sent = kind("size must be even, got 3; add 1")
    sent.add_note("while working on a.mp4")
    received = pickle.loads(pickle.dumps(sent))
    assert (type(received), str(received)) == (kind, str(sent))
    assert received.__notes__ == ["while working on a.mp4"]


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (InvalidInputError, ValueError),
        (NotFoundError, LookupError),
        (MissingDependencyError, ImportError),
    ],
)
def test_errors_can_be_caught_as_the_builtin_ones(
    kind: type[UnmaskError], builtin: type[Exception]
) -> None:
    assert issubclass(kind, builtin)
