"""The faces of one part of the defence data set: found, attacked, found again and written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from unmask.adversarial.attack_clip import scores_of, victim_of
from unmask.adversarial.pixels import as_face, as_image, difference
from unmask.attack_contracts import Attacked
from unmask.attacks.presets import create_attack
from unmask.catalog import hash_file
from unmask.contracts import FAKE, Image
from unmask.datasets.defense_names import Part, image_name
from unmask.errors import UnmaskError
from unmask.execution.journal import key_of
from unmask.faces.boxes import SAME, overlaps
from unmask.faces.clip import KEPT_CONFIDENCE, SMALLEST, SMALLEST_SHARE
from unmask.faces.crop import Region, square_region
from unmask.faces.masks import compare_to_masks
from unmask.faces.mtcnn import CELL, MTCNN, Face
from unmask.faces.select import main_tracks
from unmask.faces.track import follow
from unmask.files import stamp
from unmask.seeding import seed_for
from unmask.torch_contracts import Detector
from unmask.training.memory import kept_memory
from unmask.training.setup import repeatable
from unmask.video.picture import write_png
from unmask.video.probe import probe
from unmask.video.read import decode

Row = dict[str, Any]

FAULTS = (UnmaskError, OSError, av.FFmpegError)


@dataclass(frozen=True)
class Way:
    """How the faces of a part are made; it travels to another process.

    Args:
        part: which part.
        out: the folder of the data set.
        every: frames from one face to the next.
        start: the first frame.
        attack: the name of the method; None for clean faces.
        preset: of the attack's settings.
        options: of the attack, over its preset.
        resolved: all settings of the attack.
        victim: as `open_victim` takes it.
        victim_name: its short name.
        victim_sha256: as `OpenVictim` has it.
        seed: of all randomness.
        device: where the victim runs.
    """

    part: Part
    out: Path
    every: int
    start: int
    attack: str | None = None
    preset: str = ""
    options: tuple[str, ...] = ()
    resolved: Row = field(default_factory=dict)
    victim: str = ""
    victim_name: str = ""
    victim_sha256: str = ""
    seed: int = 0
    device: str = "cpu"

    @property
    def recorded(self) -> Row:
        """What the catalog says of the attack."""
        return {
            "attack": self.attack,
            "victim": self.victim_name,
            "victim_sha256": self.victim_sha256,
            "preset": self.preset,
            "options": self.resolved,
        }

    @property
    def told(self) -> list[object]:
        """What decides what the faces look like."""
        attack = [self.attack, self.resolved, self.victim_sha256, self.seed] if self.attack else []
        return [self.part.name, self.every, self.start, *attack]

    def numbers(self, frames: int | None) -> range:
        """Return the frames of a video that faces are taken from; one where nobody can count."""
        return range(self.start, self.start + 1 if frames is None else frames, self.every)


@dataclass(frozen=True)
class Video:
    """One forged video.

    Args:
        id: in the catalog.
        path: of the file.
        name: what its faces' names begin with, such as `Deepfakes/001_870`.
        content: what changes when the file does.
        frames: how many there are; None where it cannot be read.
        mask: of the forgery, where there is one.
        mark: how it was made, for the synthetic mark.
    """

    id: str
    path: Path
    name: str
    content: object
    frames: int | None
    mask: Path | None
    mark: str


@dataclass(frozen=True)
class Task:
    """Some videos of one part, whose faces are attacked together."""

    way: Way
    videos: tuple[Video, ...]

    @property
    def key(self) -> str:
        """What changes when the faces would."""
        told = [
            (video.id, video.name, video.content, stamp(video.mask) if video.mask else None)
            for video in self.videos
        ]
        return key_of("defense-dataset", self.way.told, told)


@dataclass
class Shot:
    """One frame of a video.

    Args:
        video: which one.
        number: of the frame, counted from 0.
        time: in seconds.
        picture: (H, W, 3); None where it could not be read.
        face: the main one; None where none was found.
        region: left, top, right and bottom of the crop; None where there is none.
        attacked: the picture (H, W, 3) with the attacked face in it.
        row: what the catalog and the attack table say about the face.
    """

    video: Video
    number: int
    time: float = 0.0
    picture: Image | None = None
    face: Face | None = None
    region: Region | None = None
    attacked: Image | None = None
    row: Row = field(default_factory=dict)

    @property
    def width(self) -> int:
        """The width of the frame in pixels."""
        return int(self.image().shape[1])

    @property
    def height(self) -> int:
        """The height of the frame in pixels."""
        return int(self.image().shape[0])

    def image(self) -> Image:
        """Return the frame."""
        assert self.picture is not None
        return self.picture

    def crop(self, left: int, top: int, right: int, bottom: int) -> Image:
        """Return a part of it."""
        return self.image()[top:bottom, left:right]

    def cut(self) -> Image:
        """Return the crop of its face."""
        assert self.region is not None
        return np.ascontiguousarray(self.crop(*self.region))

    def fail(self, status: str, reason: str) -> None:
        """Say why there is no image of it."""
        self.row |= {"status": status, "reason": reason}


@dataclass(frozen=True)
class Clip:
    """The chosen frames of a video, and their masks where there are any."""

    shots: list[Shot]
    masks: list[tuple[int, Image]]

    @property
    def read(self) -> list[Shot]:
        """The frames that could be read."""
        return [shot for shot in self.shots if shot.picture is not None]


def make_faces(task: Task) -> list[Row]:
    """Return the images of a task, or their absence, as one line of the journal."""
    way = task.way
    clips = [_clip(video, way) for video in task.videos]
    shots = [shot for clip in clips for shot in clip.shots]
    faces = [shot for shot in shots if shot.region]
    if way.attack is None:
        for shot in faces:
            _write(shot, shot, way)
    elif faces:
        with kept_memory():
            _attack(clips, faces, way)
    failed = any(shot.row["status"] == "unreadable" for shot in shots)
    rows = [_row(shot, way) for shot in shots]
    return [{"status": "unreadable" if failed else "ok", "rows": rows}]


def path_of(part: Part, name: str, frame: int) -> str:
    """Return the id of an image, which is also where it lies."""
    folder, _, stem = name.rpartition("/")
    return f"{part.name}/{folder}/{image_name(stem, frame, part.mark)}"


def _clip(video: Video, way: Way) -> Clip:
    """Return the frames of a video with its main face."""
    numbers = way.numbers(video.frames)
    shots: dict[int, Shot] = {}
    masks: list[tuple[int, Image]] = []
    reason = "the frame does not decode"
    try:
        if video.mask:
            # Published masks are now and then some frames shorter than their videos.
            total = probe(video.mask).frames
            masked = [number for number in numbers if number < total]
            masks = [(mask.number, mask.image()) for mask in decode(video.mask, masked)]
        for frame in decode(video.path, numbers):
            shots[frame.number] = Shot(video, frame.number, frame.time, frame.image())
    except FAULTS as error:
        reason = str(error)
    clip = Clip([shots.get(number) or Shot(video, number) for number in numbers], masks)
    _find(clip.read, masks)
    for shot in clip.shots:
        if shot.picture is None:
            shot.fail("unreadable", reason)
    return clip


def _find(shots: Sequence[Shot], masks: Sequence[tuple[int, Image]]) -> None:
    """Find the main face of a video's frames as `unmask faces` does."""
    if not shots:
        return
    width, height = shots[0].width, shots[0].height
    tracks = follow(shots, _finder(max(min(SMALLEST, SMALLEST_SHARE * min(width, height)), CELL)))
    forged = compare_to_masks(tracks, masks, width, height) if masks else None
    faces = {
        number: face
        for track in main_tracks(tracks, forged.shares if forged else None)
        for number, face in track.faces.items()
    }
    for shot in shots:
        shot.face = faces.get(shot.number)
        if forged and shot.number in forged.empty:
            shot.fail("empty_mask", "the mask is empty: nothing was forged")
        elif shot.face is None:
            shot.fail("no_face", "the frame shows no face")
        else:
            shot.region = square_region(shot.face.box, width, height)
            if shot.region is None:
                shot.fail("outside", "the face lies outside of the frame")


