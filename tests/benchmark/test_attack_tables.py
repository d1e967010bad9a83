import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from makers.attack_study import make_attack_result, make_attack_study
from unmask.benchmark.attack_published import MARK
from unmask.benchmark.attack_tables import (
    cost_table,
    loss_table,
    method_table,
    recalled_table,
    share_table,
    transfer_table,
    write_attack_tables,
)
from unmask.benchmark.tables import Row, csv_table, markdown_table
from unmask.errors import NotFoundError

STUDY = make_attack_study()


def values(row: Row) -> list[float | None]:
    return [round(cell.measured.value, 3) if cell.measured else None for cell in row.cells]


def test_success_stands_below_what_the_codecs_do_without_an_attack() -> None:
    table = share_table(STUDY)
    assert table.columns == ("never written", "lossless file", "mjpeg", "c23", "c40")
    assert [row.heads for row in table.rows] == [
        (victim, attack)
        for victim in ("meso4", "xception")
        for attack in ("(no attack)", "iterative_fgsm", "nes")
    ]
    # Before a codec the clean face is the one that was judged fake: nothing is measured there.
    assert values(table.rows[0]) == [None, None, 0.1, 0.1, 0.1]
    assert values(table.rows[1]) == [1, 1, 0.8, 0.6, 0.4]
    assert values(table.rows[2]) == [0.8, 0.8, 0.6, 0.4, 0.2]


def test_success_says_of_how_many_faces_it_is_a_share() -> None:
    notes = share_table(STUDY).notes
    assert notes[0] == (
        "meso4 called 120 found faces of 12 videos fake before, of 120 that iterative_fgsm "
        "attacked."
    )
    assert notes[1] == "(no attack): those of these 120 that meso4 called fake, still clean."
    assert not any("no attack" in note for note in share_table(STUDY, "found").notes)


def test_line_without_an_attack_is_of_the_attack_with_most_faces() -> None:
    most = make_attack_result("meso4", "nes")
    few = make_attack_result("meso4", "fgsm")
    few = replace(few, judgements=tuple(replace(one, faces=3, shares={}) for one in few.judgements))
    table = share_table([few, most])
    assert values(table.rows[0])[2:] == [0.1, 0.1, 0.1]
    assert "of 120 that nes attacked" in table.notes[0]


def test_shares_without_a_control_have_a_line_for_each_attack_only() -> None:
    assert len(share_table(STUDY, "found").rows) == 4


def test_videos_are_another_level_than_faces() -> None:
    assert (share_table(STUDY).level, share_table(STUDY, "video_success").level) == (
        "frame",
        "video",
    )


def test_share_that_nobody_measures_is_answered_with_the_closest() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'success'"):
        share_table(STUDY, "sucess")


def test_transfer_has_a_line_for_where_it_was_made_and_a_column_for_each_judge() -> None:
    table = transfer_table(STUDY, "c23")
    assert table.columns == ("meso4", "xception")
    assert [row.heads for row in table.rows] == [
        ("iterative_fgsm", "meso4"),
        ("iterative_fgsm", "xception"),
        ("nes", "meso4"),
        ("nes", "xception"),
    ]
    assert [values(row) for row in table.rows] == [[0.6, 0.3], [0.3, 0.6], [0.4, 0.3], [0.3, 0.4]]


def test_methods_are_those_of_the_attacked_videos() -> None:
    table = method_table(STUDY, "c40")
    assert table.columns == ("blend", "swap")
    assert values(table.rows[0]) == [0.4, 0.4]


def test_costs_are_told_with_as_many_decimals_as_they_are_worth() -> None:
    text = markdown_table(cost_table(STUDY))
    assert "| meso4 | iterative_fgsm | 1.25 [1.10–1.40] |" in text
    assert "1,234 [900–2,000]" in text


def test_what_could_not_be_measured_is_counted_by_its_reason_and_channel() -> None:
    one = make_attack_result()
    lost = replace(
        one,
        counts=replace(one.counts, dropped={"no_face": 3}, dropped_videos={"failed": 1}),
        judgements=tuple(
            replace(judged, dropped={"file failed": 8} if judged.channel == "c40" else {})
            for judged in one.judgements
        ),
    )
    table = loss_table([lost, replace(one, attack="nes")])
    assert table is not None
    assert table.columns == ("videos: failed", "frames: no_face", "faces, c40: file failed")
    assert [values(row) for row in table.rows] == [[1, 3, 8], [0, 3, 0]]
    whole = replace(one, counts=replace(one.counts, dropped={}))
    assert loss_table([whole]) is None


def test_recalled_figures_stand_apart_and_never_without_their_mark() -> None:
    table = recalled_table(STUDY)
    assert table is not None
    assert [row.heads for row in table.rows] == [
        ("iterative_fgsm (recalled)",),
        ("nes (recalled)",),
    ]
    text = markdown_table(table)
    assert "not verified" in text.splitlines()[0]
    assert MARK in text
    assert all(
        MARK not in markdown_table(one) for one in (share_table(STUDY), transfer_table(STUDY))
    )


def test_csv_names_what_its_columns_are() -> None:
    (first, *_) = csv.DictReader(io.StringIO(csv_table(share_table(STUDY, "found"))))
    assert first["channel"] == "never written"
    assert (first["metric"], float(first["value"])) == ("found", 1.0)


def test_every_table_is_written_in_three_ways(tmp_path: Path) -> None:
    write_attack_tables(STUDY, tmp_path)
    names = {path.stem for path in tmp_path.glob("*.tex")}
    assert names == {path.stem for path in tmp_path.glob("*.md")}
    assert {"attack_success", "attack_transfer_c40", "attack_recalled_not_verified"} <= names
    assert "attack_transfer_tensor" not in names
