import numpy as np
import onnxruntime
import pytest

from unmask.errors import InvalidInputError
from unmask.faces.networks import LAYOUTS, weight_file
from unmask.faces.onnx import GraphWriter, read_weights


def test_a_written_graph_computes_what_was_written() -> None:
    graph = GraphWriter()
    wire = graph.node("Cast", "input", to=1)
    wire = graph.node("Gemm", wire, graph.constant(np.array([[1, 2], [3, 4]], np.float32)))
    wire = graph.node("Transpose", wire, perm=(1, 0))
    model = graph.model(shape=("rows", 2), output=wire, rank=2)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {"input": np.array([[1, 1], [0, 200]], np.uint8)})
    assert result.tolist() == [[4, 600], [6, 800]]


def test_weights_are_read_back_as_they_were_written() -> None:
    graph = GraphWriter()
    values = np.random.default_rng(0).normal(size=(300, 2, 1, 3)).astype(np.float32)
    graph.constant(values)
    graph.constant(np.array([], np.float32))
    read = read_weights(graph.model(shape=(1,), output="nothing", rank=1))
    assert np.array_equal(read["constant_0"], values)
    assert read["constant_1"].shape == (0,)


def test_the_published_networks_have_their_published_size() -> None:
    counts = {
        name: sum(values.size for values in read_weights(weight_file(name).read_bytes()).values())
        for name in LAYOUTS
    }
    # Zhang et al. 2016 with PReLU slopes for each channel.
    assert counts == {"pnet": 6_632, "rnet": 100_178, "onet": 389_040}


@pytest.mark.parametrize("length", [1, 100, 20_000])
def test_a_model_that_was_cut_off_is_refused(length: int) -> None:
    model = weight_file("pnet").read_bytes()[:length]
    with pytest.raises(InvalidInputError, match=f"model must be a whole ONNX file, got {length} b"):
        read_weights(model)
