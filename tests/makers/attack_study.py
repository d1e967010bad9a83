"""Made results of an attack study: two victims, two attacks, known shares."""

from dataclasses import replace

import polars as pl

from unmask.benchmark.attack_measure import JUDGED, Measuring, judgement
from unmask.benchmark.attack_results import FILE, TENSOR, AttackCounts, AttackResult, Step
from unmask.benchmark.results import Checkpoint, Measured, Part

VICTIMS = ("meso4", "xception")
ATTACKS = ("iterative_fgsm", "nes")
CHANNELS = (TENSOR, FILE, "mjpeg", "c23", "c40")
VIDEOS, FACES = 12, 10  # of each video


def make_judged(success: float, *, control: float = 0.1) -> pl.DataFrame:
    """Return faces all judged fake before, of which the given shares of each video are real."""
    rows = [
        (
            f"{('swap', 'blend')[video % 2]}/{video:02}.mp4",
            ("swap", "blend")[video % 2],
            frame,
            0,
            0.9,
            0.2 if frame < round(control * FACES) else 0.8,
            0.1 if frame < round(success * FACES) else 0.7,
            None,
            None,
        )
        for video in range(VIDEOS)
        for frame in range(FACES)
    ]
    return pl.DataFrame(rows, schema=JUDGED, orient="row")


def make_attack_result(
    victim: str = "meso4", attack: str = "iterative_fgsm", *, success: float = 1.0
) -> AttackResult:
    """Return a result whose success falls by 0.2 with each codec, and is 0.3 on other judges."""
    way = Measuring(resamples=100)
    own = [
        judgement(make_judged(max(success - 0.2 * max(place - 1, 0), 0)), victim, channel, way)
        for place, channel in enumerate(CHANNELS)
    ]
    others = [
        judgement(make_judged(0.3), judge, channel, way)
        for judge in VICTIMS
        for channel in CHANNELS[1:]
        if judge != victim
    ]
    measured = Measured(success, max(success - 0.1, 0), success, "95 % bootstrap by video")
    return AttackResult(
        attack=attack,
        method=attack.partition("-")[0],
        preset="paper",
        options={"epsilon": 16 / 255, "iterations": 100},
        victim=Checkpoint(victim, victim[0].encode().hex() * 32),
        test=Part("openpeople", ("raw",), "test", ("blend", "swap")),
        frames="all of the first 16",
        counts=AttackCounts(VIDEOS, 6, 120, 120, 118, {"no_face": 3}),
        judgements=(*own, *others),
        costs={
            "linf": replace(measured, value=1.25, low=1.1, high=1.4),
            "queries": replace(measured, value=1234.0, low=900.0, high=2000.0),
        },
        curve=(
            Step(1 / 255, replace(measured, value=0.5), faces=16, videos=9),
            Step(4 / 255, measured, faces=16, videos=9),
        ),
        curve_name=attack,
        threshold=0.5,
        seed=0,
        settings={"attacks": [attack], "videos": 12},
        commit="0123456789abcdef0123456789abcdef01234567",
        catalog_sha256="cd" * 32,
        versions={"python": "3.11.7", "unmask": "0.1.0"},
        created="2026-11-21T10:00:00+00:00",
    )


def make_attack_study() -> list[AttackResult]:
    """Return every attack on every victim."""
    return [
        make_attack_result(victim, attack, success=1.0 if attack == "iterative_fgsm" else 0.8)
        for victim in VICTIMS
        for attack in ATTACKS
    ]
