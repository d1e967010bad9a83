from collections.abc import Sequence

import polars as pl
import pytest
import torch
from torch import Tensor

from makers.known_detectors import Tint
from unmask.benchmark.defence_checks import BLACK_BOX, RADIUS, STEPS, UNBOUND, gradient_checks
from unmask.benchmark.defence_measure import JUDGED, Measuring
from unmask.benchmark.defence_results import Check
from unmask.benchmark.defence_trials import Trial, planned
from unmask.contracts import FAKE
from unmask.torch_contracts import Detector

WAY = Measuring(resamples=100)
ATTACKS = ("fgsm", "iterative_fgsm", "square:queries=100")


class Coarse(Tint):
    """Sees its faces in 8 levels only, without a gradient and without a stand-in for one."""

    def logits(self, faces: Tensor) -> Tensor:
        return super().logits((faces * 7).round() / 7)


def attacked(detector: Detector, trials: Sequence[Trial]) -> list[tuple[Trial, pl.DataFrame]]:
    """Return the rows of each trial on twelve faces that the detector calls fake."""
    random = torch.Generator().manual_seed(0)
    noise = 0.16 * (torch.rand(60, 1, 3, 8, 8, generator=random) - 0.5)
    faces = 0.5 + noise + 0.012 * torch.tensor([1.0, -1.0, 1.0]).view(3, 1, 1)
    faces = (faces * 255).round() / 255
    faces = faces[detector.scores(faces) >= 0.5][:12]
    assert len(faces) == 12
    found = []
    for trial in trials:
        made = trial.create()[0](detector, faces, torch.full((12,), FAKE), seed=0)
        rows = pl.DataFrame(
            {
                "item": [f"{place // 2}.mp4" for place in range(12)],
                "frame": range(12),
                "track": [0] * 12,
                "label": [FAKE] * 12,
                "before": made.scores_before.double().numpy(),
                "after": made.scores_after.double().numpy(),
            }
        )
        others = {name: kind for name, kind in JUDGED.items() if name not in rows.columns}
        rows = rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in others.items())
        found.append((trial, rows.select(pl.col(name).cast(JUDGED[name]) for name in JUDGED)))
    return found


def by_name(checks: Sequence[Check]) -> dict[str, Check]:
    return {one.name: one for one in checks}


@pytest.fixture(scope="module")
def masked() -> dict[str, Check]:
    trials = planned(ATTACKS, "pgd:random_start=false", 16)
    return by_name(gradient_checks(attacked(Coarse(), trials), WAY))


@pytest.fixture(scope="module")
def sound() -> dict[str, Check]:
    trials = planned(ATTACKS, "pgd", 8)
    return by_name(gradient_checks(attacked(Tint(), trials), WAY))


def test_a_detector_without_a_gradient_is_flagged_by_scores_and_by_what_has_no_bound(
    masked: dict[str, Check],
) -> None:
    assert masked[BLACK_BOX].state == "suspicious"
    assert masked[UNBOUND].state == "suspicious"
    assert masked[UNBOUND].told == "0 % (12 faces of 6 videos)"
    assert "many steps 0 %" in masked[BLACK_BOX].told


def test_a_detector_with_a_true_gradient_passes(sound: dict[str, Check]) -> None:
    assert {one.state for one in sound.values()} == {"passed"}
    assert sound[UNBOUND].told == "100 % (12 faces of 6 videos)"


def rows(fooled: str) -> pl.DataFrame:
    """Return videos of three faces that are fooled where the text has an x."""
    return pl.DataFrame(
        [
            {"item": f"{place}.mp4", "frame": frame, "track": 0, "label": FAKE}
            | {"before": 0.9, "after": 0.1 if one == "x" else 0.9}
            for place, one in enumerate(fooled)
            for frame in range(3)
        ],
        schema={
            name: JUDGED[name] for name in ("item", "frame", "track", "label", "before", "after")
        },
    )


def checked(
    attacks: Sequence[str] = ATTACKS, best: str = "pgd", /, **fooled: str
) -> dict[str, Check]:
    """Return the checks of trials of known success, by what they are called in `planned`."""
    names = {name.replace("_at_", " at "): text for name, text in fooled.items()}
    trials = [one for one in planned(attacks, best, 4) if one.name in names]
    return by_name(gradient_checks([(one, rows(names[one.name])) for one in trials], WAY))


ALL = {
    "fgsm": "x...",
    "iterative_fgsm": "xx..",
    "square": "x...",
    "adaptive": "xxx.",
    "adaptive_at_2": "x...",
    "adaptive_at_8": "xxxx",
    "unbounded": "xxxx",
}


