import pytest

from unmask.benchmark.published import PUBLISHED, published_for
from unmask.benchmark.results import Part


def part(*qualities: str, dataset: str = "deepfakemnist", method: str = "") -> Part:
    return Part(dataset, qualities, "any", (method,) if method else ())


@pytest.mark.parametrize(
    ("detector", "train", "test", "value"),
    [
        ("resnet50", part("raw"), part("raw"), 0.9658),
        ("resnet101", part("c40"), part("c40"), 0.9044),
        ("resnet152", part("c40"), part("c23"), 0.7669),
        ("xception", part("c23"), part("raw"), 0.8789),
        ("meso4", part("raw"), part("c40"), 0.5692),
        ("resnet50", part("raw", "c23", "c40"), part("c40"), 0.8556),
        ("resnet152", part("c40", "raw", "c23"), part("raw"), 0.9578),
    ],
)
def test_accuracy_of_deepfakemnist_is_found_by_training_and_test_quality(
    detector: str, train: Part, test: Part, value: float
) -> None:
    (found,) = published_for(detector, train, test)
    assert (found.metric, found.level, found.value) == ("accuracy", "frame", value)
    assert "2108.07949" in found.source


def test_accuracy_of_a_method_is_not_that_of_all_methods() -> None:
    one = part("c23", dataset="faceforensics", method="NeuralTextures")
    every = part("c23", dataset="faceforensics")
    assert published_for("xception", one, one)[0].value == 0.945
    assert [(found.metric, found.value) for found in published_for("xception", every, every)] == [
        ("auc", 0.9637)
    ]


def test_name_that_the_paper_leaves_open_is_noted() -> None:
    assert "which of the two networks" in published_for("meso4", part("raw"), part("raw"))[0].note


@pytest.mark.parametrize(
    ("detector", "train", "test"),
    [
        ("efficientnet_lite0", part("raw"), part("raw")),
        ("xception", part("raw"), part("raw", dataset="faceforensics")),
        ("xception", part("raw", dataset="openpeople"), part("raw", dataset="openpeople")),
        ("resnet101", part("raw"), part("c23")),
        ("xception", part("raw", "c23"), part("raw")),
        ("xception", part("raw", method="blink"), part("raw")),
    ],
)
def test_nothing_is_found_for_what_nobody_published(detector: str, train: Part, test: Part) -> None:
    assert published_for(detector, train, test) == ()


def test_every_published_figure_is_a_share_with_its_source() -> None:
    figures = [one for found in PUBLISHED.values() for one in found]
    assert len(figures) == 45 + 30 + 4
    assert all(0.45 < one.value <= 1 and one.source for one in figures)
