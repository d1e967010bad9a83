"""Attack the faces of one video or image and write it anew."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import av
import torch

from unmask.adversarial.opening import open_victim
from unmask.adversarial.overlap import agreeing
from unmask.adversarial.pixels import as_face, as_image, difference
from unmask.attack_contracts import Attack, Attacked
from unmask.attacks.presets import create_attack
from unmask.catalog import hash_file
from unmask.contracts import Image
from unmask.errors import NotFoundError, UnmaskError, UnreadableMediaError
from unmask.execution.journal import key_of
from unmask.faces.clip import Picture
from unmask.faces.crop import Region, square_region
from unmask.faces.track import View
from unmask.files import stamp
from unmask.seeding import seed_for
from unmask.torch_contracts import Detector
from unmask.training.memory import kept_memory
from unmask.training.setup import repeatable
from unmask.video.picture import write_png
from unmask.video.probe import probe
from unmask.video.read import decode
from unmask.video.write import VideoWriter

Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One video or image to attack; it travels to another process.

    Args:
        id: of the attacked item.
        row: of the item in the catalog, with paths told from `out`.
        faces: its rows of the face table.
        method: the name of the attack.
        preset: whose settings it takes.
        options: those given over the preset.
        resolved: all its settings, by name.
        victim: the text that `open_victim` takes.
        victim_name: its short name.
        victim_sha256: as `OpenVictim` has it.
        out: the folder to work in; all paths start there.
        batch: faces that are attacked at once.
        seed: of all randomness.
        device: where the victim runs.
    """

    id: str
    row: Row
    faces: tuple[Row, ...]
    method: str
    preset: str
    options: tuple[str, ...]
    resolved: dict[str, Any]
    victim: str
    victim_name: str
    victim_sha256: str
    out: Path
    batch: int
    seed: int
    device: str

    @property
    def path(self) -> str:
        """Where the attacked file lies."""
        suffix = ".png" if self.row["kind"] == "image" else ".mp4"
        return self.id if self.id.endswith(suffix) else f"{self.id}{suffix}"

    @property
    def usable(self) -> list[Row]:
        """The rows of the faces that are attacked."""
        return [face for face in self.faces if face["status"] == "ok"]

    @property
    def key(self) -> str:
        """What changes when the attacked file would."""
        return key_of(
            [self.id, self.row["label"], self.row["sha256"] or stamp(self.out / self.row["path"])],
            [[one[name] for name in _PLACE] for one in self.faces],
            [self.victim_sha256, self.method, self.resolved, self.batch, self.seed],
        )


_PLACE = ("frame", "track", "left", "top", "right", "bottom", "status")


@dataclass(frozen=True)
class _Shown:
    """The faces of one frame: which tracks they are, where they lie, and their pixels."""

    number: int
    tracks: list[int]
    regions: list[Region]
    crops: list[Image]


Moved = tuple[_Shown, list[Image]]  # the faces of a frame before and after the attack


def attack_clip(task: Task) -> list[Row]:
    """Return what one attacked item came to be, or why it could not be made.

    The row holds under `faces` the figures of each face, with its `frame` and `track`.
    """
    if not task.usable:
        return [_faceless(task)]
    try:
        with kept_memory():
            return [_write(task)]
    except (UnmaskError, OSError, av.FFmpegError) as error:
        is_unreadable = isinstance(error, UnreadableMediaError | NotFoundError)
        return [{"status": "unreadable" if is_unreadable else "failed", "reason": str(error)}]


def scores_of(detector: Detector, crops: Sequence[Image]) -> list[float]:
    """Return P(fake) of crops (H, W, 3) of any sizes, each resized by the detector itself."""
    with torch.inference_mode():
        device = detector.get_buffer("mean").device
        fitted = [detector.fitted(as_face(crop)[None].to(device)) for crop in crops]
        return detector.scores(torch.cat(fitted)).cpu().double().tolist() if fitted else []


@cache
def victim_of(text: str, sha256: str, device: str) -> Detector:
    """Return the detector that a text names, opened once in each process."""
    return open_victim(text).detector.to(device)


def _faceless(task: Task) -> Row:
    whole = next((face for face in task.faces if face["frame"] is None), None)
    if whole is not None:
        return {"status": whole["status"], "reason": whole["reason"]}
    reason = f"none of the {len(task.faces)} chosen frames shows a face; choose others, or all"
    return {"status": "no_face", "reason": reason}


def _write(task: Task) -> Row:
    path = task.out / task.path
    figures: list[Row] = []
    attacked = _attacked(task, figures)
    mark = f"{task.method} against {task.victim_name}"
    if task.row["kind"] == "image":
        (image,) = (one for _, one in _frames(task, attacked))
        write_png(path, image, synthetic=mark)
        made = {"frames": 1, "width": image.shape[1], "height": image.shape[0]}
    else:
        made = _write_video(task, path, mark, attacked)
    return made | {"status": "ok", "reason": None, "sha256": hash_file(path), "faces": figures}


