"""What the attribution protocol is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.attribution.confidence import OF_PROBABILITIES, USUAL
from unmask.attribution.video import AGGREGATES
from unmask.errors import InvalidInputError, unknown_name
from unmask.metrics.bootstrap import check_resampling
from unmask.settings import setting

ALL, NONE = "all", "none"
FEWEST_CLASSES = 2  # that a network can tell apart


@dataclass(frozen=True)
class AttributionBenchmarkSettings:
    """What `unmask benchmark attribution` needs.

    Raises:
        InvalidInputError: if a value makes no sense.
        NotFoundError: if there is no such rule.
    """

    catalog: Path = setting(help="The catalog with labels, methods, splits and qualities.")
    faces: Path = setting(help="The face table of that catalog.")
    out: Path = setting(help="The folder for checkpoints, results, tables and the page.")
    detectors: tuple[str, ...] = setting(
        ("dma_sta", "meso4", "xception", "resnet50", "efficientnet_lite0"),
        "The networks to compare.",
    )
    methods: tuple[str, ...] = setting((), "The makers to tell apart; all by default.")
    train_quality: str = setting("c10", "The quality to train on.")
    mixed: bool = setting(False, "Whether to train once more on all tested qualities together.")
    qualities: tuple[str, ...] = setting(("c0", "c10", "c23"), "The qualities to test on.")
    with_real: bool = setting(False, "Whether real is one more class.")
    leave_out: tuple[str, ...] = setting(
        (ALL,), "The makers to leave out of a training, one at a time: all, none, or their names."
    )
    held_out: bool = setting(
        True, "Whether to choose a threshold on a second maker that is left out, too."
    )
    open_detectors: tuple[str, ...] = setting(
        (), "The networks to train with makers left out; all by default."
    )
    accepted: float = setting(
        0.95, "The share of known makers' videos that the threshold accepts on validation."
    )
    training: Path | None = setting(
        None, "A TOML file of training settings, with a table [NAME] for what one detector has."
    )
    aggregate: str = setting(
        "mean", "How a video's probabilities are made of its faces': mean or geometric."
    )
    confidence: str = setting(USUAL, "How sure a network is: max_softmax, margin or entropy.")
    resamples: int = setting(1000, "Resamples of the videos for the intervals.")
    seed: int = setting(0, "The seed of the trainings and of the resampling.")
    device: str = setting("auto", "Where the networks run: auto, cpu, cuda or mps.")
    cache_gib: float = setting(2.0, "Memory of each process for decoded faces, in GiB.")
    workers: int = setting(
        0, "Networks that train at once on a CPU, on one thread each; 0 takes one for each core."
    )

    def __post_init__(self) -> None:
        for name, given in (("detectors", self.detectors), ("qualities", self.qualities)):
            if not given:
                raise InvalidInputError(f"{name} must name at least one, got none; name some")
        if self.aggregate not in AGGREGATES:
            raise unknown_name("the aggregates of makers", self.aggregate, AGGREGATES)
        if self.confidence not in OF_PROBABILITIES:
            raise unknown_name("the rules of confidence", self.confidence, OF_PROBABILITIES)
        for name in self.open_detectors:
            if name not in self.detectors:
                raise unknown_name("detectors of this comparison", name, self.detectors)
        if {ALL, NONE} & set(self.leave_out) and len(self.leave_out) > 1:
            raise InvalidInputError(
                f"leave_out must be {ALL}, {NONE} or names, got {', '.join(self.leave_out)}; "
                "keep one of these"
            )
        if not 0 < self.accepted < 1:
            raise InvalidInputError(
                f"accepted must lie between 0 and 1, got {self.accepted}; 0.95 is usual"
            )
        check_resampling(self.resamples, 0.95)

    def wanted(self, methods: Sequence[str]) -> list[str]:
        """Return the makers to leave out of a training, one at a time.

        Args:
            methods: all makers, in order.

        Raises:
            NotFoundError: if a maker to leave out is unknown.
        """
        if NONE in self.leave_out:
            return []
        if ALL in self.leave_out:
            return list(methods)
        for name in self.leave_out:
            if name not in methods:
                raise unknown_name("the makers of this comparison", name, methods)
        return list(self.leave_out)

    def left_out(self, methods: Sequence[str]) -> list[tuple[str, ...]]:
        """Return what each further training leaves out: one maker, or one and its partner.

        Args:
            methods: all makers, in order.

        Raises:
            NotFoundError: if a maker to leave out is unknown.
            InvalidInputError: if too few would be left to be told apart.
        """
        names = self.wanted(methods)
        others = len(methods) - 1 + self.with_real
        if names and others < FEWEST_CLASSES:
            raise InvalidInputError(
                f"leave_out must leave {FEWEST_CLASSES} classes to tell apart, got {others} of "
                f"{', '.join(methods)}; add makers, or set leave_out to {NONE}"
            )
        found: list[tuple[str, ...]] = [(name,) for name in names]
        if self.held_out and others > FEWEST_CLASSES:
            pairs = [(name, partner(name, methods)) for name in names]
            found += dict.fromkeys(tuple(sorted(pair, key=methods.index)) for pair in pairs)
        return found


def partner(name: str, methods: Sequence[str]) -> str:
    """Return the maker that is left out beside another, to choose a threshold on.

    Neighbours are partners of each other, so that one training serves both; the last of an odd
    number has the first.

    Example:
        >>> [partner(name, "abcde") for name in "abcde"]
        ['b', 'a', 'd', 'c', 'a']
    """
    place = methods.index(name)
    other = place ^ 1
    return methods[other if other < len(methods) else 0]
