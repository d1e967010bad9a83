"""What the defence protocol is asked for."""

from dataclasses import dataclass
from pathlib import Path

from unmask.benchmark.defence_measure import Measuring
from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import check_resampling
from unmask.settings import setting


@dataclass(frozen=True)
class DefenceSettings:
    """What `unmask benchmark defence` needs.

    Raises:
        InvalidInputError: if a value makes no sense.
    """

    catalog: Path = setting(help="The catalog with the labels of the test videos.")
    faces: Path = setting(help="The face table of that catalog.")
    out: Path = setting(help="The folder for results, tables and the page.")
    defences: tuple[str, ...] = setting(
        (),
        "The undefended detector first, then the defences: a checkpoint; A&B for an ensemble, or "
        "for a guard beside A; A@jpeg:75 with purifiers.",
    )
    guards: tuple[str, ...] = setting((), "Checkpoints that tell clean faces from attacked ones.")
    attacks: tuple[str, ...] = setting(
        ("fgsm", "iterative_fgsm", "pgd", "nes", "square"),
        "The attacks: NAME, or NAME:option=value:option=value.",
    )
    adaptive: str = setting(
        "pgd:restarts=3:iterations=40", "The attack that knows the defence, written as those."
    )
    draws: int = setting(8, "Draws of a random defence that each adaptive step averages over.")
    levels: float = setting(4.0, "Radius, of 255, of the attacks whose text gives no epsilon.")
    split: str = setting("test", "The split to test on; an empty name for all.")
    quality: str | None = setting(None, "Which videos: raw, c23 ... By default pristine ones.")
    faces_per_video: int = setting(0, "Faces of each video, evenly spread; 0 takes all.")
    most_faces: int = setting(0, "Faces of fakes that are attacked, evenly spread; 0 takes all.")
    threshold: float = setting(0.5, "A face or a video is judged fake from this score on.")
    resamples: int = setting(1000, "Resamples of the videos for the intervals.")
    seed: int = setting(0, "The seed of the attacks and of the resampling.")
    batch: int = setting(32, "Faces that are worked on at once.")
    workers: int = setting(0, "Processes on the CPU; 0 takes one for each core.")
    device: str = setting("auto", "Where the networks run: auto, cpu, cuda or mps.")

    def __post_init__(self) -> None:
        if not self.defences:
            raise InvalidInputError(
                "defences must name the undefended detector first, got none; give the folder of "
                "its checkpoint"
            )
        for name, value, least in (
            ("faces_per_video", self.faces_per_video, 0),
            ("most_faces", self.most_faces, 0),
            ("draws", self.draws, 1),
            ("batch", self.batch, 1),
        ):
            if value < least:
                raise InvalidInputError(f"{name} must be {least} or more, got {value}; raise it")
        check_resampling(self.resamples, 0.95)
        if not 0 < self.threshold < 1:
            raise InvalidInputError(
                f"threshold must lie between 0 and 1, got {self.threshold}; attacks aim at 0.5"
            )
        if not 0 < self.levels < 255:
            raise InvalidInputError(
                f"levels must lie between 0 and 255, got {self.levels}; 4 is hardly seen, 16 "
                "is what the published attacks allow"
            )

    @property
    def way(self) -> Measuring:
        """How measures are taken."""
        return Measuring(self.threshold, self.resamples, self.seed)