def _write_video(task: Task, path: Path, mark: str, attacked: Iterator[Moved]) -> Row:
    source = task.out / task.row["path"]
    info = probe(source)
    count = 0
    with VideoWriter(
        path,
        info.frames_per_second,
        lossless=True,
        audio_from=source if info.has_audio else None,
        synthetic=mark,
    ) as writer:
        for time, image in _frames(task, attacked):
            writer.write(image, time if info.variable_rate else None)
            count += 1
    return {
        "frames": count,
        "frames_per_second": info.frames_per_second,
        "width": info.width,
        "height": info.height,
    }


def _views(task: Task, numbers: Sequence[int] | None = None) -> Iterator[View]:
    """Yield the frames with the given numbers, or all."""
    path = task.out / task.row["path"]
    if task.row["kind"] == "image":
        yield Picture(path)
    else:
        yield from decode(path, numbers)


def _frames(task: Task, attacked: Iterator[Moved]) -> Iterator[tuple[float, Image]]:
    """Yield time and picture of every frame, with the attacked faces in their places.

    The file is decoded twice, here and for the attack, so that no more than one batch of faces is
    in memory, however long it is and however few of its frames are attacked.
    """
    pending = next(attacked, None)
    for view in _views(task):
        image = view.image()
        if pending is not None and pending[0].number == view.number:
            image = image.copy()
            for (left, top, right, bottom), crop in zip(
                pending[0].regions, pending[1], strict=True
            ):
                image[top:bottom, left:right] = crop
            pending = next(attacked, None)
        yield view.time, image


def _attacked(task: Task, figures: list[Row]) -> Iterator[Moved]:
    """Yield each frame's faces with what the attack made of them; add their figures."""
    detector = victim_of(task.victim, task.victim_sha256, task.device)
    attack, _ = create_attack(task.method, task.preset, task.options)
    for frames in _batches(_shown(task), task.batch):
        result = _call(task, attack, detector, frames)
        ahead = (as_image(face) for face in result.faces)
        made = [[next(ahead) for _ in frame.crops] for frame in frames]
        moved = [
            agreeing(frame.crops, crops, frame.regions, epsilon=attack.epsilon, norm=attack.norm)
            for frame, crops in zip(frames, made, strict=True)
        ]
        final = list(chain.from_iterable(moved))
        after = _scores_after(detector, result, list(chain.from_iterable(made)), final)
        figures += _figures(frames, result, final, after)
        yield from zip(frames, moved, strict=True)


def _shown(task: Task) -> Iterator[_Shown]:
    """Yield the faces of each frame that has any."""
    faces = {
        number: list(group)
        for number, group in groupby(task.usable, key=lambda face: int(face["frame"]))
    }
    for view in _views(task, list(faces)):
        shown = _Shown(view.number, [], [], [])
        for face in faces[view.number]:
            box = (face["left"], face["top"], face["right"], face["bottom"])
            region = square_region(box, view.width, view.height)
            if region is not None:
                shown.tracks.append(face["track"])
                shown.regions.append(region)
                shown.crops.append(view.crop(*region))
        yield shown


def _batches(frames: Iterable[_Shown], least: int) -> Iterator[list[_Shown]]:
    """Yield runs of frames that have, together, as many faces or a few more."""
    run: list[_Shown] = []
    for frame in frames:
        run += [frame] if frame.crops else []
        if sum(len(one.crops) for one in run) >= least:
            yield run
            run = []
    if run:
        yield run


def _call(task: Task, attack: Attack, detector: Detector, frames: list[_Shown]) -> Attacked:
    faces = [as_face(crop) for frame in frames for crop in frame.crops]
    labels = torch.full((len(faces),), task.row["label"])
    seed = seed_for(task.seed, task.id, frames[0].number)
    with repeatable(torch.device(task.device)):
        return attack(detector, faces, labels, seed=seed)


def _scores_after(
    detector: Detector, result: Attacked, made: list[Image], final: list[Image]
) -> list[float]:
    """Return the scores of what is written: where faces overlap, not what the attack has judged."""
    scores: list[float] = result.scores_after.double().tolist()
    changed = [
        place
        for place, (one, other) in enumerate(zip(made, final, strict=True))
        if one is not other
    ]
    again = scores_of(detector, [final[place] for place in changed])
    for place, score in zip(changed, again, strict=True):
        scores[place] = score
    return scores


def _figures(
    frames: list[_Shown], result: Attacked, final: list[Image], after: list[float]
) -> list[Row]:
    clean = [crop for frame in frames for crop in frame.crops]
    told = {
        "frame": [frame.number for frame in frames for _ in frame.crops],
        "track": [track for frame in frames for track in frame.tracks],
        "iterations": result.iterations.tolist(),
        "queries": result.queries.tolist(),
        "score_before": result.scores_before.double().tolist(),
        "score_after": after,
    }
    return [
        dict(zip(told, values, strict=True)) | difference(old, new)
        for *values, old, new in zip(*told.values(), clean, final, strict=True)
    ]
