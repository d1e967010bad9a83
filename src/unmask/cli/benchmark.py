"""Compare detectors by a protocol, from training to a page."""

from unmask.benchmark.attack import attack_benchmark
from unmask.benchmark.attack_settings import AttackBenchmarkSettings
from unmask.benchmark.attribution import attribution_benchmark
from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings
from unmask.benchmark.compression import CompressionSettings, compression
from unmask.benchmark.defence import defence
from unmask.benchmark.defence_settings import DefenceSettings
from unmask.cli.verb import verbs

app = verbs(
    __doc__,
    compression=(compression, CompressionSettings),
    attack=(attack_benchmark, AttackBenchmarkSettings),
    defence=(defence, DefenceSettings),
    attribution=(attribution_benchmark, AttributionBenchmarkSettings),
)
