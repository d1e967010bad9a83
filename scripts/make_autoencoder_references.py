"""Build the five autoencoders a second time, in Keras, and keep what they make of random weights.

The tests compare Unmask's networks with the file that this script wrote, so they need no Keras. To
make it again, in an environment that has Unmask and h5py:

    pip install keras==3.15.1 jax==0.10.2
    KERAS_BACKEND=jax JAX_ENABLE_X64=1 python scripts/make_autoencoder_references.py

It also compares the networks at their full width, which takes 8 GB of memory and some minutes. All
is in double precision, so that only the last rounding of ours is left between them: 1e-7. (Keras
on PyTorch multiplies dense layers in single precision: 2e-5 are left, of rounding.)
"""

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import torch
from keras import KerasTensor, layers

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from makers.autoencoder_tables import (
    REFERENCES,
    TABLES,
    WIDTH,
    Array,
    Layer,
    Table,
    kept,
    random_faces,
    random_weights,
)
from unmask.autoencoders import AUTOENCODERS
from unmask.autoencoders.keras_layout import load_keras_weights, read_keras_weights
from unmask.autoencoders.layers import scaled


def main() -> None:
    """Compare at full width, then write the references of narrow networks."""
    keras.config.set_floatx("float64")
    for table in TABLES:
        compare(table, width=1.0)
    made = {table.name: kept(compare(table, width=WIDTH)) for table in TABLES}
    np.savez_compressed(REFERENCES, **made)
    print(f"{REFERENCES.name}: {REFERENCES.stat().st_size // 1024} KiB")


def compare(table: Table, *, width: float) -> Array:
    """Return a face as Keras rebuilds it for target and source, and say how far off ours is."""
    parts = build(table, width)
    for name, weights in random_weights(table, width).items():
        parts[name].set_weights(weights)
    faces = random_faces(table)
    made = np.stack([network(table, parts, side).predict(faces, verbose=0) for side in "ab"])
    model: Any = AUTOENCODERS[table.model]
    ours = model(width=width, **table.options).double()
    load_keras_weights(ours, through_file(table, parts), is_bgr=False)
    with torch.inference_mode():
        given = torch.from_numpy(faces).permute(0, 3, 1, 2).double()
        mine = np.stack([ours(given, side).permute(0, 2, 3, 1).numpy() for side in (0, 1)])
    counts = ", ".join(f"{name} {part.count_params():,}" for name, part in parts.items())
    total = sum(part.count_params() for part in parts.values())
    difference = np.abs(made - mine).max()
    print(f"{table.name} x {width}: {counts}; {total:,} in all; {difference:.1e}", flush=True)
    return made.astype(np.float32)


def through_file(table: Table, parts: dict[str, keras.Model]) -> dict[str, list[Array]]:
    """Return the weights as they are read from the file that Keras writes of the whole model."""
    networks = [network(table, parts, side) for side in "ab"]
    inputs, outputs = [one.input for one in networks], [one.output for one in networks]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{table.model}.h5"
        keras.Model(inputs, outputs).save(path, include_optimizer=False)
        return read_keras_weights(path)


def build(table: Table, width: float) -> dict[str, keras.Model]:
    """Return the parts as Keras models."""
    encoder = part("encoder", table.encoder, (table.side, table.side, 3), width)
    encoded = encoder.output.shape[1:]
    if not table.inter:
        decoders = ("decoder_a", "decoder_b")
        return {"encoder": encoder} | {
            name: part(name, table.decoder, encoded, width) for name in decoders
        }
    names = ("inter_a", "inter_b", "inter_both")
    inters = {name: part(name, table.inter, encoded, width) for name in names}
    side, _, channels = inters["inter_a"].output.shape[1:]
    decoder = part("decoder", table.decoder, (side, side, 2 * channels), width)
    return {"encoder": encoder} | inters | {"decoder": decoder}


def network(table: Table, parts: dict[str, keras.Model], side: str) -> keras.Model:
    """Return the way of a face through the parts of one side, a or b."""
    face = keras.Input((table.side, table.side, 3))
    encoded = parts["encoder"](face)
    if not table.inter:
        return keras.Model(face, parts[f"decoder_{side}"](encoded))
    inters = [parts[f"inter_{side}"](encoded), parts["inter_both"](encoded)]
    return keras.Model(face, parts["decoder"](layers.Concatenate()(inters)))


def part(name: str, rows: tuple[Layer, ...], taken: tuple[int, ...], width: float) -> keras.Model:
    """Return the layers one after the other."""
    first = keras.Input(taken)
    last = first
    for kind, *numbers in rows:
        channels = 3 if kind == "out" else scaled(numbers[-1], width)
        last = LAYERS[kind](last, *numbers[:-1], channels)
    return keras.Model(first, last, name=name)


def conv(taken: KerasTensor, channels: int) -> KerasTensor:
    """Halve the size."""
    found = layers.Conv2D(channels, 5, strides=2, padding="same")(taken)
    return layers.LeakyReLU(negative_slope=0.1)(found)


def dense(taken: KerasTensor, channels: int) -> KerasTensor:
    """Multiply all values."""
    return layers.Dense(channels)(layers.Flatten()(taken))


def to_map(taken: KerasTensor, side: int, channels: int) -> KerasTensor:
    """Multiply a vector to a map."""
    return layers.Reshape((side, side, channels))(layers.Dense(side * side * channels)(taken))


def up(taken: KerasTensor, channels: int) -> KerasTensor:
    """Double the size."""
    found = layers.Conv2D(4 * channels, 3, padding="same")(taken)
    return depth_to_space(layers.LeakyReLU(negative_slope=0.1)(found))


def upres(taken: KerasTensor, channels: int) -> KerasTensor:
    """Double the size, and add two convolutions."""
    doubled = depth_to_space(layers.Conv2D(4 * channels, 3, padding="same")(taken))
    start = layers.LeakyReLU(negative_slope=0.2)(doubled)
    found = layers.Conv2D(channels, 3, padding="same")(start)
    found = layers.LeakyReLU(negative_slope=0.2)(found)
    found = layers.Conv2D(channels, 3, padding="same")(found)
    return layers.LeakyReLU(negative_slope=0.2)(layers.Add()([found, start]))


def out(taken: KerasTensor, channels: int) -> KerasTensor:
    """Make the picture."""
    return layers.Conv2D(channels, 5, padding="same", activation="sigmoid")(taken)


def depth_to_space(taken: KerasTensor) -> KerasTensor:
    """Lay the four quarters of the channels beside and below each other."""
    height, width, depth = taken.shape[1:]
    quarters = layers.Reshape((height, width, 2, 2, depth // 4))(taken)
    rows = layers.Permute((1, 3, 2, 4, 5))(quarters)
    return layers.Reshape((2 * height, 2 * width, depth // 4))(rows)


LAYERS: dict[str, Callable[..., KerasTensor]] = {
    "conv": conv,
    "dense": dense,
    "map": to_map,
    "up": up,
    "upres": upres,
    "out": out,
}

if __name__ == "__main__":
    main()
