"""Put a trained swap into a clip: the videos, the video of the masks, and what is recorded."""

import json
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from unmask.catalog import hash_file
from unmask.contracts import ForgedFrame, Image
from unmask.errors import UnmaskError
from unmask.execution.journal import key_of
from unmask.faces.landmarks import read_landmarks
from unmask.generators.landmark_files import LandmarkFile, Row, content_key, failure
from unmask.swapping.convert_settings import ConvertSettings
from unmask.swapping.pipeline import Sink, ahead
from unmask.swapping.swap_colour import Levels
from unmask.swapping.swap_frames import Found, Paster, View, as_source, faces_in
from unmask.swapping.swap_model import SwapCard, load_swap
from unmask.torch_contracts import Autoencoder
from unmask.training.carded import CARD
from unmask.training.memory import kept_memory
from unmask.training.setup import device_for, repeatable
from unmask.video.probe import VideoInfo, probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter

WAITING_GROUPS = 1  # of frames, in front of the network and behind it
WAITING_FRAMES = 2  # in front of each encoder

Write = Callable[[ForgedFrame, float], None]  # of a frame and its time


@dataclass(frozen=True)
class Output:
    """One video to write.

    Args:
        id: the item's id, which is also where it lies, from the folder that is worked in.
        crf: x264's rate; 0 codes 4:2:0 without loss, None keeps every pixel's RGB.
    """

    id: str
    crf: int | None = None

    @property
    def said(self) -> Row:
        """What its row says of it whether or not it can be made."""
        coding = {} if self.crf is None else {"quality": f"c{self.crf}", "crf": self.crf}
        return coding | {"id": self.id, "path": self.id}


@dataclass(frozen=True)
class ConvertTask:
    """One clip to put a face into; it travels to another process.

    Args:
        target: the catalog's row of the clip, its path told from `out`.
        landmarks: the clip's.
        model: the folder of the trained pair, whose target the clip shows.
        method: the name of what makes the swap, for the synthetic mark.
        outputs: the videos to write, all of the very same frames.
        mask: where the masks' video lies, from `out`.
        out: the folder to work in.
        settings: how the face is put in.
        device: cpu, cuda, mps or auto.
    """

    target: Row
    landmarks: LandmarkFile
    model: Path
    method: str
    outputs: tuple[Output, ...]
    mask: str
    out: Path
    settings: ConvertSettings = field(default_factory=ConvertSettings)
    device: str = "auto"

    @property
    def key(self) -> str:
        """What changes when the videos would."""
        return key_of(
            [asdict(one) for one in self.outputs],
            [self.mask, self.method],
            [content_key(self.target, self.out), self.landmarks.sha256, self.landmarks.status],
            card_hash(self.model),
            asdict(self.settings),
        )

    @property
    def files(self) -> list[Path]:
        """What it writes."""
        return [self.out / one for one in (*(output.id for output in self.outputs), self.mask)]


class _NoFaceError(Exception):
    """Every face of the clip lies outside of its frames."""


def convert_clip(task: ConvertTask) -> list[Row]:
    """Return what each output came to be, or why it could not be made.

    Every frame's face is aligned as in training, given to the network as a target and asked for as
    the source, and put back. Frames without a face are copied and counted. Sound, times and size
    stay. Decoding, the network, the pasting and each encoder work at the same time; the bytes do
    not depend on how they meet.
    """
    if task.landmarks.status != "ok":
        return _alike(task, {"status": task.landmarks.status, "reason": task.landmarks.reason})
    try:
        recorded = _convert(task)
    except _NoFaceError:
        reason = "no face of the landmarks lies in the frames; find the landmarks again"
        return _alike(task, {"status": "no_face", "reason": reason})
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return _alike(task, failure(error))
    return [_row(task, output, recorded) for output in task.outputs]


def card_hash(model: Path) -> str:
    """Return the hash of a trained pair's card, which names that of its weights."""
    return hash_file(model / CARD)


