"""What people and clips are called in the file names of a data set like DFDM."""

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from unmask.datasets.dfdm_names import fake_name, read_real_name, real_name
from unmask.files import write_whole
from unmask.generators.pairs import Pair, Row
from unmask.swapping.dfdm_pairs import Who, who

TABLE = "persons.csv"
COLUMNS = ("id", "scene", "dataset", "person", "clip")


@dataclass(frozen=True)
class Numbers:
    """The names of people and scenes.

    Args:
        people: such as `id7`, by data set and name.
        scenes: such as `0003`, by the id of the clip.
    """

    people: dict[Who, str]
    scenes: dict[str, str]

    def fake(self, pair: Pair, model: str) -> str:
        """Return the name of a swap's file."""
        assert pair.source is not None
        target, source = self.people[who(pair.target)], self.people[who(pair.source)]
        return fake_name(target, source, self.scenes[pair.target["id"]], model)

    def real(self, row: Row) -> str:
        """Return the name of a real video's file."""
        return real_name(self.people[who(row)], self.scenes[row["id"]])

    def write(self, folder: Path, rows: Sequence[Row]) -> None:
        """Write `persons.csv`: a line for each clip, with who is seen and both numbers."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in sorted(rows, key=lambda row: (who(row), self.scenes[row["id"]])):
            writer.writerow([self.people[who(row)], self.scenes[row["id"]], *who(row), row["id"]])
        write_whole(folder / TABLE, text.getvalue().encode())


def number(rows: Sequence[Row]) -> Numbers:
    """Return the names of the people and the scenes of clips.

    Args:
        rows: of the clips.
    """
    return Numbers(number_people(rows), number_scenes(rows))


def number_people(rows: Sequence[Row]) -> dict[Who, str]:
    """Return what each person is called.

    Whoever is called `id7` already, as in Celeb-DF, keeps that; all others get the numbers that
    are free, in the order of their data sets and names.

    Example:
        >>> rows = [{"dataset": "d", "person": name} for name in ("eve", "id1", "ann")]
        >>> number_people(rows)
        {('d', 'ann'): 'id0', ('d', 'eve'): 'id2', ('d', 'id1'): 'id1'}
    """
    people = sorted({who(row) for row in rows})
    own = {one: one[1] for one in people[::-1] if re.fullmatch(r"id[0-9]+", one[1])}
    kept = {name: one for one, name in own.items()}  # of two data sets' id1 the first keeps it
    free = _free("id{}", kept)
    return {one: one[1] if kept.get(one[1]) == one else next(free) for one in people}


def number_scenes(rows: Sequence[Row]) -> dict[str, str]:
    """Return what each clip is called among those of its person.

    A clip of `id7` that is called `id7_0003` keeps `0003`; all others get the numbers that are
    free, in the order of their ids.

    Example:
        >>> rows = [{"dataset": "d", "person": "id7", "id": name}
        ...         for name in ("new.mp4", "id7_0000.mp4")]
        >>> number_scenes(rows)
        {'id7_0000.mp4': '0000', 'new.mp4': '0001'}
    """
    people: dict[Who, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["id"]):
        people[who(row)].append(row)
    scenes: dict[str, str] = {}
    for clips in people.values():
        own = [_own_scene(row) for row in clips]
        kept = {scene for scene, times in Counter(own).items() if scene and times == 1}
        free = _free("{:04d}", kept)
        for row, scene in zip(clips, own, strict=True):
            scenes[row["id"]] = scene if scene in kept else next(free)
    return scenes


def _own_scene(row: Row) -> str:
    """Return the scene that a clip's own name tells, or nothing."""
    said = read_real_name(Path(row["id"]).stem)
    is_own = said is not None and said[0] == row["person"] and re.fullmatch("[0-9]+", said[1])
    return said[1] if said is not None and is_own else ""


def _free(form: str, taken: Collection[str]) -> Iterator[str]:
    names = (form.format(number) for number in count())
    return (name for name in names if name not in taken)
