"""Who a face looks like: the embedding of dlib's face recognition."""

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import missing_extra
from unmask.faces.topology import Points, contours_of

Embeddings = NDArray[np.float64]  # (N, 128)

MODEL = "dlib_face_recognition_resnet_model_v1"
SAME_PERSON = 0.6  # dlib takes two faces for one person's below this distance


def check_embedder() -> None:
    """Refuse to go on where faces cannot be embedded.

    Raises:
        MissingDependencyError: if the extra `landmarks` is not installed.
    """
    if find_spec("dlib") is None or _model() is None:
        raise missing_extra("dlib-bin", "landmarks", "comparing the identities of faces")


def embeddings(faces: Iterable[tuple[Image, Points]]) -> Embeddings:
    """Return the embedding of each face, (N, 128).

    Args:
        faces: pictures (H, W, 3) uint8 RGB with the landmarks (K, 2) of the face in pixels.

    Raises:
        MissingDependencyError: if the extra `landmarks` is not installed.

    Reference:
        King, "High quality face recognition with deep metric learning", 2017.
        http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html
    """
    check_embedder()
    found = [_embedding(image, contours_of(landmarks)) for image, landmarks in faces]
    return np.array(found, dtype=np.float64).reshape(-1, 128)


def mean_distance(one: Embeddings, other: Embeddings) -> float:
    """Return the mean Euclidean distance from the faces of one set to those of another.

    Example:
        >>> mean_distance(np.zeros((2, 128)), np.eye(3, 128))
        1.0
    """
    return float(distances(one, other).mean())


def distances(one: Embeddings, other: Embeddings) -> NDArray[np.float64]:
    """Return the distance (N, M) of each of N faces to each of M others."""
    return np.asarray(np.linalg.norm(one[:, None] - other, axis=2))


def _embedding(image: Image, contours: Points) -> NDArray[np.float64]:
    import dlib

    points = [dlib.point(x, y) for x, y in np.rint(contours).astype(int).tolist()]
    (left, top), (right, bottom) = np.rint([contours.min(axis=0), contours.max(axis=0)]).tolist()
    box = dlib.rectangle(int(left), int(top), int(right), int(bottom))
    shape = dlib.full_object_detection(box, points)
    found = _embedder().compute_face_descriptor(np.ascontiguousarray(image), shape)
    return np.array(found)


@cache
def _embedder() -> Any:
    import dlib

    return dlib.face_recognition_model_v1(str(_model()))


def _model() -> Path | None:
    """Return where the model lies; its package cannot be imported without setuptools."""
    spec = find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations if spec else None) or []:
        path = Path(folder) / "models" / f"{MODEL}.dat"
        if path.is_file():
            return path
    return None
