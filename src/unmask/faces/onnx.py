"""Just enough of the ONNX format to take weights out of a file and to write a small graph.

The format is Protocol Buffers (https://protobuf.dev/programming-guides/encoding) with the field
numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, named below.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from unmask.errors import InvalidInputError

FLOAT, UINT8 = 1, 2  # TensorProto.DataType
ATTRIBUTE_INT, ATTRIBUTE_INTS = 2, 7  # AttributeProto.AttributeType
IR_VERSION, OPERATOR_SET = 8, 17


def read_weights(model: bytes) -> dict[str, NDArray[np.float32]]:
    """Return the float tensors that an ONNX file holds, by name.

    Raises:
        InvalidInputError: if the bytes are no ONNX model.
    """
    weights: dict[str, NDArray[np.float32]] = {}
    try:
        for graph in _inner(model, 7):  # ModelProto.graph
            for tensor in _inner(graph, 5):  # GraphProto.initializer
                name, values = _tensor(tensor)
                if values is not None:
                    weights[name] = values
    except (IndexError, ValueError) as error:
        raise InvalidInputError(
            f"model must be a whole ONNX file, got {len(model)} bytes ({error}); "
            "install the package that brings it again"
        ) from None
    return weights


def _tensor(tensor: bytes) -> tuple[str, NDArray[np.float32] | None]:
    shape: list[int] = []
    kind, name, raw = 0, "", b""
    for field, value in _fields(tensor):
        if field == 1:  # dims, packed or one by one
            shape += [value] if isinstance(value, int) else list(_numbers(value))
        elif field == 2 and isinstance(value, int):  # data_type
            kind = value
        elif field == 8 and isinstance(value, bytes):  # name
            name = value.decode()
        elif field in (4, 9) and isinstance(value, bytes):  # float_data, raw_data
            raw += value
    return name, np.frombuffer(raw, "<f4").reshape(shape) if kind == FLOAT else None


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(message):
        key, position = _number(message, position)
        kind = key & 7
        if kind == 0:
            value, position = _number(message, position)
            yield key >> 3, value
            continue
        if kind == 2:
            length, position = _number(message, position)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")
        if position + length > len(message):
            raise ValueError("it ends too early")
        yield key >> 3, message[position : position + length]
        position += length


def _inner(message: bytes, wanted: int) -> Iterator[bytes]:
    for field, value in _fields(message):
        if field == wanted and isinstance(value, bytes):
            yield value


def _number(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, position


def _numbers(packed: bytes) -> Iterator[int]:
    position = 0
    while position < len(packed):
        value, position = _number(packed, position)
        yield value


class GraphWriter:
    """Write an ONNX model node by node; each call returns the name of its result."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, values: NDArray[np.float32]) -> str:
        """Add a constant tensor."""
        name = f"constant_{len(self._constants)}"
        shape = b"".join(_integer(1, length) for length in values.shape)
        raw = values.astype("<f4").tobytes()
        self._constants.append(shape + _integer(2, FLOAT) + _text(8, name) + _bytes(9, raw))
        return name

    def node(self, operator: str, *inputs: str, **attributes: int | Sequence[int]) -> str:
        """Add an operator."""
        name = f"{operator}_{len(self._nodes)}"
        given = b"".join(_bytes(5, _attribute(key, value)) for key, value in attributes.items())
        wires = b"".join(_text(1, one) for one in inputs) + _text(2, name)
        self._nodes.append(wires + _text(3, name) + _text(4, operator) + given)
        return name

    def model(self, *, shape: Sequence[int | str], output: str, rank: int) -> bytes:
        """Return the model from a uint8 input named `input` to the float result `output`.

        Args:
            shape: of the input; text stands for a size that may vary.
            output: the name of the result.
            rank: how many dimensions the result has.
        """
        graph = (
            b"".join(_bytes(1, node) for node in self._nodes)
            + _text(2, "graph")
            + b"".join(_bytes(5, constant) for constant in self._constants)
            + _bytes(11, _value("input", UINT8, shape))
            + _bytes(12, _value(output, FLOAT, [f"size_{axis}" for axis in range(rank)]))
        )
        version = _text(1, "") + _integer(2, OPERATOR_SET)
        return _integer(1, IR_VERSION) + _bytes(7, graph) + _bytes(8, version)


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _integer(3, value) + _integer(20, ATTRIBUTE_INT)
    return (
        _text(1, name) + b"".join(_integer(8, one) for one in value) + _integer(20, ATTRIBUTE_INTS)
    )


def _value(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    sizes = (_text(2, one) if isinstance(one, str) else _integer(1, one) for one in shape)
    tensor = _integer(1, kind) + _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
