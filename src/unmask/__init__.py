"""Unmask: deepfake data sets and detectors, from footage to a table that can be trusted.

Each verb takes one frozen dataclass of settings: `unmask.forge(unmask.ForgeSettings(...))`.
Verbs are loaded when they are first named, so that importing `unmask` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unmask.adversarial.attack import AttackSettings, attack
    from unmask.adversarial.defense_dataset import DefenseDatasetSettings, build_defense_dataset
    from unmask.adversarial.opening import open_victim
    from unmask.attribution.attribute import AttributeSettings, attribute
    from unmask.attribution.hold_out import CalibrateSettings, calibrate_checkpoint
    from unmask.benchmark.attack import attack_benchmark
    from unmask.benchmark.attack_settings import AttackBenchmarkSettings
    from unmask.benchmark.attribution import attribution_benchmark
    from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings
    from unmask.benchmark.compression import CompressionSettings, compression
    from unmask.benchmark.defence import defence
    from unmask.benchmark.defence_settings import DefenceSettings
    from unmask.benchmark.demo import DemoSettings, demo
    from unmask.benchmark.evaluate import EvaluateSettings, evaluate
    from unmask.catalog import Catalog, make_catalog, read_catalog
    from unmask.datasets.cut import CutSettings, cut
    from unmask.datasets.index import IndexSettings, index
    from unmask.degrade.apply import DegradeSettings, degrade_videos
    from unmask.faces.prepare import FacesSettings, prepare_faces
    from unmask.generators.forge import ForgeSettings, forge
    from unmask.generators.openpeople import CorpusSettings, make_corpus
    from unmask.swapping.dfdm import DfdmSettings, build_dfdm
    from unmask.swapping.encoder import EncoderSettings, warm_start
    from unmask.swapping.forge_swap import SwapSettings, forge_swap
    from unmask.training.adopt import AdoptSettings, adopt
    from unmask.training.loop import TrainSettings, train

__version__ = "0.1.0"

_PLACES = {
    "unmask.adversarial.attack": ("AttackSettings", "attack"),
    "unmask.adversarial.defense_dataset": ("DefenseDatasetSettings", "build_defense_dataset"),
    "unmask.adversarial.opening": ("open_victim",),
    "unmask.attribution.attribute": ("AttributeSettings", "attribute"),
    "unmask.attribution.hold_out": ("CalibrateSettings", "calibrate_checkpoint"),
    "unmask.benchmark.attack": ("attack_benchmark",),
    "unmask.benchmark.attack_settings": ("AttackBenchmarkSettings",),
    "unmask.benchmark.attribution": ("attribution_benchmark",),
    "unmask.benchmark.attribution_settings": ("AttributionBenchmarkSettings",),
    "unmask.benchmark.compression": ("CompressionSettings", "compression"),
    "unmask.benchmark.defence": ("defence",),
    "unmask.benchmark.defence_settings": ("DefenceSettings",),
    "unmask.benchmark.demo": ("DemoSettings", "demo"),
    "unmask.benchmark.evaluate": ("EvaluateSettings", "evaluate"),
    "unmask.catalog": ("Catalog", "make_catalog", "read_catalog"),
    "unmask.datasets.cut": ("CutSettings", "cut"),
    "unmask.datasets.index": ("IndexSettings", "index"),
    "unmask.degrade.apply": ("DegradeSettings", "degrade_videos"),
    "unmask.faces.prepare": ("FacesSettings", "prepare_faces"),
    "unmask.generators.forge": ("ForgeSettings", "forge"),
    "unmask.generators.openpeople": ("CorpusSettings", "make_corpus"),
    "unmask.swapping.dfdm": ("DfdmSettings", "build_dfdm"),
    "unmask.swapping.encoder": ("EncoderSettings", "warm_start"),
    "unmask.swapping.forge_swap": ("SwapSettings", "forge_swap"),
    "unmask.training.adopt": ("AdoptSettings", "adopt"),
    "unmask.training.loop": ("TrainSettings", "train"),
}

__all__ = [
    "AdoptSettings",
    "AttackBenchmarkSettings",
    "AttackSettings",
    "AttributeSettings",
    "AttributionBenchmarkSettings",
    "CalibrateSettings",
    "Catalog",
    "CompressionSettings",
    "CorpusSettings",
    "CutSettings",
    "DefenceSettings",
    "DefenseDatasetSettings",
    "DegradeSettings",
    "DemoSettings",
    "DfdmSettings",
    "EncoderSettings",
    "EvaluateSettings",
    "FacesSettings",
    "ForgeSettings",
    "IndexSettings",
    "SwapSettings",
    "TrainSettings",
    "adopt",
    "attack",
    "attack_benchmark",
    "attribute",
    "attribution_benchmark",
    "build_defense_dataset",
    "build_dfdm",
    "calibrate_checkpoint",
    "compression",
    "cut",
    "defence",
    "degrade_videos",
    "demo",
    "evaluate",
    "forge",
    "forge_swap",
    "index",
    "make_catalog",
    "make_corpus",
    "open_victim",
    "prepare_faces",
    "read_catalog",
    "train",
    "warm_start",
]


def __getattr__(name: str) -> Any:
    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'unmask' has no attribute {name!r}")
