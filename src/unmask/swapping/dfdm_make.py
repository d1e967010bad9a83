"""The work on one video of a data set like DFDM: train, convert, and code at every rate."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import av

from unmask.catalog import hash_file
from unmask.errors import UnmaskError
from unmask.execution.journal import key_of
from unmask.generators.landmark_files import LandmarkFile, Row, content_key, failure
from unmask.swapping.convert import ConvertTask, Output, convert_clip
from unmask.swapping.face_set import read_face_set
from unmask.swapping.learning_key import FaceFolder, learning_key
from unmask.swapping.made_files import with_mask_hash
from unmask.swapping.pair import train_pair
from unmask.swapping.pair_settings import PairSettings
from unmask.swapping.swap_model import read_swap_card
from unmask.swapping.swap_rows import told
from unmask.swapping.warm_start import train_encoder
from unmask.training.carded import CARD, WEIGHTS
from unmask.training.setup import device_for, one_thread
from unmask.video.probe import VideoInfo, probe
from unmask.video.read import read_frames
from unmask.video.write import VideoWriter, read_mark


@dataclass(frozen=True)
class SwapTask:
    """Two people by one model, to be trained and converted; it travels to another process.

    Args:
        converts: one for each clip of the target; the folder of their model, which is the same
            one, is where the training takes place.
        settings: of the training.
        faces: of the target and of the source.
        names: of both, for the card.
        start: the folder of an encoder to start from.
        keeps_weights: whether the weights stay when the videos are there.
    """

    converts: tuple[ConvertTask, ...]
    settings: PairSettings
    faces: tuple[FaceFolder, FaceFolder]
    names: tuple[str, str]
    start: Path | None
    keeps_weights: bool

    @property
    def key(self) -> str:
        """What changes when the videos would."""
        clips = [
            [
                [asdict(one) for one in convert.outputs],
                [convert.mask, convert.method],
                [content_key(convert.target, convert.out), convert.landmarks.sha256],
                asdict(convert.settings),
            ]
            for convert in self.converts
        ]
        return key_of(clips, learning_key(self.settings, self.faces, self.start))

    @property
    def outputs(self) -> tuple[Output, ...]:
        """All videos."""
        return tuple(output for convert in self.converts for output in convert.outputs)

    @property
    def model(self) -> Path:
        """The folder of the training."""
        return self.converts[0].model


@dataclass(frozen=True)
class EncoderTask:
    """One encoder to be trained on many people.

    Args:
        settings: of the training.
        faces: the folders of each person's.
        out: the folder of the result.
    """

    settings: PairSettings
    faces: tuple[Path, ...]
    out: Path

    @property
    def files(self) -> list[Path]:
        """What it writes."""
        return [self.out / CARD, self.out / WEIGHTS]


@dataclass(frozen=True)
class RealTask:
    """One real video to be coded at every rate, as the swaps are.

    Args:
        row: of the catalog, its path told from `out`.
        landmarks: the video's.
        outputs: the videos to write.
        out: the folder to work in.
    """

    row: Row
    landmarks: LandmarkFile
    outputs: tuple[Output, ...]
    out: Path

    @property
    def key(self) -> str:
        """What changes when the videos would."""
        return key_of([asdict(one) for one in self.outputs], content_key(self.row, self.out))


def make_swaps(task: SwapTask) -> list[Row]:
    """Train a pair, convert its clips, and return what each video came to be, or why not.

    It is one row, whose `rows` have a status each: what one clip fails at does not keep the files
    of the others from being looked after.

    A training that was interrupted continues. Once the videos are there the weights go, unless
    they are to be kept: hundreds of pairs would take terabytes.
    """
    missing = [one for one in task.faces if isinstance(one, str)]
    if missing:
        return [{"rows": _alike(task.outputs, {"status": "no_face", "reason": missing[0]})}]
    try:
        with one_thread(device_for(task.settings.device)):
            card = read_swap_card(_train(task))
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return [{"rows": _alike(task.outputs, failure(error))}]
    with one_thread(device_for(task.settings.device)):
        rows = [
            told(row, card)
            for convert in task.converts
            for row in with_mask_hash(convert_clip(convert), convert.out)
        ]
    if not task.keeps_weights and all(row["status"] == "ok" for row in rows):
        (task.model / WEIGHTS).unlink()
    return [{"rows": rows}]


def make_encoder(task: EncoderTask) -> list[Row]:
    """Train an encoder on many people."""
    with one_thread(device_for(task.settings.device)):
        train_encoder(task.settings, [read_face_set(folder) for folder in task.faces], task.out)
    return [{"status": "ok"}]


def make_real(task: RealTask) -> list[Row]:
    """Write a real video at every rate, and return what each came to be, or why not."""
    try:
        return _coded(task)
    except (UnmaskError, OSError, av.FFmpegError) as error:
        return _alike(task.outputs, failure(error))


def _train(task: SwapTask) -> Path:
    target, source = (read_face_set(Path(folder)) for folder in task.faces)
    return train_pair(task.settings, target, source, task.model, names=task.names, start=task.start)


def _coded(task: RealTask) -> list[Row]:
    path = task.out / task.row["path"]
    info, frames = probe(path), 0
    with _writers(task, info) as writers:
        for frame in read_frames(path):
            for writer in writers:
                writer.write(frame.image, frame.time if info.variable_rate else None)
            frames += 1
    return [
        output.said
        | {
            "status": "ok",
            "reason": None,
            "settings": json.dumps({"degradation": f"h264:{output.crf}"}),
            "sha256": hash_file(task.out / output.id),
            "frames": frames,
            "frames_per_second": info.frames_per_second,
            "width": info.width,
            "height": info.height,
        }
        for output in task.outputs
    ]


@contextmanager
def _writers(task: RealTask, info: VideoInfo) -> Iterator[list[VideoWriter]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                VideoWriter(
                    task.out / output.id,
                    info.frames_per_second,
                    crf=output.crf,
                    audio_from=info.path if info.has_audio else None,
                    synthetic=read_mark(info.path),
                )
            )
            for output in task.outputs
        ]


def _alike(outputs: tuple[Output, ...], said: Row) -> list[Row]:
    return [output.said | said for output in outputs]