def _convert(task: ConvertTask) -> Row:
    """Write all files of a task, and return what their rows share."""
    path = task.out / task.target["path"]
    info, landmarks = probe(path), read_landmarks(task.out / task.landmarks.path)
    device = torch.device(device_for(task.device))
    network, card = _loaded(task.model, card_hash(task.model), device)
    # The larger of both sizes, so that the face that is covered can be measured at either.
    view = View(max(network.input_size, network.output_size), card.padding, card.coverage)
    paster = Paster(task.settings)
    frames = faceless = 0
    with ExitStack() as stack:
        stack.enter_context(repeatable(device))
        stack.enter_context(kept_memory())  # each frame asks for as much as the one before
        write = _writers(task, info, stack)

        def paste(group: list[tuple[Found, Levels | None]]) -> None:
            for (frame, face), new in group:
                write(paster(frame, face, new), frame.time)

        groups = faces_in(read_frames(path), landmarks, view, smoothing=task.settings.smoothing)
        sink = stack.enter_context(Sink(paste, most=WAITING_GROUPS))
        for found in stack.enter_context(closing(ahead(groups, most=WAITING_GROUPS))):
            sink.put(list(zip(found, _swapped(network, found), strict=True)))
            frames += len(found)
            faceless += sum(face is None for _, face in found)
        if faceless == frames:
            raise _NoFaceError
    return {"frames": frames, "faceless_frames": faceless, "info": info, "card": card}


def _swapped(network: Autoencoder, found: list[Found]) -> list[Levels | None]:
    """Return the new face of each frame, None for one without a face."""
    faces = [face.image for _, face in found if face is not None]
    new = iter(as_source(network, np.stack(faces)) if faces else ())
    return [None if face is None else next(new) for _, face in found]


def _writers(task: ConvertTask, info: VideoInfo, stack: ExitStack) -> Write:
    """Return what adds a frame, its mask and its time to all files, which appear at the end."""
    # Those that are entered last end first: where the first video is, all files are.
    videos = [
        VideoWriter(
            task.out / output.id,
            info.frames_per_second,
            crf=output.crf,
            lossless=output.crf is None,
            audio_from=info.path if info.has_audio else None,
            synthetic=task.method,
        )
        for output in task.outputs
    ]
    masks = VideoWriter(
        task.out / task.mask,
        info.frames_per_second,
        lossless=True,
        synthetic=f"{task.method} (mask)",
    )
    writers = [stack.enter_context(one) for one in (*videos, masks)]
    sinks = [stack.enter_context(Sink(partial(_add, one), most=WAITING_FRAMES)) for one in writers]

    def write(forged: ForgedFrame, time: float) -> None:
        when = time if info.variable_rate else None
        for sink in sinks[:-1]:
            sink.put((forged.image, when))
        sinks[-1].put((np.asarray(cv2.merge([forged.mask] * 3), np.uint8), when))

    return write


def _add(writer: VideoWriter, timed: tuple[Image, float | None]) -> None:
    writer.write(*timed)


@lru_cache(maxsize=1)
def _loaded(model: Path, card: str, device: torch.device) -> tuple[Autoencoder, SwapCard]:
    """Return a trained pair, kept for the next clip; the card's hash is there for the cache."""
    network, known = load_swap(model)
    return network.to(device), known


def _row(task: ConvertTask, output: Output, made: Row) -> Row:
    info = made["info"]
    recorded = {
        "options": asdict(task.settings),
        "model": _told(made["card"]) | {"card_sha256": card_hash(task.model)},
        "target_landmarks": task.landmarks.told,
        "faceless_frames": made["faceless_frames"],
    }
    return output.said | {
        "status": "ok",
        "reason": None,
        "settings": json.dumps(recorded, sort_keys=True),
        "sha256": hash_file(task.out / output.id),
        "mask": task.mask,
        "frames": made["frames"],
        "frames_per_second": info.frames_per_second,
        "width": info.width,
        "height": info.height,
    }


def _told(card: SwapCard) -> Row:
    names = ("model", "width", "iterations", "names", "weights_sha256")
    return {name: getattr(card, name) for name in names}


def _alike(task: ConvertTask, said: Row) -> list[Row]:
    return [output.said | said for output in task.outputs]
