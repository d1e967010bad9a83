"""Follow faces through a clip, searching whole frames only now and then."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from unmask.contracts import Image
from unmask.errors import InvalidInputError
from unmask.faces.boxes import SAME, squared
from unmask.faces.mtcnn import MTCNN, Box, Face
from unmask.faces.pyramid import Halves

SEARCH_EVERY = 15  # frames: half a second of most videos
CONFIDENCE = 0.9  # least of a face that begins a track; to go on in one, the finder's is enough
STEADY = 0.3  # least overlap of a followed face with where it was in the frame before
LONGEST_STEP = 0.15  # seconds between two frames over which a face stays about where it was
WINDOW = 1.8  # side of the part of the next frame in which a face is looked for, in faces
LIKENESS = 0.65  # correlation with the frame before, below which it is another face
SAMPLE, SAMPLED = 16, 1.3  # pixels across that are correlated, and the side in faces


class View(Protocol):
    """A frame that can be looked at, in parts and several times."""

    @property
    def number(self) -> int:
        """The frame's number, counted from 0."""

    @property
    def time(self) -> float:
        """Its time in seconds."""

    @property
    def width(self) -> int:
        """Its width in pixels."""

    @property
    def height(self) -> int:
        """Its height in pixels."""

    def image(self) -> Image:
        """Return the picture (H, W, 3) uint8 RGB."""

    def crop(self, left: int, top: int, right: int, bottom: int) -> Image:
        """Return a part of the picture."""


@dataclass
class Track:
    """One face through a clip: in each frame one box or none.

    Args:
        number: of the track, counted from 0 in the order of appearance.
        faces: by the number of the frame.
    """

    number: int
    faces: dict[int, Face] = field(default_factory=dict)

    @property
    def area(self) -> float:
        """The area of its boxes, summed over all frames, in pixels."""
        return sum(_area(face.box) for face in self.faces.values())

    @property
    def side(self) -> float:
        """The mean over the frames of the longer side of its box, in pixels."""
        return sum(_side(face.box) for face in self.faces.values()) / len(self.faces)


def follow(
    frames: Iterable[View],
    finder: MTCNN,
    *,
    search_every: int = SEARCH_EVERY,
    confidence: float = CONFIDENCE,
) -> list[Track]:
    """Return the faces of a clip as tracks, in the order of appearance.

    The whole frame is searched at first and at last, every `search_every` frames, when a face is
    lost or looks different all at once, and where frames lie more than 0.15 s apart. In between
    each face is looked for where it was. A face that a search finds anew is also followed
    backwards, through the frames since the search before, so that none of its frames is missed.

    Args:
        frames: in rising order.
        finder: finds the faces; a face that is known only has to reach its last threshold.
        search_every: frames from one search to the next; 1 searches every frame.
        confidence: the least with which a face begins a track.

    Raises:
        InvalidInputError: if `search_every` is less than 1.
    """
    if search_every < 1:
        raise InvalidInputError(
            f"search_every must be 1 or more, got {search_every}; 1 searches every frame"
        )
    tracker = _Tracker(finder, search_every, confidence)
    for frame in frames:
        tracker.see(frame)
    tracker.finish()
    order = sorted(tracker.tracks, key=lambda track: (min(track.faces), -track.area))
    return [Track(number, dict(sorted(one.faces.items()))) for number, one in enumerate(order)]


@dataclass
class _Pursuit:
    """A face that is being followed.

    Args:
        track: its track.
        face: as the last frame showed it.
        part: of that frame, in which it was; None if that is not known.
    """

    track: int
    face: Face
    part: "_Part | None" = None

    def window(self, frame: View) -> tuple[int, int, int, int] | None:
        """Return the part of a frame in which to look for it, None if that is outside."""
        x, y, half = *_centre(self.face.box), _side(self.face.box) * WINDOW / 2
        left, right = max(math.floor(x - half), 0), min(math.ceil(x + half), frame.width)
        top, bottom = max(math.floor(y - half), 0), min(math.ceil(y + half), frame.height)
        return (left, top, right, bottom) if left < right and top < bottom else None


class _Part:
    """A part of a frame around a face."""

    def __init__(self, frame: View, window: tuple[int, int, int, int]) -> None:
        self.corner = window[:2]
        self.picture = Halves(frame.crop(*window))
        self._samples: dict[Box, NDArray[np.float64]] = {}

    def sample(self, box: Box) -> NDArray[np.float64]:
        """Return what is in a box of the frame, so that the sum of products is a correlation."""
        if box not in self._samples:
            here = _moved(box, -self.corner[0], -self.corner[1])
            square = squared(np.array([here]), scale=SAMPLED)
            values = self.picture.crops(square, SAMPLE)[0][0, :, :, 1].astype(np.float64)
            values -= values.mean()
            self._samples[box] = values / max(float(np.linalg.norm(values)), 1e-9)
        return self._samples[box]


