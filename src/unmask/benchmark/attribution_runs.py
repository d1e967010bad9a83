"""The networks of the attribution protocol: what each is trained on, and what it says of videos."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings
from unmask.benchmark.leakage import notes_on_seen
from unmask.benchmark.results import Checkpoint
from unmask.benchmark.trainings import (
    Training,
    read_training,
    shared_store,
    training_settings,
    workers_for,
)
from unmask.catalog import Catalog, hash_file, read_catalog
from unmask.contracts import REAL
from unmask.errors import unknown_name
from unmask.execution.journal import key_of, run_journaled
from unmask.files import write_whole
from unmask.settings import to_plain
from unmask.training.carded import CARD, WEIGHTS
from unmask.training.checkpoint import load_checkpoint
from unmask.training.clips import in_clips
from unmask.training.data import Faces, load_data
from unmask.training.loop import train
from unmask.training.score import class_probabilities
from unmask.training.settings import TrainSettings
from unmask.training.setup import device_for, one_thread

REAL_MAKER = "real"
FORMAT = 1  # of what a journal's lines hold
MIXED = "mixed"


@dataclass(frozen=True)
class Net:
    """One network to train and to ask.

    Args:
        training: how.
        left_out: makers that it is not trained on.
        methods: all makers that it is asked about; reals are, too.
        qualities: of the test videos.
    """

    training: TrainSettings
    left_out: tuple[str, ...]
    methods: tuple[str, ...]
    qualities: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of its checkpoint."""
        return self.training.out.name


@dataclass(frozen=True)
class Asked:
    """A network that was trained, and what it says.

    Args:
        net: what it is.
        classes: that it tells apart.
        frames: that it sees at once.
        checkpoint: its weights.
        temperature: chosen on validation; it divides the logarithms of a video's probabilities.
        scores: one row for each face or clip of the validation and the test, with the
            probability of each class and what is true.
        trained: videos by class.
        validated: the same.
        notes: what a reader has to know of what it has seen.
    """

    net: Net
    classes: tuple[str, ...]
    frames: int
    checkpoint: Checkpoint
    temperature: float
    scores: pl.DataFrame
    trained: Mapping[str, int]
    validated: Mapping[str, int]
    notes: tuple[str, ...]


def makers_of(catalog: Catalog, settings: AttributionBenchmarkSettings) -> tuple[str, ...]:
    """Return the makers to tell apart, in the order of the alphabet.

    Raises:
        NotFoundError: if the catalog lacks one of them, or a quality.
    """
    known = catalog.table["quality"].drop_nulls().unique().to_list()
    for quality in (settings.train_quality, *settings.qualities):
        if quality not in known:
            raise unknown_name("the catalog's column quality", quality, known)
    fakes = catalog.usable().table.filter(pl.col("label") != REAL)
    there = fakes["method"].drop_nulls().unique().sort().to_list()
    for name in settings.methods:
        if name not in there:
            raise unknown_name("the catalog's column method", name, there)
    return tuple(sorted(settings.methods or there))


def planned(
    settings: AttributionBenchmarkSettings, methods: Sequence[str], training: Training
) -> Iterator[Net]:
    """Yield every network: of all makers, then with makers left out, detector by detector."""
    together = [settings.qualities] if settings.mixed and len(settings.qualities) > 1 else []
    left_out = settings.left_out(methods)
    for detector, own in read_training(settings.training, settings.detectors).items():
        is_open = detector in (settings.open_detectors or settings.detectors)
        for qualities in [(settings.train_quality,), *together]:
            for without in [(), *(left_out if is_open else [])]:
                known = tuple(name for name in methods if name not in without)
                words = [detector, MIXED if len(qualities) > 1 else qualities[0]]
                words += ["without", "+".join(without)] if without else []
                chosen = training_settings(
                    detector,
                    own | dict(training.get(detector, {})),
                    name="-".join(words),
                    out=settings.out,
                    catalog=settings.catalog,
                    faces=settings.faces,
                    target="maker" if settings.with_real else "method",
                    qualities=qualities,
                    methods=known,
                    seed=settings.seed,
                    device=settings.device,
                    cache_gib=settings.cache_gib,
                )
                yield Net(chosen, without, tuple(methods), settings.qualities)


