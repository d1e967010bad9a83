"""What the attack protocol is asked for: its settings, and attacks as text."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unmask.attack_contracts import GREY, Attack
from unmask.attacks.presets import create_attack
from unmask.degrade.spec import RAW, parse_degradation
from unmask.errors import InvalidInputError
from unmask.metrics.bootstrap import check_resampling
from unmask.settings import setting
from unmask.video.sample import parse_sampling


@dataclass(frozen=True)
class AttackBenchmarkSettings:
    """What `unmask benchmark attack` needs.

    Raises:
        NotFoundError: if there is no such attack, preset, option or codec.
        InvalidInputError: if a value makes no sense.
    """

    catalog: Path = setting(help="The catalog whose fakes are attacked.")
    out: Path = setting(help="The folder for videos, faces, results, tables and the page.")
    victims: tuple[str, ...] = setting(
        (), "The detectors: checkpoints; A&B for an ensemble; A@jpeg:75 with purifiers."
    )
    attacks: tuple[str, ...] = setting(
        ("iterative_fgsm", "robust", "nes", "robust_nes"),
        "The attacks: NAME, or NAME:option=value:option=value.",
    )
    preset: str = setting("paper", "Whose settings the attacks take.")
    split: str = setting("test", "The split to attack; an empty name for all.")
    quality: str | None = setting(None, "Which videos: raw, c23 ... By default pristine ones.")
    videos: int = setting(0, "At most so many videos, of all methods and persons; 0 takes all.")
    clip_frames: int = setting(
        16, "Attack only the first so many frames of each video, cut out without loss; 0 for all."
    )
    frames: str = setting(
        "all", "Which frames of those: all, every:N ... With gaps a codec sees clean neighbours."
    )
    codecs: tuple[str, ...] = setting(
        ("mjpeg", "c23", "c30", "c40"), "What the attacked videos go through."
    )
    epsilons: tuple[str, ...] = setting(
        ("1", "2", "4", "8", "16"), "Radii of the curve of white-box attacks, of 255."
    )
    curve_faces: int = setting(
        16, "Faces behind each point of that curve; 0 draws none. Hard attacks take long here."
    )
    threshold: float = setting(0.5, "A face is judged fake from this score on.")
    batch: int = setting(32, "Faces that are attacked at once.")
    resamples: int = setting(1000, "Resamples of the videos for the intervals.")
    seed: int = setting(0, "The seed of the choice, of the attacks and of the resampling.")
    device: str = setting("auto", "Where the victims run: auto, cpu, cuda or mps.")
    workers: int = setting(0, "Processes; 0 takes one for each core.")
    retry_failed: bool = setting(False, "Try again what could not be done before.")

    def __post_init__(self) -> None:
        for name, given in (("victims", self.victims), ("attacks", self.attacks)):
            if not given or len(set(given)) < len(given):
                raise InvalidInputError(
                    f"{name} must be one or more different ones, got {', '.join(given) or 'none'}; "
                    f"name them with commas between"
                )
        parse_sampling(self.frames)
        for text in self.attacks:
            parse_attack(text).made(self.preset)
        for text in self.codecs:
            if parse_degradation(text).name == RAW:
                raise InvalidInputError(
                    f"codecs must lose something, got {text!r}; leave it out, as the lossless file "
                    "is measured anyway"
                )
        for name, count, least, advice in (
            ("videos", self.videos, 0, "0 takes all"),
            ("clip_frames", self.clip_frames, 0, "0 takes all"),
            ("curve_faces", self.curve_faces, 0, "0 draws no curve"),
            ("batch", self.batch, 1, "32 faces keep most processors busy"),
        ):
            if count < least:
                raise InvalidInputError(f"{name} must be {least} or more, got {count}; {advice}")
        check_resampling(self.resamples, 0.95)
        if not 0 < self.threshold < 1:
            raise InvalidInputError(
                f"threshold must lie in (0, 1), got {self.threshold}; 0.5 is where an attack "
                "takes a face for fooled"
            )
        _ = self.radii

    @property
    def radii(self) -> tuple[float, ...]:
        """The radii of the curve in values of [0, 1], rising.

        Raises:
            InvalidInputError: if one is no number above 0.
        """
        try:
            found = sorted({float(one) for one in self.epsilons})
        except ValueError:
            found = [0.0]
        if any(not 0 < one <= 255 for one in found):
            raise InvalidInputError(
                f"epsilons must be numbers of 255 above 0, got {', '.join(self.epsilons)}; "
                "for instance 1,2,4,8,16"
            )
        return tuple(one * GREY for one in found)


@dataclass(frozen=True)
class AttackSpec:
    """An attack with the options that are not those of the preset.

    Args:
        method: the name of the part.
        options: `name=value` each.
    """

    method: str
    options: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The method and its options, legal as the name of a folder."""
        return "-".join(re.sub(r"[^\w=.]+", "_", one) for one in (self.method, *self.options))

    @property
    def at_any_radius(self) -> "AttackSpec":
        """The same attack without a radius of its own.

        Example:
            >>> parse_attack("pgd:epsilon=8/255:restarts=2").at_any_radius.name
            'pgd-restarts=2'
        """
        kept = (one for one in self.options if one.partition("=")[0].strip() != "epsilon")
        return AttackSpec(self.method, tuple(kept))

    def made(self, preset: str, *more: str) -> tuple[Attack, dict[str, Any]]:
        """Return the attack and all its settings; `more` options win over its own."""
        return create_attack(self.method, preset, (*self.options, *more))


def parse_attack(text: str) -> AttackSpec:
    """Return the attack that a text such as `nes:epsilon=8/255` names.

    Raises:
        InvalidInputError: if an option is not like `name=value`.

    Example:
        >>> parse_attack("nes:epsilon=8/255:iterations=50").name
        'nes-epsilon=8_255-iterations=50'
    """
    method, *options = (part.strip() for part in text.split(":"))
    if not method or any("=" not in one for one in options):
        raise InvalidInputError(
            f"an attack must be like NAME or NAME:option=value, got {text!r}; for instance "
            "nes:epsilon=8/255"
        )
    return AttackSpec(method, tuple(options))