@cache
def _finder(smallest: float) -> MTCNN:
    return MTCNN(smallest=smallest, thresholds=(0.6, 0.7, KEPT_CONFIDENCE))


def _attack(clips: Sequence[Clip], faces: Sequence[Shot], way: Way) -> None:
    """Attack all faces at once, put them back into their frames, and find them there again."""
    victim = victim_of(way.victim, way.victim_sha256, way.device)
    attack, _ = create_attack(str(way.attack), way.preset, way.options)
    seed = seed_for(way.seed, way.part.name, *dict.fromkeys(shot.video.id for shot in faces))
    labels = torch.full((len(faces),), FAKE)
    with repeatable(torch.device(way.device)):
        made = attack(victim, [as_face(shot.cut()) for shot in faces], labels, seed=seed)
    for place, shot in enumerate(faces):
        _put_back(shot, made, place)
    for clip in clips:
        # The frames as a lossless video would give them, those without a face too.
        again = [
            Shot(
                shot.video,
                shot.number,
                shot.time,
                shot.picture if shot.attacked is None else shot.attacked,
            )
            for shot in clip.read
        ]
        _find(again, clip.masks)
        for shot, seen in zip(clip.read, again, strict=True):
            if shot.attacked is not None:
                _finish(shot, seen, victim, way)


