import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from makers.study import make_result, make_study
from unmask.benchmark.page import Report, render, write_page
from unmask.benchmark.pictures import Picture, data_uri
from unmask.benchmark.results import Part
from unmask.errors import InvalidInputError

EVIL = '<script>alert("1")</script>&'
VOID = {"meta", "br", "img", "wbr"}


class Structure(HTMLParser):
    """Collects the tags of a page and checks that each is closed in its place."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def report(**changes: object) -> Report:
    study = make_study(("meso4", "xception"), dataset="deepfakemnist")
    random = np.random.default_rng(0)
    face = random.integers(0, 256, (300, 240, 3)).astype(np.uint8)
    whole = Report(
        title="Two detectors",
        summary=["Trained and tested."],
        results=[result for result, _ in study],
        scores={result.name: scores for result, scores in study},
        hardest=[Picture(face, "fake/041.mp4", "P001", 0.03, 1)] * 3,
        dropped=[Picture(None, "real/broken.mp4", "unreadable")],
        stand_in=True,
        command="unmask demo",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_page_is_well_formed_has_every_section_and_is_small() -> None:
    page = render(report())
    structure = Structure(page)
    headings = re.findall(r"<h2[^>]*>([^<]*)</h2>", page)
    assert headings == [
        *("Results", "Limits", "Ranking", "Decisions", "Scores", "Calibration"),
        *("Hardest", "Not scored", "What was scored", "Reproduce"),
    ]
    assert len(structure.all("svg")) == 1 + 3 + 2 + 2
    assert len(page) < 1_000_000


def test_page_loads_nothing_from_outside() -> None:
    page = render(report())
    structure = Structure(page)
    assert "http" not in page.replace("http-equiv", "")
    assert not {"script", "link", "iframe"} & {tag for tag, _ in structure.tags}
    sources = [one["src"] for one in structure.all("img")]
    assert sources
    assert all(source and source.startswith("data:image/jpeg;base64,") for source in sources)
    assert "@import" not in page
    assert "url(" not in re.sub(r"url\(#", "", page)


def test_all_that_comes_from_data_is_escaped() -> None:
    result, scores = make_result()
    hostile = replace(
        result,
        detector=EVIL,
        protocol=EVIL,
        test=Part(EVIL, (EVIL,), EVIL),
        train=Part(EVIL, (EVIL,), EVIL),
        notes=(EVIL,),
        settings={EVIL: EVIL},
        versions={EVIL: EVIL},
        commit=EVIL,
        aggregate="mean",
        checkpoint=replace(result.checkpoint, name=EVIL),
        counts=replace(result.counts, dropped={EVIL: 1}),
    )
    page = render(
        report(
            title=EVIL,
            summary=[EVIL],
            results=[hostile],
            scores={hostile.name: scores},
            hardest=[Picture(None, EVIL, EVIL, 0.5, 0)],
            dropped=[Picture(None, EVIL, EVIL)],
            caveats=[EVIL],
            command=EVIL,
        )
    )
    structure = Structure(page)
    assert structure.all("script") == []
    assert "<script" not in page
    assert structure.text.count(EVIL) > 10


def test_every_picture_figure_and_table_says_what_it_is() -> None:
    structure = Structure(render(report()))
    assert all(one["alt"] for one in structure.all("img"))
    assert all(one["aria-label"] and one["role"] == "img" for one in structure.all("svg"))
    assert len(structure.all("caption")) == len(structure.all("table"))
    assert all(one.get("scope") for one in structure.all("th"))
    assert structure.all("html")[0]["lang"] == "en"


def test_every_link_of_the_contents_leads_to_a_heading() -> None:
    structure = Structure(render(report()))
    anchors = {one["id"] for one in structure.all("h2")}
    assert {str(one["href"])[1:] for one in structure.all("a")} == anchors


def test_stand_in_people_are_announced_and_real_ones_are_not() -> None:
    assert "every “real” clip is itself made by a machine" in render(report())
    assert "Stand-in" not in render(report(stand_in=False))


def test_few_videos_and_few_persons_are_told_as_limits() -> None:
    result, scores = make_result(videos=8)
    page = render(report(results=[result], scores={result.name: scores}))
    assert "only 8 videos of a class" in page
    assert "only 10 persons" in page


def test_more_pictures_than_a_page_should_hold_are_counted() -> None:
    page = render(report(hardest=[Picture(None, f"clip {place}") for place in range(30)]))
    assert "clip 23" in page
    assert "clip 24" not in page
    assert "and 6 more" in page


def test_published_figures_stand_in_the_table_of_accuracy() -> None:
    page = render(report())
    assert "Accuracy by frame, trained and tested on the same quality" in page
    assert "publ. 0.924" in page


def test_page_of_one_result_without_scores_says_so() -> None:
    result, _ = make_result(trained=("raw",), tested="c40")
    page = render(report(results=[result], scores={}, hardest=[], dropped=[]))
    Structure(page)
    assert "No scores are kept beside these results" in page
    assert '<h2 id="hardest"' not in page


def test_page_without_results_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="must have at least one result, got none; run a"):
        render(report(results=[]))


def test_page_is_written_whole(tmp_path: Path) -> None:
    path = write_page(report(), tmp_path / "deep" / "report.html")
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


def test_large_picture_is_made_small_and_keeps_its_colours(tmp_path: Path) -> None:
    red = np.zeros((900, 600, 3), np.uint8)
    red[..., 0] = 250
    path = tmp_path / "red.png"
    cv2.imwrite(str(path), cv2.cvtColor(red, cv2.COLOR_RGB2BGR))
    for source in (red, path):
        uri = data_uri(source)
        assert uri is not None
        coded = np.frombuffer(b64decode(uri.split(",")[1]), np.uint8)
        read = cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB)
        assert read is not None
        assert read.shape == (224, 149, 3)
        assert read[100, 70, 0] > 230 > 30 > read[100, 70, 2]


def test_picture_that_cannot_be_read_leaves_a_place_for_it(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    for name in ("empty.jpg", "broken.jpg", "absent.jpg"):
        assert data_uri(tmp_path / name) is None
    assert "no picture" in render(report(hardest=[Picture(tmp_path / "absent.jpg", "a")]))
