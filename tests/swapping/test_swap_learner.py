"""What the autoencoder of a training is made with."""

from pathlib import Path
from typing import Any

import pytest
import torch

from unmask.autoencoders import AUTOENCODERS
from unmask.errors import InvalidInputError
from unmask.swapping.encoder import EncoderSettings
from unmask.swapping.learner import network_options
from unmask.swapping.pair_settings import PairSettings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"model": "dfaker", "options": ("output_size=100",)},
            "output_size must be 128 or 256, got 100; choose one of them",
        ),
        ({"options": ("width=3",)}, r"width must lie in \(0, 1\], got 3.0; 1 is the published"),
        ({"options": ("lowmem=maybe",)}, "lowmem must be true or false, got 'maybe'"),
    ],
)
def test_what_the_autoencoder_refuses_is_refused_by_the_settings_of_a_verb(
    tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        EncoderSettings(tmp_path / "catalog.parquet", tmp_path / "out", **given)


@pytest.mark.parametrize("model", list(AUTOENCODERS))
def test_options_are_found_without_a_draw_from_the_common_randomness(model: str) -> None:
    before = torch.get_rng_state()
    assert network_options(PairSettings(model=model, width=0.5))["width"] == 0.5
    assert torch.equal(torch.get_rng_state(), before)
