"""Readers of published data sets and of a user's own folders, each found by its name."""

from unmask.contracts import VideoDataset
from unmask.families import Family

DATASETS = Family("unmask.datasets", VideoDataset)  # type: ignore[type-abstract]
