"""Which face the page shows, and what becomes of one that an attack has lost."""

from pathlib import Path

import polars as pl

from makers.attack_study import make_attack_result
from makers.attackable import ANN, clip_row
from unmask.benchmark.attack_results import AttackResult
from unmask.benchmark.attack_run import Stage
from unmask.benchmark.attack_strips import strip_of, strips
from unmask.catalog import make_catalog

ITEMS = ("a", "b")
ATTACKS = ("fgsm", "nes")


def stage_without(root: Path, *lost: tuple[str, str]) -> Stage:
    """Return two videos under two attacks, but for those attacks that lost a video."""
    row = clip_row(root, "ann.mp4", ANN)
    made = [(attack, item) for attack in ATTACKS for item in ITEMS if (attack, item) not in lost]
    ids = [*ITEMS, *(f"meso4/{attack}/{item}" for attack, item in made)]
    catalog = make_catalog([row | {"id": one} for one in ids], root)
    table = pl.DataFrame(
        {"item": f"meso4/{attack}/{item}", "parent": item, "frame": 0, "track": 0, "status": "ok"}
        | {"left": ANN.left, "top": ANN.top, "right": ANN.left + 99, "bottom": ANN.top + 99}
        for attack, item in made
    )
    return Stage(catalog, catalog.filter(id=list(ITEMS)), table, pl.DataFrame(), root, {"file": ""})


def judged_of(stage: Stage) -> pl.DataFrame:
    """Return the same faces as judged by their victim."""
    attack = pl.col("item").str.split("/").list.get(1)
    return stage.attacked.select(
        *("frame", "track"),
        attack=attack,
        item="parent",
        victim=pl.lit("meso4"),
        judge=pl.lit("meso4"),
        channel=pl.lit("file"),
        before=pl.lit(0.9),
        control=pl.lit(0.9),
        score=pl.lit(0.1),
    )


def results() -> list[AttackResult]:
    return [make_attack_result("meso4", attack) for attack in ATTACKS]


def test_face_that_one_attack_lost_gives_way_to_one_that_all_have(tmp_path: Path) -> None:
    stage = stage_without(tmp_path, ("nes", "a"))
    # Nothing of b was found again: only that both attacks have it speaks for it.
    score = pl.when(pl.col("item") == "a").then("score")
    shown = strips(stage, judged_of(stage).with_columns(score=score), results())
    assert [one.title for one in shown] == ["fgsm on meso4", "nes on meso4"]
    assert {one.detail for one in shown} == {"b, frame 0"}


def test_attack_that_lost_every_face_has_no_strip_and_takes_none_from_others(
    tmp_path: Path,
) -> None:
    stage = stage_without(tmp_path, ("nes", "a"), ("nes", "b"))
    shown = strips(stage, judged_of(stage), results())
    assert [(one.title, one.detail) for one in shown] == [("fgsm on meso4", "a, frame 0")]


def test_face_that_the_attack_has_not_has_no_strip(tmp_path: Path) -> None:
    stage = stage_without(tmp_path, ("nes", "a"))
    assert strip_of(stage, judged_of(stage), results()[1], item="a", frame=0, track=0) is None
