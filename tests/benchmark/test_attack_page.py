import re
from dataclasses import replace

import numpy as np
import pytest

from makers.attack_study import make_attack_result, make_attack_study
from unmask.benchmark.attack_page import render_attacks
from unmask.benchmark.attack_pictures import Sight, Strip
from unmask.benchmark.attack_published import MARK
from unmask.errors import InvalidInputError

EVIL = '<script>alert("1")</script>&'
FACE = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)


def strip(title: str = "nes on meso4") -> Strip:
    return Strip(title, title, (Sight("file", FACE, FACE, 0.9, 0.1),))


def test_page_tells_success_limits_pictures_transfer_curves_and_costs() -> None:
    page = render_attacks(make_attack_study(), [strip()])
    assert re.findall(r"<h2[^>]*>([^<]*)</h2>", page) == [
        *("Success", "Limits", "Pictures", "Transfer", "Curves", "Cost", "By forgery method"),
        *("Found again", "Reproduce"),
    ]
    assert page.count("<svg") == 4  # two victims, by radius and by rate
    assert MARK in page
    assert "Only 12 videos were attacked" in page


def test_page_loads_nothing_from_outside_and_is_small() -> None:
    page = render_attacks(make_attack_study(), [strip()] * 12)
    assert "http" not in page.replace("http-equiv", "")
    assert set(re.findall(r'src="(.{0,22})', page)) == {"data:image/jpeg;base64"}
    assert "url(" not in re.sub(r"url\(#", "", page)
    assert len(page) < 1_000_000


def test_curves_tell_their_figures_to_those_who_do_not_see_them() -> None:
    page = render_attacks([make_attack_result()])
    assert "iterative_fgsm 0.500 at 1 of 255, 1.000 at 4 of 255" in page
    assert "no attack 0.100 at 23 crf, 0.100 at 40 crf" in page
    assert "Of 16 faces of 9 videos, all of which meso4 called fake before." in page


def test_attacks_that_differ_in_their_own_radius_only_have_one_curve() -> None:
    result = make_attack_result()
    small = replace(result, attack="iterative_fgsm-epsilon=2_255", curve_name="iterative_fgsm")
    page = render_attacks([result, small])
    assert page.count("iterative_fgsm 0.500 at 1 of 255") == 1
    assert "iterative_fgsm-epsilon=2_255 0.500" not in page


def test_one_victim_has_no_transfer_and_an_attack_without_curve_no_figure_of_radii() -> None:
    page = render_attacks([replace(make_attack_result(), curve=())])
    assert ">Transfer</h2>" not in page
    assert page.count("<svg") == 1


def test_what_was_not_attacked_is_summed_over_all_attacks_and_shown_by_reason() -> None:
    few = make_attack_result(attack="nes")
    few = replace(few, counts=replace(few.counts, faces=7, dropped_videos={"failed": 2}))
    page = render_attacks([make_attack_result(), few])
    assert "frames and 2 videos, over all attacks" in page  # 3 frames of each attack
    assert "Not attacked</dt><dd>6" in re.sub(r"<(d[td])[^>]*>", r"<\1>", page)
    assert "by the attack with most" in page
    assert "videos: failed" in page


def test_victim_that_called_little_fake_before_is_named_in_the_limits() -> None:
    result = make_attack_result()
    weak = replace(result, counts=replace(result.counts, judged_fake=7))
    assert "meso4 called only 7 of 120 faces fake" in render_attacks([weak])
    assert "called only" not in render_attacks([result])


def test_result_in_which_nothing_was_judged_fake_still_makes_a_page() -> None:
    result = make_attack_result()
    empty = tuple(replace(one, shares={}, methods={}) for one in result.judgements)
    page = render_attacks([replace(result, judgements=empty, costs={}, curve=())])
    assert ">Curves</h2>" not in page


def test_all_that_comes_from_data_is_escaped() -> None:
    result = make_attack_result()
    hostile = replace(
        result,
        attack=EVIL,
        victim=replace(result.victim, name=EVIL),
        notes=(EVIL,),
        settings={EVIL: EVIL},
        options={EVIL: EVIL},
        versions={EVIL: EVIL},
        commit=EVIL,
        frames=EVIL,
        judgements=tuple(replace(one, judge=EVIL) for one in result.judgements),
    )
    assert "<script" not in render_attacks([hostile], [strip(EVIL)])


def test_page_without_results_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="at least one result, got none"):
        render_attacks([])
