import platform
import re
from datetime import UTC, datetime

from unmask.provenance import now, this_commit, versions


def test_commit_is_a_hash_or_a_release() -> None:
    assert re.fullmatch(r"[0-9a-f]{40}(\+changes)?|release .+", this_commit())


def test_versions_name_python_and_the_libraries() -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert {"unmask", "numpy", "torch", "polars"} <= set(found)


def test_time_is_of_utc_to_the_second() -> None:
    assert abs((datetime.fromisoformat(now()) - datetime.now(UTC)).total_seconds()) < 5
