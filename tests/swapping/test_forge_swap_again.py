"""The verb `forge swap` in a folder that holds swaps already."""

from pathlib import Path

import pytest

from makers import forgeable
from makers.forgeable import clip_row
from makers.small_swap import drawn, settings, swaps
from unmask.errors import InvalidInputError
from unmask.generators.openpeople import CorpusSettings, make_corpus
from unmask.swapping.forge_swap import forge_swap
from unmask.swapping.mirror import mirrored
from unmask.swapping.swap_model import load_swap, read_swap_card, save_swap
from unmask.torch_contracts import SOURCE


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with clips of the made people P001, P002 and P010."""
    made = tmp_path_factory.mktemp("corpus")
    corpus = CorpusSettings(made, ("P001", "P002", "P010"), ("yaw",), frames=6, size=160, workers=1)
    folder = tmp_path_factory.mktemp("clips")
    for name, row in zip(("ann", "bob", "cid"), make_corpus(corpus).rows(), strict=True):
        (folder / f"{name}.mp4").write_bytes((made / row["path"]).read_bytes())
    return folder


def test_swaps_of_files_by_further_models_and_people_are_kept_beside(
    clips: Path, tmp_path: Path
) -> None:
    target = str(clips / "ann.mp4")
    for model, source in (("original", "bob"), ("iae", "bob"), ("original", "cid")):
        asked = settings(
            None, tmp_path, target=target, source=str(clips / f"{source}.mp4"), model=model
        )
        catalog = forge_swap(asked)
    assert sorted(row["id"] for row in swaps(catalog)) == [
        "iae/ann_bob.mp4",
        "original/ann_bob.mp4",
        "original/ann_cid.mp4",
    ]
    assert {row["id"] for row in catalog.filter(label=0).rows()} == {
        "ann.mp4",
        "bob.mp4",
        "cid.mp4",
    }
    for row in swaps(catalog):
        assert catalog.media(row["landmarks"]).is_file()
    other = tmp_path / "other"
    other.mkdir()
    for one, name in (("bob", "ann"), ("cid", "bob")):
        (other / f"{name}.mp4").write_bytes((clips / f"{one}.mp4").read_bytes())
    others = {"target": str(other / "ann.mp4"), "source": str(other / "bob.mp4")}
    with pytest.raises(InvalidInputError, match="out must not hold fakes that its new catalog"):
        forge_swap(settings(None, tmp_path, **others, model="dfaker"))


def test_clips_whose_swaps_would_share_a_name_are_refused_before_the_training(
    tmp_path: Path,
) -> None:
    rows = [clip_row(tmp_path, name, take, frames=5) for name, take in (("ann", "x"), ("bob", "a"))]
    rows.append(clip_row(tmp_path, "ann-x", "b", frames=5))
    rows[2] |= {"id": "ann-x.mp4", "person": "ann"}
    path = forgeable.make(tmp_path, *rows)
    with pytest.raises(
        InvalidInputError, match=r"id of its own, got .* for ann/x\.mp4 and for ann-x"
    ):
        forge_swap(settings(path, tmp_path / "out"))
    assert not (tmp_path / "out" / "models").exists()


def test_pair_the_other_way_round_is_that_of_the_weights_that_there_are(tmp_path: Path) -> None:
    forge_swap(settings(drawn(tmp_path), tmp_path / "out"))
    (model,) = (tmp_path / "out" / "models").iterdir()
    first = read_swap_card(mirrored(model)).weights_sha256
    assert read_swap_card(mirrored(model)).weights_sha256 == first
    (model / "back" / "weights.safetensors").write_bytes(b"broken")
    load_swap(mirrored(model))
    network, card = load_swap(model)
    next(network.own[SOURCE].parameters()).data.zero_()
    save_swap(model, network, card)
    assert load_swap(mirrored(model))[1].weights_sha256 != first
