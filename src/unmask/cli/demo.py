"""Everything in one command: people, fakes, codecs, faces, detectors, a report."""

from unmask.benchmark.demo import DemoSettings, demo
from unmask.cli.verb import verb

app = verb(demo, DemoSettings)
