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
from unmask.errors import InvalidInputError
from unmask.files import write_whole
from unmask.generators.pairs import Pair, Row
from unmask.swapping.dfdm_pairs import Who, who

TABLE = "persons.csv"
COLUMNS = ("id", "scene", "dataset", "person", "clip")

Line = dict[str, str]  # of the table


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
        """Write `persons.csv`: a line for each clip, with who is seen and both numbers.

        Lines of further clips that are there stay.
        """
        lines = {line["clip"]: line for line in read_lines(folder)}
        for row in rows:
            numbers = self.people[who(row)], self.scenes[row["id"]]
            lines[row["id"]] = dict(zip(COLUMNS, (*numbers, *who(row), row["id"]), strict=True))
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(lines.values(), key=lambda line: (who(line), line["scene"])))
        write_whole(folder / TABLE, text.getvalue().encode())


def read_lines(folder: Path) -> list[Line]:
    """Return the lines of `persons.csv`; none if it is not there.

    Raises:
        InvalidInputError: if it has other columns.
    """
    path = folder / TABLE
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InvalidInputError(
                f"{TABLE} must have the columns {', '.join(COLUMNS)}, got "
                f"{', '.join(reader.fieldnames or ()) or 'none'} in {path}; restore it, or choose "
                "another folder"
            )
        return list(reader)


def number(rows: Sequence[Row], known: Sequence[Line] = ()) -> Numbers:
    """Return the names of the people and the scenes of clips.

    Args:
        rows: of the clips.
        known: the lines of an earlier table, whose names stay.
    """
    return Numbers(number_people(rows, known), number_scenes(rows, known))


def number_people(rows: Sequence[Row], known: Sequence[Line] = ()) -> dict[Who, str]:
    """Return what each person is called.

    Whoever is in an earlier table keeps that name, and whoever is called `id7` already, as in
    Celeb-DF, that one; all others get the numbers that are free, in the order of their data sets
    and names.

    Example:
        >>> rows = [{"dataset": "d", "person": name} for name in ("eve", "id1", "ann")]
        >>> number_people(rows)
        {('d', 'ann'): 'id0', ('d', 'eve'): 'id2', ('d', 'id1'): 'id1'}
    """
    named = {who(line): line["id"] for line in known}
    new = sorted({who(row) for row in rows} - named.keys())
    owners = {name: one for one, name in named.items()}
    for one in new:
        if re.fullmatch(r"id[0-9]+", one[1]):
            owners.setdefault(one[1], one)  # of two data sets' id1 the first keeps it
    free = _free("id{}", owners)
    named |= {one: one[1] if owners.get(one[1]) == one else next(free) for one in new}
    return {one: named[one] for one in sorted({who(row) for row in rows})}


def number_scenes(rows: Sequence[Row], known: Sequence[Line] = ()) -> dict[str, str]:
    """Return what each clip is called among those of its person.

    A clip that is in an earlier table keeps that name, and one of `id7` that is called `id7_0003`
    keeps `0003`; all others get the numbers that are free, in the order of their ids.

    Example:
        >>> rows = [{"dataset": "d", "person": "id7", "id": name}
        ...         for name in ("new.mp4", "id7_0000.mp4")]
        >>> number_scenes(rows)
        {'id7_0000.mp4': '0000', 'new.mp4': '0001'}
    """
    people: dict[Who, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["id"]):
        people[who(row)].append(row)
    tables: dict[Who, dict[str, str]] = defaultdict(dict)
    for line in known:
        tables[who(line)][line["clip"]] = line["scene"]
    scenes: dict[str, str] = {}
    for person, clips in people.items():
        scenes |= _scenes(clips, tables[person])
    return scenes


def _scenes(clips: Sequence[Row], known: dict[str, str]) -> dict[str, str]:
    """Return what each clip of one person is called."""
    new = [row for row in clips if row["id"] not in known]
    own = {row["id"]: _own_scene(row) for row in new}
    times = Counter([*own.values(), *known.values()])
    kept = {clip: scene for clip, scene in own.items() if scene and times[scene] == 1}
    free = _free("{:04d}", {*kept.values(), *known.values()})
    named = {row["id"]: kept.get(row["id"]) or next(free) for row in new}
    return {row["id"]: (known | named)[row["id"]] for row in clips}


def _own_scene(row: Row) -> str:
    """Return the scene that a clip's own name tells, or nothing."""
    said = read_real_name(Path(row["id"]).stem)
    is_own = said is not None and said[0] == row["person"] and re.fullmatch("[0-9]+", said[1])
    return said[1] if said is not None and is_own else ""


def _free(form: str, taken: Collection[str]) -> Iterator[str]:
    names = (form.format(number) for number in count())
    return (name for name in names if name not in taken)
