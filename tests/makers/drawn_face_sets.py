"""Sets of drawn faces, as they are cut out of a person's clips."""

import numpy as np

from makers.drawn_face import landmarks, picture, pose
from unmask.contracts import Image
from unmask.faces.topology import Points
from unmask.swapping.face_set import FaceSet

UNIT, TOP = 0.28, 0.375  # of the side: between the eyes, and above their middle


def drawn_faces(person: int = 0, count: int = 12, size: int = 64) -> FaceSet:
    """Return faces of a person, whose number is the seed of the colours, in several places."""
    random = np.random.default_rng(person)
    images, points = [], []
    for _ in range(count):
        where = pose(
            size=UNIT * size * random.uniform(0.95, 1.05),
            x=size * (0.5 + random.uniform(-0.03, 0.03)),
            y=size * (TOP + random.uniform(-0.03, 0.03)),
            turn=random.uniform(-0.1, 0.1),
        )
        images.append(picture(where, seed=person, shape=(size, size)))
        points.append(landmarks(68, where))
    return face_set(np.stack(images), np.stack(points), name=f"{person}-{count}-{size}")


def upright(size: int) -> Points:
    """Return the landmarks (68, 2) of a face in the middle of a picture."""
    return landmarks(68, pose(size=UNIT * size, x=size / 2, y=TOP * size))


def face_set(images: Image, points: Points, *, name: str = "made") -> FaceSet:
    """Return a set of pictures (N, S, S, 3) with landmarks (N, 68, 2)."""
    return FaceSet(images, points, ("clip",), name)
