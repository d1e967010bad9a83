"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Tests compute little at a time: a second thread mostly waits, and beside other work for long.
# PyTorch reads it when it is loaded, in the processes that tests start, too.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real clips and weights, or skip the test where it is absent."""
    folder = Path(os.environ.get("UNMASK_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("the shared clips and weights are not beside this checkout")
    return folder
