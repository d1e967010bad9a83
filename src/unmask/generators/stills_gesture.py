"""What a person does in one frame, and the ten actions as courses of it through a clip."""

from dataclasses import dataclass, fields

import numpy as np

from unmask.generators.stills_face import Floats


@dataclass(frozen=True)
class Gesture:
    """How the head stands and the face looks in one frame; all zero is the neutral still.

    Args:
        yaw: radians, towards the right of the picture.
        pitch: radians, downwards.
        roll: radians, clockwise in the picture.
        right: shift of the head in eye distances.
        down: shift of the head in eye distances.
        open: how far the mouth is on the way to the open key, 0 to 1.
        smile: how far the mouth is on the way to the smiling key, 0 to 1.
        lids: how far the lids are shut, 0 to 1.
        widened: how much further the eyes are open than at rest, in heights of the eye.
        brows: how far the brows are raised, in eye distances.
        blush: how red the cheeks are, 0 to 1.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    right: float = 0.0
    down: float = 0.0
    open: float = 0.0
    smile: float = 0.0
    lids: float = 0.0
    widened: float = 0.0
    brows: float = 0.0
    blush: float = 0.0


# Each action at its height, before the jitter by seed.
PEAKS = {
    "blink": Gesture(lids=1.0),
    "mouth": Gesture(open=0.85),
    "yaw": Gesture(yaw=0.30),
    "nod": Gesture(pitch=0.24, down=0.04),
    "right_slope": Gesture(roll=-0.28),
    "left_slope": Gesture(roll=0.28),
    "up": Gesture(pitch=-0.22, down=-0.03, brows=0.03),
    "smile": Gesture(smile=0.95, pitch=-0.02),
    "surprise": Gesture(open=0.6, brows=0.13, widened=0.25, pitch=-0.03),
    "embarrass": Gesture(yaw=0.20, pitch=0.16, lids=0.45, smile=0.4, blush=1.0, roll=0.05),
}
ACTIONS = tuple(PEAKS)

# A blink is over in a third of a second; everything else takes its time.
BLINK_SECONDS = 0.36
CYCLE_SECONDS = 1.8
IDLE = {"yaw": 0.020, "pitch": 0.014, "roll": 0.012, "right": 0.018, "down": 0.012}


def make_gestures(
    action: str, frames: int, frames_per_second: float, random: np.random.Generator
) -> list[Gesture]:
    """Return the gesture of each frame of a clip of one action.

    The action rises from rest to its height and falls back; clips longer than about two seconds
    repeat it. Its height, its moments and the small movements of an idle head vary by `random`.

    Args:
        action: one of `ACTIONS`.
        frames: how many.
        frames_per_second: rate of the clip.
        random: the only source of chance.
    """
    times = np.arange(frames) / frames_per_second
    cycles = max(1, round(frames / frames_per_second / CYCLE_SECONDS))
    length = frames / frames_per_second / cycles
    cycle = np.arange(frames) * cycles // frames
    course = _blink if action == "blink" else _swell
    height = np.concatenate(
        [course(times[cycle == one] - one * length, length, random) for one in range(cycles)]
    )
    side = random.choice([-1, 1]) * (-1) ** cycle  # a shaking head goes left and right in turn
    peak = _jittered(PEAKS[action], random)
    idle = {name: _drift(times, size, random) for name, size in IDLE.items()}
    return [
        _at(peak, height[frame], side[frame], {name: wave[frame] for name, wave in idle.items()})
        for frame in range(frames)
    ]


def _at(peak: Gesture, height: float, side: float, idle: dict[str, float]) -> Gesture:
    """Return a share of the peak, turned to one side, on top of the idle movement."""
    share = {one.name: getattr(peak, one.name) * float(height) for one in fields(Gesture)}
    share["yaw"] *= side
    return Gesture(**{name: value + float(idle.get(name, 0)) for name, value in share.items()})


def _jittered(peak: Gesture, random: np.random.Generator) -> Gesture:
    """Return the peak with its height varied; a blink always shuts the eyes."""
    factors = {one.name: random.uniform(0.88, 1.08) for one in fields(Gesture)}
    varied = {name: getattr(peak, name) * factor for name, factor in factors.items()}
    if peak.lids == 1:
        varied["lids"] = 1.0
    return Gesture(**varied)


def _swell(times: Floats, length: float, random: np.random.Generator) -> Floats:
    """Return a rise, a stay and a fall within one cycle, in [0, 1]."""
    begin, top, leave = random.uniform([0.02, 0.38, 0.62], [0.10, 0.48, 0.74]) * length
    return _eased((times - begin) / (top - begin)) * (
        1 - _eased((times - leave) / (length - leave))
    )


def _blink(times: Floats, length: float, random: np.random.Generator) -> Floats:
    """Return the course of one blink within a cycle: quickly shut, slowly opened."""
    whole = min(BLINK_SECONDS, 0.9 * length)
    begin = random.uniform(0.05, 0.95) * (length - whole)
    since = (times - begin) / whole
    return _eased(since / 0.33) * (1 - _eased((since - 0.5) / 0.5))


def _drift(times: Floats, size: float, random: np.random.Generator) -> Floats:
    """Return a slow wandering around zero of about that size."""
    rates, phases = random.uniform(0.15, 0.9, 3), random.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * rates[:, None] * times + phases[:, None])
    return np.asarray(size * waves.mean(axis=0))


def _eased(share: Floats) -> Floats:
    """Return a share of the way in [0, 1] with soft ends (the path of least jerk).

    Reference:
        Flash and Hogan, "The coordination of arm movements", Journal of Neuroscience 1985,
        equation 3.
    """
    share = np.clip(share, 0, 1)
    return np.asarray(share**3 * (10 - 15 * share + 6 * share**2))
