"""Make one forgery: the video, its mask, and what is recorded about it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from unmask.catalog import hash_file
from unmask.contracts import FaceFrame, Image
from unmask.errors import UnmaskError
from unmask.execution.journal import key_of
from unmask.faces.landmarks import Landmarks, face_at, read_landmarks, shows_face
from unmask.faces.topology import eye_distance
from unmask.faces.window import corner_of, shrunk, window_around
from unmask.generators import GENERATORS
from unmask.generators.landmark_files import LandmarkFile, Row, content_key, failure, slug
from unmask.generators.pairs import Pair
from unmask.seeding import generator_for
from unmask.video.probe import VideoInfo, probe
from unmask.video.read import decode, read_frames
from unmask.video.write import VideoWriter

# Of a source so many frames are kept, spread over its clip, and only the face: memory is bounded.
SOURCE_FRAMES = 24
SOURCE_MARGIN = 1.5  # around the landmarks, in distances between the eyes
SOURCE_SIDE = 640  # pixels
LONGEST_NAME = 200  # of the 255 bytes that file systems allow


@dataclass(frozen=True)
class Task:
    """One forgery to make; it travels to another process.

    Args:
        pair: the clips.
        target: the landmarks of the clip to change.
        source: the landmarks of the clip that lends the face, if the method needs one.
        method: the name of the part.
        options: its keyword arguments.
        out: the folder to work in; all paths start there.
        crf: the rate to write at; None for without loss.
        seed: of all randomness.
    """

    pair: Pair
    target: LandmarkFile
    source: LandmarkFile | None
    method: str
    options: dict[str, Any]
    out: Path
    crf: int | None
    seed: int

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        whole = slug(self.pair.target["id"])
        if self.pair.source is not None:
            whole = f"{whole}_{slug(self.pair.source['id'])}"
        elif self.pair.number:
            whole = f"{whole}_{self.pair.number + 1}"
        if len(whole.encode()) <= LONGEST_NAME:
            return whole
        return f"{whole[: LONGEST_NAME // 4]}-{key_of(whole)}"

    @property
    def id(self) -> str:
        """The item's id, which is also where the video lies."""
        return f"{self.method}/{self.name}.mp4"

    @property
    def mask(self) -> str:
        """Where the mask's video lies."""
        return f"{self.method}/masks/{self.name}.mp4"

    @property
    def parents(self) -> list[str]:
        """The ids of target and source."""
        return [row["id"] for row in (self.pair.target, self.pair.source) if row is not None]

    @property
    def key(self) -> str:
        """What changes when the forgery would."""
        source = self.pair.source
        return key_of(
            self.id,
            self.parents,
            [content_key(self.pair.target, self.out), self.target.sha256, self.target.status],
            source and [content_key(source, self.out), self.source and self.source.sha256],
            [self.options, self.crf, self.seed],
        )


def forge_clip(task: Task) -> list[Row]:
    """Return what one forgery came to be, or why it could not be made."""
    if task.target.status != "ok":
        return [{"status": task.target.status, "reason": task.target.reason}]
    try:
        return [_write(task)]
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return [failure(error)]


def _write(task: Task) -> Row:
    path = task.out / task.pair.target["path"]
    info, landmarks = probe(path), read_landmarks(task.out / task.target.path)
    part = GENERATORS[task.method](**task.options)
    source = _source(task)
    random = generator_for(task.seed, task.method, *task.parents, task.pair.number)
    times: list[float] = []
    faceless = 0

    def frames() -> Iterator[FaceFrame]:
        nonlocal faceless
        for frame in read_frames(path):
            face = face_at(landmarks, frame.number)
            faceless += face is None
            times.append(frame.time)
            yield FaceFrame(frame.number, frame.time, frame.image, face)

    count = 0
    with _Writers(task, info, path) as writers:
        for forged in part(frames(), source, random):
            writers.write(forged.image, forged.mask, times[count])
            count += 1
    recorded = {
        "options": task.options,
        "target_landmarks": task.target.told,
        "source_landmarks": task.source.told if task.source else None,
        "faceless_frames": faceless,
    }
    return {
        "status": "ok",
        "reason": None,
        "settings": json.dumps(recorded, sort_keys=True),
        "sha256": hash_file(task.out / task.id),
        "mask": task.mask,
        "frames": count,
        "frames_per_second": info.frames_per_second,
        "width": info.width,
        "height": info.height,
    }


class _Writers:
    """The video and the video of its mask, which appear together or not at all."""

    def __init__(self, task: Task, info: VideoInfo, audio_from: Path) -> None:
        lossless = task.crf is None
        self._is_timed = info.variable_rate
        self._video = VideoWriter(
            task.out / task.id,
            info.frames_per_second,
            crf=task.crf,
            lossless=lossless,
            audio_from=audio_from if info.has_audio else None,
            synthetic=task.method,
        )
        self._mask = VideoWriter(
            task.out / task.mask,
            info.frames_per_second,
            lossless=True,
            synthetic=f"{task.method} (mask)",
        )
        self._stack = ExitStack()

    def __enter__(self) -> "_Writers":
        # The mask ends first: where the video is, its mask is.
        self._stack.enter_context(self._video)
        self._stack.enter_context(self._mask)
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def write(self, image: Image, mask: Image, time: float) -> None:
        """Add a frame (H, W, 3) and its mask (H, W)."""
        when = time if self._is_timed else None
        self._video.write(image, when)
        self._mask.write(np.repeat(mask[:, :, None], 3, axis=2), when)


def _source(task: Task) -> list[FaceFrame]:
    """Return faces of the source, cut out of frames that are spread over its clip."""
    if task.pair.source is None or task.source is None:
        return []
    landmarks = read_landmarks(task.out / task.source.path)
    shown = np.flatnonzero(shows_face(landmarks))
    places = np.linspace(0, len(shown) - 1, min(SOURCE_FRAMES, len(shown)))
    numbers = shown[np.rint(places).astype(int)].tolist()
    frames = decode(task.out / task.pair.source["path"], numbers)
    cut = (_cut(frame.image(), landmarks, frame.number, frame.time) for frame in frames)
    return [face for face in cut if face is not None]


def _cut(image: Image, landmarks: Landmarks, number: int, time: float) -> FaceFrame | None:
    """Return the face alone, made smaller if need be, or None where it is outside the picture."""
    points = landmarks[number]
    window = window_around(points, SOURCE_MARGIN * eye_distance(points), image)
    if window is None:
        return None
    face = image[window]
    scale = SOURCE_SIDE / max(face.shape[:2])
    return FaceFrame(number, time, *shrunk(face, points - corner_of(window), scale))
