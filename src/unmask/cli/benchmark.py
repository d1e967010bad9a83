"""Compare detectors over compressions: train at each quality, test at each."""

from unmask.benchmark.compression import CompressionSettings, compression
from unmask.cli.verb import verb

app = verb(compression, CompressionSettings)