def test_what_must_hold_is_told_with_its_figures() -> None:
    found = checked(**ALL)
    assert {one.state for one in found.values()} == {"passed"}
    assert found[BLACK_BOX].told == (
        "scores fooled 25 %, many steps 75 %; scores alone 0 % (12 faces of 4 videos)"
    )
    assert found[RADIUS].told == "25 % at 2, 75 % at 4, 100 % at 8 (12 faces of 4 videos)"


def test_faces_that_only_scores_fool_are_suspicious_even_if_gradients_fool_more() -> None:
    assert checked(**ALL | {"square": "...x"})[BLACK_BOX].state == "suspicious"


def test_faces_that_only_one_step_fools_are_suspicious() -> None:
    assert checked(**ALL | {"fgsm": "...x"})[STEPS].state == "suspicious"


@pytest.mark.parametrize("wider", ["carlini_wagner", "pgd:epsilon=64/255"])
def test_what_an_attack_of_another_bound_fools_excuses_nothing(wider: str) -> None:
    fooled = ALL | {"fgsm": "...x", "square": "...x", wider.partition(":")[0]: "xxxx"}
    found = checked((*ATTACKS, wider), **fooled)
    assert [found[name].state for name in (BLACK_BOX, STEPS)] == ["suspicious"] * 2


def test_each_attack_is_compared_within_its_own_radius() -> None:
    attacks = ("fgsm:epsilon=2/255", "square:epsilon=8/255")
    found = checked(attacks, **ALL | {"fgsm": "x..x", "square": "...x"})
    # Many steps fool the first face at 2, the first three at 4, and all at 8.
    assert found[STEPS].told.startswith("one step fooled 50 %, many steps 25 %; one step alone 25 ")
    assert found[BLACK_BOX].state == "passed"


def test_one_step_does_not_stand_for_gradients_against_scores() -> None:
    attacks = ("fgsm", "iterative_fgsm:iterations=1", "square")
    fooled = ALL | {"fgsm": "x..x", "iterative_fgsm": "x..x", "square": "...x"}
    assert checked(attacks, **fooled)[BLACK_BOX].state == "suspicious"


def test_steps_of_no_fair_radius_are_not_compared() -> None:
    found = checked(("fgsm:epsilon=1/255",), **ALL)[STEPS]
    assert found.state == "not done"
    assert (
        found.told == "no attack by many steps has the radius of one by one step, or a smaller one"
    )


def test_success_that_does_not_change_with_the_radius_is_suspicious_below_all() -> None:
    names = ("adaptive_at_2", "adaptive", "adaptive_at_8")
    for fooled, state in (("....", "suspicious"), ("xx..", "suspicious"), ("xxxx", "passed")):
        assert checked(**ALL | dict.fromkeys(names, fooled))[RADIUS].state == state


def test_too_few_faces_or_videos_pass_nothing() -> None:
    for few, told in (("x", "only 3 faces of 1 videos were judged fake before"), ("xxx", "only 9")):
        found = checked(**dict.fromkeys(ALL, few))
        assert {one.state for one in found.values()} == {"not done"}
        assert found[UNBOUND].told.startswith(told)


def test_adaptive_attack_that_nothing_bounds_is_the_one_without_a_bound() -> None:
    found = checked(("fgsm",), "carlini_wagner", fgsm="....", adaptive="xxx.")
    assert found[UNBOUND].told == "75 % (12 faces of 4 videos)"
    assert {found[name].state for name in (STEPS, RADIUS)} == {"not done"}


def test_success_that_falls_with_the_radius_is_suspicious() -> None:
    assert checked(**ALL | {"adaptive_at_8": "xx.."})[RADIUS].state == "suspicious"


def test_one_face_that_withstands_without_a_bound_is_suspicious() -> None:
    found = checked(**ALL | {"unbounded": "xxx."})[UNBOUND]
    assert (found.state, found.told) == ("suspicious", "75 % (12 faces of 4 videos)")


def test_a_check_that_lacks_its_attacks_is_not_done() -> None:
    found = checked(**{name: text for name, text in ALL.items() if name != "square"})
    assert (found[BLACK_BOX].state, found[BLACK_BOX].told) == (
        "not done",
        "no attack by scores was made",
    )


def test_nothing_is_checked_where_no_fake_is_found_even_clean() -> None:
    trials = planned(["fgsm"], "pgd", 4)
    blind = rows("xx").with_columns(before=pl.lit(0.1))
    found = gradient_checks([(one, blind) for one in trials], WAY)
    assert {one.state for one in found} == {"not done"}
