from math import prod
from typing import Any

import pytest
import torch
from torch import nn

from makers.autoencoder_tables import TABLES, Table, weight_shapes
from unmask.autoencoders import AUTOENCODERS
from unmask.autoencoders.iae import IAE
from unmask.errors import InvalidInputError
from unmask.torch_contracts import SOURCE, TARGET, Autoencoder

# Of faceswap at commit 183aee37: encoder, what each person has alone, all with two persons.
PUBLISHED = {
    "original": (69_662_976, 6_199_747, 82_062_470),
    "original-lowmem=True": (48_165_632, 6_199_747, 60_565_126),
    "lightweight": (29_806_336, 10_630_019, 51_066_374),
    "iae": (17_214_720, 25_175_040, 117_816_003),
    "dfaker": (69_662_976, 21_833_923, 113_330_822),
    "dfl_h128": (77_018_880, 15_348_611, 107_716_102),
}
IAE_DECODER = 25_076_163


def made(table: Table, width: float = 1.0) -> Autoencoder:
    part: Any = AUTOENCODERS[table.model]
    with torch.device("meta"):  # shapes alone: the networks have 400 MB of weights
        autoencoder: Autoencoder = part(width=width, **table.options)
    return autoencoder


def count(part: nn.Module) -> int:
    return sum(parameter.numel() for parameter in part.parameters())


def encoder_of(autoencoder: Autoencoder) -> nn.Module:
    encoder = autoencoder.encoder if isinstance(autoencoder, IAE) else autoencoder.shared
    assert isinstance(encoder, nn.Module)
    return encoder


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_network_has_the_published_number_of_parameters(table: Table) -> None:
    autoencoder = made(table)
    shapes = weight_shapes(table, 1.0)
    own = "inter_a" if table.inter else "decoder_a"
    counts = [
        *(sum(map(prod, shapes[name])) for name in ("encoder", own)),
        sum(prod(shape) for part in shapes.values() for shape in part),
    ]
    found = [count(encoder_of(autoencoder)), count(autoencoder.own[0]), count(autoencoder)]
    assert found == counts
    assert tuple(found) == PUBLISHED.get(table.name, tuple(counts))
    assert count(autoencoder.own[1]) == found[1]


def test_all_published_counts_are_compared() -> None:
    assert PUBLISHED.keys() <= {table.name for table in TABLES}
    assert {table.model for table in TABLES} == set(AUTOENCODERS)


def test_iae_shares_its_decoder_and_a_bottleneck() -> None:
    with torch.device("meta"):
        autoencoder = IAE()
    assert count(autoencoder.decoder) == IAE_DECODER
    assert count(autoencoder.both) == PUBLISHED["iae"][1]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("width", [1.0, 0.1])
def test_faces_go_in_and_come_out_at_the_published_sizes(table: Table, width: float) -> None:
    autoencoder = made(table, width)
    sizes = {"original": 64, "lightweight": 64, "iae": 64, "dfaker": 128, "dfl_h128": 128}
    size = table.options.get("output_size", sizes[table.model])
    assert (autoencoder.input_size, autoencoder.output_size) == (table.side, size)
    faces = torch.empty(2, 3, table.side, table.side, device="meta")
    for side in (TARGET, SOURCE):
        assert autoencoder(faces, side).shape == (2, 3, size, size)


def test_dfaker_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="output_size must be 128 or 256, got 64"):
        AUTOENCODERS["dfaker"](output_size=64)  # type: ignore[call-arg]
