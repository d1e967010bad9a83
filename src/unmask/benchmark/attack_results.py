"""Results of the attack protocol: one JSON file for each attack on each victim."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from unmask.benchmark.result_file import read_records, write_record
from unmask.benchmark.results import Checkpoint, Measured, Part

PROTOCOL = "attack"
TENSOR, FILE = "tensor", "file"  # the channels beside the codecs

# Shares of faces or videos, which every judge has on every channel.
SHARES = {
    "success": "Faces judged real, of those found that were judged fake before",
    "control": "The same faces judged real without an attack, through the same codec",
    "judged_real": "Faces judged real, of all that were found",
    "found": "Attacked faces that were found again, of those whose file could be read",
    "video_success": "Videos judged real, of those judged fake before",
    "video_control": "The same videos judged real without an attack, through the same codec",
}

# What an attack costs and how much it changes, over the faces that were judged fake before.
COSTS = {
    "linf": "Mean largest change of a value, of 255",
    "l2": "Mean length of the change, of values in [0, 1]",
    "psnr": "Mean peak signal-to-noise ratio in dB",
    "ssim": "Mean structural similarity",
    "queries": "Median of the queries",
    "queries_25": "Lower quartile of the queries",
    "queries_75": "Upper quartile of the queries",
    "iterations": "Median of the iterations",
}


@dataclass(frozen=True)
class Judgement:
    """How one detector judges the attacked faces as they come through one channel.

    Args:
        judge: the detector's name; the victim, or another to which the attack transfers.
        channel: `tensor` (never written), `file` (without loss) or the name of a codec.
        shares: those of `SHARES` that could be measured, by name.
        methods: the success by the forgery method of the attacked videos.
        faces: how many were judged fake before and were found on this channel.
        videos: how many they are of.
        dropped: how many faces could not be judged on this channel, by what kept them from it.
    """

    judge: str
    channel: str
    shares: Mapping[str, Measured]
    methods: Mapping[str, Measured]
    faces: int
    videos: int
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """The success of the attack with another radius: at tensor level, in 256 levels.

    Args:
        epsilon: the radius, in values of [0, 1].
        success: of the faces that were judged fake before.
        faces: how many those are.
        videos: how many they are of.
    """

    epsilon: float
    success: Measured
    faces: int
    videos: int


@dataclass(frozen=True)
class AttackCounts:
    """What was attacked; `dropped` counts frames, and `dropped_videos` whole videos.

    Both are by the status that kept them from it.
    """

    videos: int
    persons: int
    frames: int
    faces: int
    judged_fake: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    dropped_videos: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class AttackResult:
    """One attack on one victim, judged by all victims on all channels.

    Args:
        attack: its name, with the options that are not those of the preset.
        method: the name of the attack's part.
        preset: the settings it started from.
        options: all settings of the attack, resolved.
        victim: the weights that were attacked.
        test: what was attacked.
        frames: which frames of each clip.
        counts: how much was attacked, and what was dropped.
        judgements: by every victim on every channel.
        costs: those of `COSTS` that could be measured, by name.
        curve: the success over the radius; empty where it was not measured.
        curve_name: the attack's name without its own radius, which has no part in the curve.
        threshold: a face is judged fake from this score on.
        seed: of the choice of videos, of the attack and of the resampling.
        settings: of the protocol, as JSON can hold them.
        commit: of the code.
        catalog_sha256: the content hash of the attacked items.
        versions: of Python and the libraries.
        created: UTC time in ISO format.
        notes: what a reader has to know.
    """

    attack: str
    method: str
    preset: str
    options: Mapping[str, Any]
    victim: Checkpoint
    test: Part
    frames: str
    counts: AttackCounts
    judgements: tuple[Judgement, ...]
    costs: Mapping[str, Measured]
    curve: tuple[Step, ...]
    curve_name: str
    threshold: float
    seed: int
    settings: Mapping[str, Any]
    commit: str
    catalog_sha256: str
    versions: Mapping[str, str]
    created: str
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file: readable, and different for what is not the same thing."""
        identity = [self.victim.sha256, self.attack, self.preset, dict(self.options), self.seed]
        told = json.dumps([*identity, asdict(self.test), self.frames], sort_keys=True)
        words = [PROTOCOL, self.victim.name, self.attack, self.test.dataset]
        readable = (re.sub(r"[^a-z0-9]+", "_", word.lower()) for word in words)
        return "-".join([*readable, sha256(told.encode()).hexdigest()[:6]])

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels in the order they were measured."""
        return tuple(dict.fromkeys(one.channel for one in self.judgements))

    def judgement(self, channel: str, judge: str | None = None) -> Judgement | None:
        """Return what a judge, by default the victim, said on a channel; None if nothing."""
        wanted = (judge or self.victim.name, channel)
        return next((one for one in self.judgements if (one.judge, one.channel) == wanted), None)

    def share(self, name: str, channel: str, judge: str | None = None) -> Measured | None:
        """Return one of `SHARES` by a judge, by default the victim; None if not measured."""
        found = self.judgement(channel, judge)
        return found.shares.get(name) if found else None

    def write(self, folder: Path) -> Path:
        """Write the result as JSON, whole or not at all, and return its path.

        Raises:
            InvalidInputError: if a number is not finite.
        """
        return write_record(self, self.name, folder)


def read_attack_results(folder: Path) -> list[AttackResult]:
    """Return all results of a folder, in the order of their names.

    Raises:
        NotFoundError: if there are none.
        InvalidInputError: if a file is no result; the message has the file and the key.
    """
    return read_records(
        AttackResult,
        folder,
        f"{PROTOCOL}-*.json",
        of="results of attacks",
        by="`unmask benchmark attack`",
    )
