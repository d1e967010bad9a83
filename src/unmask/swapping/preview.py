"""A sheet of held-out faces, as they are and as each person: what a training has learned."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unmask.contracts import Image
from unmask.swapping.batches import as_faces
from unmask.swapping.pictures import Batch
from unmask.torch_contracts import SOURCE, TARGET, Autoencoder
from unmask.video.picture import write_png

PREVIEW = "preview.png"
ROWS = 8
CELL = 128  # pixels of a face's side, at least
HEAD = 20  # pixels above the faces, for the titles
GAP = 2
TITLES = ("A", "A -> A", "A -> B", "B", "B -> B", "B -> A")


@torch.inference_mode()
def write_preview(
    folder: Path, network: Autoencoder, shown: Sequence[Batch], *, made_by: str
) -> Path:
    """Write `preview.png`: a row for each face of both sides, or of one where only one learns.

    Args:
        folder: where it goes.
        network: the autoencoder as it is now.
        shown: unchanged faces of the target, A, and of the source, B.
        made_by: what its synthetic mark says.
    """
    device = next(network.parameters()).device
    orders = [(TARGET, SOURCE), (SOURCE, TARGET)] if len(shown) == 2 else [(TARGET,)]
    columns = []
    for batch, order in zip(shown, orders, strict=True):
        faces = as_faces(batch.inputs, device)
        columns.append(_pictures(batch.targets))
        columns += [_pictures(network(faces, side).mul(255).round()) for side in order]
    return write_png(folder / PREVIEW, sheet(columns), synthetic=made_by)


def sheet(columns: Sequence[NDArray[np.uint8]]) -> Image:
    """Return a picture with a titled column for each stack of faces (N, S, S, 3)."""
    rows, size = min(len(one) for one in columns), columns[0].shape[1]
    cell = size * max(1, -(-CELL // size))
    pitch = cell + GAP
    made = np.full((HEAD + rows * pitch, len(columns) * pitch - GAP, 3), 255, np.uint8)
    for number, (title, faces) in enumerate(zip(TITLES, columns, strict=False)):
        left = number * pitch
        place, font = (left + 4, HEAD - 6), cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(made, title, place, font, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        for row in range(rows):
            top = HEAD + row * pitch
            large = cv2.resize(faces[row], (cell, cell), interpolation=cv2.INTER_CUBIC)
            made[top : top + cell, left : left + cell] = large
    return made


def _pictures(faces: Tensor) -> NDArray[np.uint8]:
    return np.ascontiguousarray(faces.permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8))