class _Tracker:
    """What is known while the frames go by; a track is named by its place in the list."""

    def __init__(self, finder: MTCNN, search_every: int, confidence: float) -> None:
        self.tracks: list[Track] = []
        self._finder = finder
        self._search_every = search_every
        self._confidence = confidence
        self._last: dict[int, Face] = {}  # of each track that may be taken up again
        self._pursued: list[_Pursuit] = []
        self._passed: list[View] = []  # the frames since the last search
        self._time = -math.inf

    def see(self, frame: View) -> None:
        """Find the faces of the next frame."""
        is_far = frame.time - self._time > LONGEST_STEP
        if is_far:
            self.finish()
            self._pursued.clear()
            is_due = True
        else:
            before = len(self._pursued)
            self._pursue(frame)
            is_due = len(self._pursued) < before or len(self._passed) + 1 >= self._search_every
        if is_due:
            self._search(frame, least=0.0 if is_far else self._confidence)
        else:
            self._passed.append(frame)
            self._note(frame)
        self._time = frame.time

    def finish(self) -> None:
        """Search the frame before, if that has not been done."""
        if self._passed:
            self._search(self._passed.pop(), least=self._confidence)

    def _note(self, frame: View) -> None:
        for one in self._pursued:
            self.tracks[one.track].faces[frame.number] = self._last[one.track] = one.face

    def _pursue(self, frame: View) -> None:
        """Look for each face where it was, and give up those that are not there."""
        left: list[_Pursuit] = []
        for one in self._seen(frame, self._pursued):
            if not any(_overlap(one.face.box, other.face.box) >= SAME for other in left):
                left.append(one)
        self._pursued = left

    def _seen(self, frame: View, pursued: Sequence[_Pursuit]) -> list[_Pursuit]:
        """Return those of the pursued faces that a frame shows, as it shows them."""
        windows = [(one, one.window(frame)) for one in pursued]
        looked = [(one, _Part(frame, window)) for one, window in windows if window]
        boxes = [_moved(one.face.box, -part.corner[0], -part.corner[1]) for one, part in looked]
        faces = self._finder.look_again([part.picture for _, part in looked], boxes)
        seen = []
        for (one, part), face in zip(looked, faces, strict=True):
            if face is None:
                continue
            points = face.landmarks + np.array(part.corner, np.float32)
            face = Face(_moved(face.box, *part.corner), points, face.confidence)
            if _overlap(face.box, one.face.box) < STEADY:
                continue
            if _is_alike(one, part, face):
                seen.append(_Pursuit(one.track, face, part))
            else:
                self._last.pop(one.track, None)  # its track is not taken up again
        return seen

    def _search(self, frame: View, *, least: float) -> None:
        """Search the whole frame for pursued faces, for lost ones and for new ones.

        Args:
            frame: the frame.
            least: the confidence that a lost face needs. One that could not be followed from the
                frame before needs as much as a new one, else hands come and go as faces.
        """
        (found,) = self._finder.find([frame.image()])
        for one in self._pursued:
            same = [face for face in found if _overlap(face.box, one.face.box) >= SAME]
            if same:
                one.face = max(same, key=lambda face: _overlap(face.box, one.face.box))
            found = [face for face in found if face not in same]
        for track, face in self._named([face for face in found if face.confidence >= least]):
            self._pursued.append(_Pursuit(track, face))
            self._go_back(_Pursuit(track, face))
        self._passed.clear()
        self._note(frame)

    def _named(self, found: Sequence[Face]) -> Iterator[tuple[int, Face]]:
        """Yield found faces, each with the lost track that was nearest, or with a new one.

        A face that is near no lost track and not sure enough to begin one is left out.
        """
        resting = self._last.keys() - {one.track for one in self._pursued}
        pairs = sorted(
            (distance, track, number)
            for track in resting
            for number, face in enumerate(found)
            if (distance := _distance(self._last[track].box, face.box)) < 1
        )
        names: dict[int, int] = {}
        for _, track, number in pairs:
            if number not in names and track not in names.values():
                names[number] = track
        for number, face in enumerate(found):
            if number in names:
                yield names[number], face
            elif face.confidence >= self._confidence:
                self.tracks.append(Track(len(self.tracks)))
                yield self.tracks[-1].number, face

    def _go_back(self, pursuit: _Pursuit) -> None:
        """Follow a face backwards through the frames since the last search."""
        for frame in reversed(self._passed):
            seen = self._seen(frame, [pursuit])
            others = [track.faces.get(frame.number) for track in self.tracks]
            if not seen or any(
                one and _overlap(one.box, seen[0].face.box) >= SAME for one in others
            ):
                return
            (pursuit,) = seen
            self.tracks[pursuit.track].faces[frame.number] = pursuit.face


def _is_alike(before: _Pursuit, part: _Part, face: Face) -> bool:
    """Return whether a face looks as it did in the frame before, there or where it is now."""
    if before.part is None:
        return True
    now = part.sample(face.box)
    # A box that changes its size makes the same face look different; a face that moves does so
    # in the same place. What looks different both ways is another scene.
    return any(
        float((before.part.sample(box) * now).sum()) >= LIKENESS
        for box in (before.face.box, face.box)
    )


def _side(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1])


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _moved(box: Box, x: float, y: float) -> Box:
    return box[0] + x, box[1] + y, box[2] + x, box[3] + y


def _overlap(first: Box, second: Box) -> float:
    """Return the shared area by the area of the union; `overlaps` is for many boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (_area(first) + _area(second) - shared)


def _distance(first: Box, second: Box) -> float:
    """Return how far apart the centres are, in sides of the larger box."""
    return math.dist(_centre(first), _centre(second)) / max(_side(first), _side(second))
