from pathlib import Path

import pytest
import torch

from makers.prepared_faces import Prepared, make_prepared
from unmask.catalog import read_catalog
from unmask.detectors.create import create_detector
from unmask.torch_contracts import Detector
from unmask.training.score import fake_probability, score_faces
from unmask.training.store import FaceStore, read_face


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return make_prepared(tmp_path_factory.mktemp("made"), frames=3)


@pytest.fixture(scope="module")
def detector() -> Detector:
    torch.manual_seed(0)
    return create_detector("meso4", size=32)


def test_every_usable_face_has_the_score_that_the_detector_gives_it_alone(
    prepared: Prepared, detector: Detector
) -> None:
    catalog = read_catalog(prepared.catalog)
    found = score_faces(detector, prepared.faces, catalog, batch=4)
    assert found.columns == ["item", "frame", "track", "score"]
    assert len(found) == len(catalog) * 3
    detector.eval()
    for item, frame, _, score in found.head(5).iter_rows():
        image = read_face(str(prepared.faces.parent / f"crops/{item}/{frame}.png"), 32)
        alone = detector.scores(torch.from_numpy(image).permute(2, 0, 1)[None, None] / 255)
        assert score == pytest.approx(alone.detach().item(), abs=1e-6)


def test_only_the_items_of_the_catalog_are_scored(prepared: Prepared, detector: Detector) -> None:
    test = read_catalog(prepared.catalog).filter(split="test")
    found = score_faces(detector, prepared.faces, test)
    assert set(found["item"]) == set(test.table["id"])


def test_no_item_gives_an_empty_table(prepared: Prepared, detector: Detector) -> None:
    nothing = read_catalog(prepared.catalog).filter(split="none")
    assert score_faces(detector, prepared.faces, nothing).is_empty()


def test_batch_store_and_threads_change_nothing(prepared: Prepared, detector: Detector) -> None:
    catalog, store = read_catalog(prepared.catalog), FaceStore()
    first = score_faces(detector, prepared.faces, catalog, batch=7, store=store, workers=1)
    second = score_faces(detector, prepared.faces, catalog, batch=7, store=store, workers=3)
    assert first.equals(second)
    other = score_faces(detector, prepared.faces, catalog, batch=1)["score"]
    assert (first["score"] - other).abs().max() < 1e-6  # type: ignore[operator]


def test_a_detector_in_training_is_left_in_training(prepared: Prepared, detector: Detector) -> None:
    before = {name: one.clone() for name, one in detector.train().state_dict().items()}
    score_faces(detector, prepared.faces, read_catalog(prepared.catalog))
    assert detector.training
    assert all(torch.equal(one, before[name]) for name, one in detector.state_dict().items())


def test_probability_of_fake_is_kept_where_single_precision_would_round_it() -> None:
    detector = create_detector("meso4", size=32)
    found = fake_probability(detector, torch.tensor([[0.0, 0.0], [30.0, 0.0], [0.0, 3.0]]))
    assert found == pytest.approx([0.5, 9.3576e-14, 0.9525741], rel=1e-4)


def test_of_several_kinds_of_fakes_all_count() -> None:
    kinds = ("swap", "real", "blend")
    detector = create_detector("efficientnet_lite0", pretrained=False, size=32, classes=kinds)
    logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    wanted = 1 - logits.softmax(-1)[:, 1]
    assert fake_probability(detector, logits) == pytest.approx(wanted.numpy(), abs=1e-6)


def test_missing_face_table_is_named(
    tmp_path: Path, prepared: Prepared, detector: Detector
) -> None:
    with pytest.raises(LookupError, match="a face table must exist"):
        score_faces(detector, tmp_path / "none.parquet", read_catalog(prepared.catalog))
