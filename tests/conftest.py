"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real clips and weights, or skip the test where it is absent."""
    folder = Path(os.environ.get("UNMASK_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("the shared clips and weights are not beside this checkout")
    return folder
