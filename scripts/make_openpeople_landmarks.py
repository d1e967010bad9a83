"""Find the face-mesh landmarks of the demo's people, once, and write them to the package's file.

The demo itself needs no landmark network: it reads `openpeople_landmarks.npz`, which this script
made. To make it again, in an environment of its own (MediaPipe wants other versions than Unmask):

    python -m venv landmarks
    landmarks/bin/pip install mediapipe==0.10.21 openpeople==0.1.2
    landmarks/bin/python scripts/make_openpeople_landmarks.py

This release of MediaPipe still carries its face-mesh model (with iris) in the wheel; later ones
download it.
"""

from importlib.metadata import version
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import cv2
import mediapipe
import numpy as np

OUT = Path(__file__).parents[1] / "src/unmask/generators/data/openpeople_landmarks.npz"
LARGEST_CROP = 640
STEPS_A_PIXEL = 8  # landmarks are kept as whole eighths of a pixel

# Which tile (row, column) of a person's sheet of expressions opens the mouth widest, with no hand
# before the face. The smile is always the second tile of the first row. P003 is left out: that
# face resembles a living person's.
SMILE = (0, 1)
OPEN = {
    "P001": (1, 0),
    "P002": (3, 1),
    "P004": (3, 1),
    "P005": (3, 1),
    "P006": (3, 1),
    "P007": (3, 1),
    "P008": (3, 1),
    "P009": (3, 1),
    "P010": (1, 0),
}

# Under a beard the network sees the open mouth's lower lip and chin too high: by so many pixels of
# the sheet, measured by eye.
HIDDEN = {"P005": (2.0, 16.0)}
# The outlines of the lips and of the face.
OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409)
OUTER_LIPS += (291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
OVAL = {point for edge in mediapipe.solutions.face_mesh.FACEMESH_FACE_OVAL for point in edge}


def main() -> None:
    """Write the landmarks of the neutral, open and smiling image of each person."""
    options = {"static_image_mode": True, "refine_landmarks": True, "min_detection_confidence": 0.3}
    with mediapipe.solutions.face_mesh.FaceMesh(**options) as network:
        found = np.stack([person_landmarks(network, person) for person in OPEN])
    OUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        OUT,
        people=np.array(list(OPEN)),
        openpeople_version=version("openpeople"),
        landmarks=np.round(found * STEPS_A_PIXEL).astype(np.int16),
        steps_a_pixel=STEPS_A_PIXEL,
        triangles=mesh_triangles().astype(np.int16),
    )
    print(f"{OUT.name}: {found.shape}, {OUT.stat().st_size / 1024:.0f} KiB")


def mesh_triangles() -> np.ndarray:
    """Return the mesh's triangles (852, 3), found from its published edges.

    Openings (both eyes, the mouth) stay open.
    """
    edges = {frozenset(edge) for edge in mediapipe.solutions.face_mesh.FACEMESH_TESSELATION}
    beside = {}
    for edge in edges:
        for one, other in (tuple(edge), tuple(edge)[::-1]):
            beside.setdefault(one, set()).add(other)
    threes = {
        frozenset((one, *pair))
        for one, others in beside.items()
        for pair in combinations(others, 2)
        if frozenset(pair) in edges
    }
    # Three edges around a nostril's point close a ring that is no triangle of the mesh.
    triangles = [
        sorted(three)
        for three in threes
        if not any(three <= beside[point] and len(beside[point]) == 3 for point in beside)
    ]
    return np.array(sorted(triangles))


def person_landmarks(network, person: str) -> np.ndarray:
    """Return (3, 478, 3) landmarks of one person, in pixels of the portrait and of the sheet."""
    assets = Path(str(files("openpeople"))) / "data/curated" / person / "assets"
    portrait = cv2.imread(str(assets / "studio_portrait.jpg"))
    sheet = cv2.imread(str(assets / "emotions_sheet.jpg"))
    whole = (0, 0, portrait.shape[1], portrait.shape[0])
    neutral = landmarks(network, portrait, whole)
    opened = landmarks(network, sheet, tile(sheet, OPEN[person]))
    lower_jaw(opened, *HIDDEN.get(person, (0, 0)))
    smiling = landmarks(network, sheet, tile(sheet, SMILE))
    return np.stack([neutral, unfolded(opened, neutral), smiling])


