"""Where a figure comes from: the commit, the versions and the time."""

import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from unmask import __version__

LIBRARIES = (
    *("av", "lightning-fabric", "numpy", "onnxruntime", "opencv-python-headless"),
    *("polars", "timm", "torch"),
)


def this_commit() -> str:
    """Return the commit of this code, with `+changes` where files differ from it.

    An installed package that is no checkout gives its release.
    """
    here = Path(__file__).parent
    if _git(here, "ls-files", "--error-unmatch", Path(__file__).name) is None:
        return f"release {__version__}"
    commit = _git(here, "rev-parse", "HEAD") or f"release {__version__}"
    changed = _git(here, "status", "--porcelain", "--untracked-files=no", ".")
    return f"{commit}+changes" if changed else commit


def versions() -> dict[str, str]:
    """Return the versions of Python, of this package and of the libraries that are installed."""
    found = {"python": platform.python_version(), "unmask": __version__}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an extra that is not installed
            continue
    return found


def now() -> str:
    """Return the UTC time in ISO format, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
