"""Compress or disturb the videos of a catalog."""

from unmask.cli.verb import verb
from unmask.degrade.apply import DegradeSettings, degrade_videos

app = verb(degrade_videos, DegradeSettings)