def lower_jaw(opened: np.ndarray, lip: float, chin: float) -> None:
    """Move the lower edge of the lower lip and the chin down by so many pixels."""
    for points, top, bottom, way in ((OUTER_LIPS, 14, 17, lip), (sorted(OVAL), 14, 152, chin)):
        heights = opened[list(points), 1]
        share = np.clip((heights - opened[top, 1]) / (opened[bottom, 1] - opened[top, 1]), 0, 1)
        opened[list(points), 1] += way * share


def unfolded(opened: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """Return the landmarks of an open mouth with the skin below the lip moved out of its way.

    The network refines the lips by themselves, so that a wide-open lower lip ends up below the
    skin that it pushes down. That skin is spread between the lips and the face's outline, as if
    springs along the mesh's edges held it.
    """
    lips = neutral[list(OUTER_LIPS), :2].astype(np.float32)
    corners = lips[[0, len(lips) // 2], 1].mean()
    free = np.array(
        [
            y > corners and point not in OVAL and cv2.pointPolygonTest(lips, (x, y), True) < -1
            for point, (x, y, _) in enumerate(neutral[:468])
        ]
    )
    size = np.linalg.norm(opened[263, :2] - opened[33, :2])
    size /= np.linalg.norm(neutral[263, :2] - neutral[33, :2])
    placed = size * neutral[:468]
    moved = opened[:468] - placed
    steps = np.zeros((468, 468))
    for triangle in mesh_triangles():
        for one, other in combinations(triangle, 2):
            length = np.linalg.norm(neutral[one, :2] - neutral[other, :2])
            steps[one, other] = steps[other, one] = -1 / length
    np.fill_diagonal(steps, -steps.sum(axis=1))
    moved[free] = np.linalg.solve(
        steps[np.ix_(free, free)], -steps[np.ix_(free, ~free)] @ moved[~free]
    )
    return np.concatenate([placed + moved, opened[468:]])


def tile(sheet: np.ndarray, place: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of one of the sixteen tiles, a little larger."""
    height, width = sheet.shape[0] / 4, sheet.shape[1] / 4
    row, column = place
    return (
        (column - 0.03) * width,
        (row - 0.06) * height,
        (column + 1.03) * width,
        (row + 1) * height,
    )


def landmarks(network, image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Return (478, 3) landmarks in pixels of the image, the mean over shifted and scaled crops."""
    first = look(network, image, box)
    middle = (first[:, :2].min(axis=0) + first[:, :2].max(axis=0)) / 2
    size = np.ptp(first[:, :2], axis=0).max()
    looks = []
    for half in (0.75, 0.85, 0.95, 1.05):
        for shift in ((0, 0), (0.04, 0), (-0.04, 0), (0, 0.04), (0, -0.04)):
            center = middle + np.array(shift) * size
            corner, other = center - half * size, center + half * size
            looks.append(look(network, image, (*corner, *other)))
    spread = np.std(looks, axis=0)[:, :2].mean() / size
    print(f"  face {size:.0f} px, spread over {len(looks)} looks {spread:.2%} of it")
    return np.mean(looks, axis=0)


def look(network, image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Return (478, 3) landmarks in pixels of the image, seen in one crop of it."""
    height, width = image.shape[:2]
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    right, bottom = min(width, round(box[2])), min(height, round(box[3]))
    crop = image[top:bottom, left:right]
    if max(crop.shape) > LARGEST_CROP:
        scale = LARGEST_CROP / max(crop.shape)
        crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    faces = network.process(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    if not faces:
        raise SystemExit(f"no face in {box}")
    points = np.array([[point.x, point.y, point.z] for point in faces[0].landmark])
    # MediaPipe gives shares of the crop, and z in units of its width.
    return points * (right - left, bottom - top, right - left) + (left, top, 0)


if __name__ == "__main__":
    main()