def ask_all(
    settings: AttributionBenchmarkSettings, nets: Sequence[Net], catalog: Catalog
) -> list[Asked]:
    """Train every network that is not trained yet, and return what each says.

    Raises:
        LeakageError: if the test split shares videos or persons with a training.
        InvalidInputError: if the data cannot be learned from.
    """
    hashes = [FORMAT, catalog.content_hash(), hash_file(settings.faces)]
    done = run_journaled(
        nets,
        _train_and_ask,
        key=lambda net: key_of(
            hashes,
            to_plain(net.training),
            net.training.weights and hash_file(net.training.weights),
            net.methods,
            net.qualities,
        ),
        journal=settings.out / "journal.jsonl",
        workers=workers_for(settings.device, settings.workers),
        description="training and testing",
        files=lambda net, rows: [
            _scores_file(net),
            *(net.training.out / name for name in (CARD, WEIGHTS)),
        ],
    )
    return [_asked(net, row) for net, (row,) in zip(nets, done, strict=True)]


def _train_and_ask(net: Net) -> list[dict[str, Any]]:
    """Train one network and let it say of each video who made it."""
    store = shared_store(net.training.cache_gib)
    device = device_for(net.training.device)
    with one_thread(device):
        train(net.training, store=store)
        detector, card = load_checkpoint(net.training.out)
        catalog = read_catalog(net.training.catalog)
        items = asked_items(catalog, net)
        test = Catalog(items.table.filter(pl.col("split") == "test"), items.root)
        notes = notes_on_seen(card, test, lineage=catalog)
        found = class_probabilities(detector, net.training.faces, items, device=device, store=store)
    scores = _with_truth(found, items)
    content = BytesIO()
    scores.write_parquet(content)
    write_whole(_scores_file(net), content.getvalue())
    data = load_data(net.training)
    return [
        {
            "classes": card.classes,
            "frames": detector.frames,
            "weights": card.weights_sha256,
            "temperature": card.temperature,
            "trained": _videos(in_clips(data.train, detector.frames)),
            "validated": _videos(in_clips(data.validation, detector.frames)),
            "notes": notes,
        }
    ]


def asked_items(catalog: Catalog, net: Net) -> Catalog:
    """Return the videos that a network is asked about: of the test, and what thresholds need.

    On validation these are the videos of the quality that it was trained on.
    """
    wanted = (pl.col("label") == REAL) | pl.col("method").is_in(net.methods)
    test = (pl.col("split") == "test") & pl.col("quality").is_in(net.qualities)
    validation = (pl.col("split") == "val") & pl.col("quality").is_in(net.training.qualities)
    table = catalog.usable().table.filter(wanted & (test | validation))
    return Catalog(table, catalog.root)


def _with_truth(found: pl.DataFrame, items: Catalog) -> pl.DataFrame:
    """Return the probabilities with what the catalog says of their videos."""
    real = pl.col("label") == REAL
    truth = items.table.select(
        item="id",
        person="person",
        split="split",
        quality="quality",
        maker=pl.when(real).then(pl.lit(REAL_MAKER)).otherwise("method"),
    )
    return truth.join(found, on="item", how="right").sort("item", "frame", "track")


def _videos(faces: Faces) -> dict[str, int]:
    counts = faces.table.group_by("label").agg(pl.col("item").n_unique()).rows()
    by_label = dict(counts)
    return {name: by_label.get(place, 0) for place, name in enumerate(faces.classes)}


def _scores_file(net: Net) -> Path:
    return net.training.out.parent.parent / "scores" / f"{net.name}.parquet"


def _asked(net: Net, row: Mapping[str, Any]) -> Asked:
    return Asked(
        net=net,
        classes=tuple(row["classes"]),
        frames=row["frames"],
        checkpoint=Checkpoint(net.name, row["weights"]),
        temperature=row["temperature"],
        scores=pl.read_parquet(_scores_file(net)),
        trained=row["trained"],
        validated=row["validated"],
        notes=tuple(row["notes"]),
    )
