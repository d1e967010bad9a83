"""The movement of the whole head: a smooth depth grid, turned in space and read back."""

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from unmask.contracts import Image
from unmask.generators.stills_face import CHIN, EARS, MESH, OVAL, Floats, soft_step
from unmask.generators.stills_gesture import Gesture
from unmask.generators.stills_person import SUPERSAMPLING, Person

NODES = 49  # of the grid, on each side
SMOOTHING = 1.2  # nodes
INVERSION_STEPS = 12
# In distances of the eyes:
NECK_LENGTH = 0.95  # below the chin, over which the head's movement fades out
SPREAD = 0.8  # how much longer that is beside the neck, so that shoulders are not squeezed
PIVOT = 0.5  # below the chin: the point around which the head tilts
AXIS_BEHIND_EARS = 0.1  # where a turning head's axis lies
# The landmarks' depth goes on outside the face: how far out, in radii, and how much of it is left.
HAIR, HAIR_DEPTH, BACKGROUND = 1.3, 0.35, 2.2


class Head:
    """The movable head of one person.

    Args:
        person: whose head.
    """

    def __init__(self, person: Person) -> None:
        self.person = person
        self.length = person.canvas.shape[0]
        self.cell = self.length / NODES

    def picture(self, canvas: Image, gesture: Gesture) -> Image:
        """Return the picture (S, S, 3) of a canvas with the head moved."""
        back = self._inverse(self.movement(gesture))
        inside = slice(self.person.margin, self.person.margin + self.person.size * SUPERSAMPLING)
        fine = cv2.resize(back, (self.length, self.length), interpolation=cv2.INTER_LINEAR)
        columns = fine[inside, inside, 0] + self._positions[None, inside]
        rows = fine[inside, inside, 1] + self._positions[inside, None]
        drawn = cv2.remap(canvas, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        size = self.person.size
        return np.asarray(cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA), np.uint8)

    def moved(self, points: Floats, gesture: Gesture) -> NDArray[np.float32]:
        """Return where canvas points (K, 2) come to lie, in pixels of the picture."""
        reached = points + self._read(self.movement(gesture), points)
        return ((reached - self.person.margin + 0.5) / SUPERSAMPLING - 0.5).astype(np.float32)

    def movement(self, gesture: Gesture) -> NDArray[np.float32]:
        """Return how far each node of the grid moves (49, 49, 2), in canvas pixels."""
        unit = self.person.eye_distance
        nodes = self._nodes
        turned = np.stack(
            [
                self._depth * np.sin(gesture.yaw) - self._width * (1 - np.cos(gesture.yaw)),
                self._depth * np.sin(gesture.pitch) - self._height * (1 - np.cos(gesture.pitch)),
            ],
            axis=2,
        )
        arm = nodes + turned - self._neck
        cosine, sine = np.cos(gesture.roll), np.sin(gesture.roll)
        swung = arm @ np.array([[cosine, sine], [-sine, cosine]]) - arm
        shift = np.array([gesture.right, gesture.down]) * unit
        return np.asarray(self._follows[:, :, None] * (turned + swung + shift), dtype=np.float32)

    @cached_property
    def _positions(self) -> NDArray[np.float32]:
        return np.arange(self.length, dtype=np.float32)

    @cached_property
    def _nodes(self) -> Floats:
        """Where the nodes lie (49, 49, 2): the middles of equal cells, as `cv2.resize` has it."""
        line = (np.arange(NODES) + 0.5) * self.cell - 0.5
        return np.stack(np.meshgrid(line, line), axis=2)

    @cached_property
    def _neck(self) -> Floats:
        """The point around which the head tilts."""
        x, chin = self.person.points[CHIN, :2]
        return np.array([x, chin + PIVOT * self.person.eye_distance])

    @cached_property
    def _follows(self) -> Floats:
        """How far each node goes with the head: 1 down to the chin, 0 from the shoulders on."""
        chin, unit = self.person.points[CHIN, :2], self.person.eye_distance
        aside = (self._nodes[:, :, 0] - chin[0]) / unit
        length = NECK_LENGTH + SPREAD * (np.hypot(1, aside) - 1)
        below = (self._nodes[:, :, 1] - chin[1]) / unit - NECK_LENGTH
        return 1 - soft_step(below / length, -1, 0)

    @cached_property
    def _depth(self) -> Floats:
        """How far each node lies before the axis of the head, in canvas pixels."""
        points = self.person.points[:MESH]
        axis = points[list(EARS), 2].mean() + AXIS_BEHIND_EARS * self.person.eye_distance
        before = axis - points[:, 2]
        outline = list(OVAL)
        middle = points[outline, :2].mean(axis=0)
        hair = middle + HAIR * (points[outline, :2] - middle)
        far = middle + BACKGROUND * (points[outline, :2] - middle)
        corners = np.array([[-1, -1], [2, -1], [-1, 2], [2, 2]]) * self.length
        places = np.concatenate([points[:, :2], hair, far, corners])
        depths = np.concatenate(
            [before, HAIR_DEPTH * before[outline], np.zeros(len(far) + len(corners))]
        )
        depth = LinearNDInterpolator(places, depths)(self._nodes)
        return np.asarray(cv2.GaussianBlur(depth, (0, 0), SMOOTHING))

    @cached_property
    def _inside(self) -> Floats:
        """How much of each node is face, 1 inside to 0 well outside."""
        outline = self.person.points[list(OVAL), :2]
        middle, size = outline.mean(axis=0), np.ptp(outline, axis=0) / 2
        radius = np.linalg.norm((self._nodes - middle) / size, axis=2)
        return 1 - soft_step(radius, 0.9, 1.8)

    @cached_property
    def _width(self) -> Floats:
        middle = self.person.points[list(OVAL), 0].mean()
        return np.asarray((self._nodes[:, :, 0] - middle) * self._inside)

    @cached_property
    def _height(self) -> Floats:
        middle = self.person.points[list(OVAL), 1].mean()
        return np.asarray((self._nodes[:, :, 1] - middle) * self._inside)

    def _inverse(self, movement: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the way back (49, 49, 2): from each node to what came to lie there."""
        back = np.zeros_like(movement)
        for _ in range(INVERSION_STEPS):
            back = -self._read(movement, self._nodes + back)
        return back

    def _read(self, field: NDArray[np.float32], places: Floats) -> NDArray[np.float32]:
        """Return a field of the grid between its nodes, at canvas places (..., 2)."""
        where = ((places + 0.5) / self.cell - 0.5).astype(np.float32)
        grid = where.reshape(-1, 1, 2)
        read = cv2.remap(
            field,
            np.ascontiguousarray(grid[:, :, 0]),
            np.ascontiguousarray(grid[:, :, 1]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(read, dtype=np.float32).reshape(places.shape)
