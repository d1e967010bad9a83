"""Find the face-mesh landmarks of the demo's people, once, and write them to the package's file.

The demo itself needs no landmark network: it reads `openpeople_landmarks.npz`, which this script
made. To make it again, in an environment of its own (MediaPipe wants other versions than Unmask):

    python -m venv landmarks
    landmarks/bin/pip install mediapipe==0.10.21 openpeople==0.1.2
    landmarks/bin/python scripts/make_openpeople_landmarks.py

This release of MediaPipe still carries its face-mesh model (with iris) in the wheel; later ones
download it.
"""

from importlib.resources import files
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


def main() -> None:
    """Write the landmarks of the neutral, open and smiling image of each person."""
    options = {"static_image_mode": True, "refine_landmarks": True, "min_detection_confidence": 0.3}
    with mediapipe.solutions.face_mesh.FaceMesh(**options) as network:
        found = np.stack([person_landmarks(network, person) for person in OPEN])
    OUT.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        OUT,
        people=np.array(list(OPEN)),
        landmarks=np.round(found * STEPS_A_PIXEL).astype(np.int16),
        steps_a_pixel=STEPS_A_PIXEL,
    )
    print(f"{OUT.name}: {found.shape}, {OUT.stat().st_size / 1024:.0f} KiB")


def person_landmarks(network, person: str) -> np.ndarray:
    """Return (3, 478, 3) landmarks of one person, in pixels of the portrait and of the sheet."""
    assets = Path(str(files("openpeople"))) / "data/curated" / person / "assets"
    portrait = cv2.imread(str(assets / "studio_portrait.jpg"))
    sheet = cv2.imread(str(assets / "emotions_sheet.jpg"))
    whole = (0, 0, portrait.shape[1], portrait.shape[0])
    return np.stack(
        [
            landmarks(network, portrait, whole),
            landmarks(network, sheet, tile(sheet, OPEN[person])),
            landmarks(network, sheet, tile(sheet, SMILE)),
        ]
    )


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
