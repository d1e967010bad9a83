"""Attacks on prepared faces, and what each detector makes of them before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import torch
from torch import Tensor

from unmask.adversarial.opening import OpenVictim, open_guard, open_victim
from unmask.adversarial.pixels import as_face, as_image
from unmask.attack_contracts import Attacked
from unmask.benchmark.defence_measure import CLEAN, JUDGED
from unmask.benchmark.defence_trials import Trial
from unmask.defences.purified import Purified
from unmask.execution.journal import Rows, key_of, run_journaled
from unmask.seeding import seed_for
from unmask.torch_contracts import Detector
from unmask.training.memory import kept_memory
from unmask.training.setup import repeatable
from unmask.video.picture import read_picture, write_png

SHOWN = 6  # pictures that are kept of a batch
DRAWS = 16  # of a random defence, beside the one that a face's own content fixes

ROWS = JUDGED | {"picture": pl.String()}  # the attacked face, where it is kept, within `out`


@dataclass(frozen=True)
class Face:
    """A crop as the face table has it, and its label."""

    item: str
    frame: int
    track: int
    crop: str
    label: int

    @property
    def identity(self) -> tuple[str | int, ...]:
        """What changes when the face is another one."""
        path = Path(self.crop)
        size = path.stat().st_size if path.is_file() else 0
        return self.item, self.frame, self.track, self.label, size


@dataclass(frozen=True)
class Seer:
    """Who is attacked or judges: a text that `open_victim`, or for a guard `open_guard`, takes."""

    text: str
    name: str
    sha256: str
    is_guard: bool = False


@dataclass(frozen=True)
class Run:
    """One attack, or none, on some faces, and who judges them before and after.

    Args:
        faces: that are worked on together.
        trial: the attack; None for none.
        made_on: the victim that the attack may ask; None where there is no attack.
        seen_by: who judges.
        seed: of the attack.
        device: where the networks run.
        out: the folder that pictures are told from.
        pictures: the folder for pictures within it; empty for none.
    """

    faces: tuple[Face, ...]
    trial: Trial | None
    made_on: Seer | None
    seen_by: tuple[Seer, ...]
    seed: int
    device: str
    out: Path
    pictures: str = ""

    @property
    def key(self) -> str:
        """What changes when the rows would."""
        return key_of(
            [one.identity for one in self.faces],
            self.trial and [self.trial.name, self.trial.method, self.trial.create()[1]],
            self.made_on and [self.made_on.name, self.made_on.sha256],
            [[one.name, one.sha256, one.is_guard] for one in self.seen_by],
            [self.seed, self.pictures],
        )


def run_all(runs: Sequence[Run], *, journal: Path, workers: int) -> pl.DataFrame:
    """Return the rows of `ROWS` of all runs; those that were done before are kept.

    Args:
        runs: what to do.
        journal: the file of what is done.
        workers: processes; 0 takes one for each core.

    Raises:
        InvalidInputError: if the journal is damaged, or in use by another run.
        WorkerLostError: if a worker process dies; what is done is kept.
    """
    done = run_journaled(
        runs,
        judge,
        key=lambda run: run.key,
        journal=journal,
        workers=workers,
        description="attacking faces",
        files=lambda run, rows: [run.out / row["picture"] for row in rows if row["picture"]],
        unit="queries",
        # Every judge's rows tell what the same attack has asked.
        amount=lambda rows: sum(row["queries"] for row in rows) / _judges(rows),
    )
    return pl.DataFrame([row for rows in done for row in rows], schema=ROWS)


def judge(run: Run) -> Rows:
    """Return the rows of `ROWS` of one run."""
    faces = [as_face(read_picture(Path(one.crop))) for one in run.faces]
    with kept_memory(), repeatable(torch.device(run.device)):
        torch.manual_seed(_seed(run))  # a victim that is random itself draws from torch's generator
        attacked = _attacked(run, faces)
        moved = list(attacked.faces) if attacked else faces
        seen = {one: _judged(one, run, faces, moved) for one in run.seen_by}
    kept = _kept(run, moved) if attacked and run.pictures else {}
    return [
        {
            "item": face.item,
            "frame": face.frame,
            "track": face.track,
            "label": face.label,
            "attack": run.trial.name if run.trial else CLEAN,
            "made_on": run.made_on.name if run.made_on else None,
            "seen_by": seer.name,
            "iterations": int(attacked.iterations[place]) if attacked else 0,
            "queries": int(attacked.queries[place]) if attacked else 0,
            "linf": float(attacked.linf[place]) if attacked else 0.0,
            "picture": kept.get(place),
        }
        | {name: values[place] for name, values in columns.items()}
        for seer, columns in seen.items()
        for place, face in enumerate(run.faces)
    ]


def is_random(detector: Detector) -> bool:
    """Return whether the detector draws at random when it judges."""
    return any(
        purifier.is_random
        for module in detector.modules()
        if isinstance(module, Purified)
        for purifier in module.purifiers
    )


def _attacked(run: Run, faces: list[Tensor]) -> Attacked | None:
    if run.trial is None or run.made_on is None:
        return None
    attack, _ = run.trial.create()
    labels = torch.tensor([one.label for one in run.faces])
    return attack(_opened(run.made_on, run.device), faces, labels, seed=_seed(run))


def _judged(
    seer: Seer, run: Run, faces: list[Tensor], moved: list[Tensor]
) -> dict[str, Sequence[float | None]]:
    """Return the columns that one judge fills in."""
    detector = _opened(seer, run.device)
    before = _scores(detector, faces)
    after = before if moved is faces else _scores(detector, moved)
    draws: Sequence[float | None] = [None] * len(faces)
    if is_random(detector):
        draws = _real_draws(detector, moved)
    return {"before": before, "after": after, "real_draws": draws}


@torch.no_grad()
def _scores(detector: Detector, faces: list[Tensor]) -> list[float]:
    odds = detector.odds(_shown(detector, faces))
    scores: list[float] = odds.double().sigmoid().tolist()
    return scores


def _real_draws(detector: Detector, faces: list[Tensor]) -> list[float]:
    """Return the share of independent draws in which each face is judged real."""
    shown = _shown(detector, faces).detach().requires_grad_()  # which makes it draw anew
    odds = torch.stack([detector.odds(shown).detach() for _ in range(DRAWS)])
    shares: list[float] = (odds < 0).double().mean(0).tolist()
    return shares


def _shown(detector: Detector, faces: list[Tensor]) -> Tensor:
    device = detector.get_buffer("mean").device
    return torch.cat([detector.fitted(face[None].to(device)) for face in faces])


def _kept(run: Run, moved: list[Tensor]) -> dict[int, str]:
    """Write the first faces as pictures, and return where they lie by their place."""
    made_by = f"{run.trial.method} against {run.made_on.name}" if run.trial and run.made_on else ""
    kept = {place: f"{run.pictures}/{place}.png" for place in range(min(SHOWN, len(moved)))}
    for place, path in kept.items():
        write_png(run.out / path, as_image(moved[place]), synthetic=made_by)
    return kept


@cache
def _opened_once(text: str, sha256: str, device: str, is_guard: bool) -> Detector:
    found: OpenVictim = open_guard(text) if is_guard else open_victim(text)
    return found.detector.to(device)


def _opened(seer: Seer, device: str) -> Detector:
    return _opened_once(seer.text, seer.sha256, device, seer.is_guard)


def _seed(run: Run) -> int:
    first = run.faces[0]
    return seed_for(run.seed, "defence", first.item, first.frame, first.track)


def _judges(rows: Sequence[Mapping[str, object]]) -> int:
    return max(1, len({row["seen_by"] for row in rows}))