def _put_back(shot: Shot, made: Attacked, place: int) -> None:
    """Put an attacked face into its frame, and note how the attack went."""
    assert shot.region is not None
    left, top, right, bottom = shot.region
    clean, face = shot.cut(), as_image(made.faces[place])
    shot.attacked = shot.image().copy()
    shot.attacked[top:bottom, left:right] = face
    shot.row |= difference(clean, face) | {
        "iterations": int(made.iterations[place]),
        "queries": int(made.queries[place]),
        "score_before": float(made.scores_before[place]),
        "score_after": float(made.scores_after[place]),
        "found": False,
    }


def _finish(shot: Shot, seen: Shot, victim: Detector, way: Way) -> None:
    """Write the face as it was found in the attacked frame."""
    if shot.face is None or seen.face is None or seen.region is None:
        shot.fail("no_face", "the face was not found again after the attack")
    elif overlaps(np.array([shot.face.box]), np.array([seen.face.box]))[0, 0] < SAME:
        shot.fail("other_face", "another face was found after the attack")
    else:
        (score,) = scores_of(victim, [seen.cut()])
        shot.row |= {"found": True, "score_found": score}
        _write(shot, seen, way)


def _write(shot: Shot, seen: Shot, way: Way) -> None:
    """Write the image of a face as it was seen, and note what it is."""
    mark = f"{way.attack} on {shot.video.mark}" if way.attack else shot.video.mark
    crop = seen.cut()
    path = way.out / path_of(way.part, shot.video.name, shot.number)
    shot.row |= {
        "sha256": hash_file(write_png(path, crop, synthetic=mark)),
        "status": "ok",
        "reason": None,
        "region": seen.region,
        "width": crop.shape[1],
        "height": crop.shape[0],
    }


def _row(shot: Shot, way: Way) -> Row:
    """Return what is said of a frame: JSON values."""
    edges = [round(edge, 2) for edge in shot.face.box] if shot.face else [None] * 4
    return {
        "item": path_of(way.part, shot.video.name, shot.number),
        "video": shot.video.id,
        "frame": shot.number,
        "time": shot.time,
        **dict(zip(("left", "top", "right", "bottom"), edges, strict=True)),
        **shot.row,
    }
