"""The tables of the attack protocol."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from unmask.benchmark.attack_published import MARK, RECALLED, SOURCE
from unmask.benchmark.attack_results import FILE, PROTOCOL, SHARES, TENSOR, AttackResult
from unmask.benchmark.results import Level, Measured
from unmask.benchmark.study import keep_only
from unmask.benchmark.tables import Cell, Row, Table, interval_notes, write_table
from unmask.errors import unknown_name

NO_ATTACK = "(no attack)"
CONTROLS = {"success": "control", "video_success": "video_control"}
CHANNELS = {TENSOR: "never written", FILE: "lossless file"}
COST_COLUMNS = {  # title, decimals
    "linf": ("L-inf of 255", 2),
    "l2": ("L2", 2),
    "psnr": ("PSNR dB", 1),
    "ssim": ("SSIM", 4),
    "queries_25": ("queries, quartile", 0),
    "queries": ("median", 0),
    "queries_75": ("quartile", 0),
    "iterations": ("iterations, median", 0),
}


def share_table(results: Sequence[AttackResult], share: str = "success") -> Table:
    """Return victims and attacks by channel, each judged by the victim itself.

    For a success the first line of each victim is its control: the clean faces through the same
    codecs, those of the attack that has most of them.

    Args:
        results: of one protocol run.
        share: one of `SHARES`.

    Raises:
        NotFoundError: if there is no such share.
    """
    if share not in SHARES:
        raise unknown_name("the shares of attacks", share, SHARES)
    channels = _distinct(channel for one in results for channel in one.channels)
    control = CONTROLS.get(share)
    rows = []
    for victim in _victims(results):
        own = [one for one in results if one.victim.name == victim]
        if control:
            measured = [fullest(own).share(control, channel) for channel in channels]
            rows.append(_row((victim, NO_ATTACK), measured))
        rows += [
            _row((victim, one.attack), [one.share(share, channel) for channel in channels])
            for one in own
        ]
    table = _table(
        SHARES[share], ("Victim", "Attack"), map(channel_title, channels), rows, share=share
    )
    return replace(table, notes=(*_eligible(results, controlled=control is not None), *table.notes))


def transfer_table(results: Sequence[AttackResult], channel: str = FILE) -> Table:
    """Return for each attack the victims it was made on by the detectors that judge it."""
    judges = _distinct(one.judge for result in results for one in result.judgements)
    rows = [
        _row((attack, one.victim.name), [one.share("success", channel, judge) for judge in judges])
        for attack in _distinct(one.attack for one in results)
        for one in results
        if one.attack == attack
    ]
    title = (
        f"{SHARES['success']}, {channel_title(channel)}: made on one detector, judged by another"
    )
    return _table(title, ("Attack", "Made on"), judges, rows, across="judge")


def method_table(results: Sequence[AttackResult], channel: str = FILE) -> Table:
    """Return victims and attacks by the forgery method of the attacked videos."""
    found = [one.judgement(channel) for one in results]
    methods = sorted({name for one in found if one for name in one.methods})
    rows = [
        _row(
            (result.victim.name, result.attack),
            [judged.methods.get(name) if judged else None for name in methods],
        )
        for result, judged in zip(results, found, strict=True)
    ]
    title = f"{SHARES['success']}, {channel_title(channel)}, by forgery method"
    return _table(title, ("Victim", "Attack"), methods, _ordered(rows), across="method")


def cost_table(results: Sequence[AttackResult]) -> Table:
    """Return victims and attacks by what they cost and change."""
    rows = [
        Row(
            (one.victim.name, one.attack),
            tuple(
                Cell(one.costs.get(name), digits=digits)
                for name, (_, digits) in COST_COLUMNS.items()
            ),
        )
        for one in results
    ]
    titles = [title for title, _ in COST_COLUMNS.values()]
    told = "Means and medians over the attacked faces that were judged fake before"
    return _table(told, ("Victim", "Attack"), titles, _ordered(rows), shaded=False, share="cost")


def loss_table(results: Sequence[AttackResult]) -> Table | None:
    """Return victims and attacks by what kept how many from being measured; None without any."""
    losses = [_losses(one) for one in results]
    columns = _distinct(name for lost in losses for name in lost)
    if not columns:
        return None
    rows = [
        Row(
            (one.victim.name, one.attack),
            tuple(
                Cell(Measured(lost.get(name, 0), None, None, "counted"), digits=0)
                for name in columns
            ),
        )
        for one, lost in zip(results, losses, strict=True)
    ]
    return Table(
        title="How many could not be attacked or judged, and what kept them from it",
        heads=("Victim", "Attack"),
        columns=tuple(columns),
        rows=tuple(_ordered(rows)),
        notes=(),
        level="frame",
        metric="dropped",
        across="reason",
    )


def _losses(result: AttackResult) -> dict[str, int]:
    """Return counts by what they are of and what kept them from being measured."""
    found = {f"videos: {name}": count for name, count in result.counts.dropped_videos.items()}
    found |= {f"frames: {name}": count for name, count in result.counts.dropped.items()}
    for channel in result.channels:
        judged = result.judgement(channel)
        for name, count in judged.dropped.items() if judged else ():
            found[f"faces, {channel_title(channel)}: {name}"] = count
    return found


def recalled_table(results: Sequence[AttackResult]) -> Table | None:
    """Return the recalled rows of the measured attacks, under their mark; None without any."""
    methods = {one.method for one in results}
    rows = [
        Row(
            (f"{one.attack} (recalled)",),
            (
                Cell(Measured(one.linf, None, None, MARK), digits=1),
                Cell(Measured(one.lossless, None, None, MARK)),
                Cell(Measured(one.mjpeg, None, None, MARK)),
            ),
        )
        for one in RECALLED
        if one.attack in methods
    ]
    if not rows:
        return None
    return Table(
        title="Not ours and not verified: what the paper is remembered to say",
        heads=("Attack",),
        columns=("L-inf of 255", "lossless file", "mjpeg"),
        rows=tuple(rows),
        notes=(f"{SOURCE}: {MARK}.",),
        level="frame",
        metric="recalled",
        across="column",
    )


def channel_title(channel: str) -> str:
    """Return how a channel is called in a table."""
    return CHANNELS.get(channel, channel)


def write_attack_tables(results: Sequence[AttackResult], folder: Path) -> None:
    """Write every table as Markdown, CSV and LaTeX; those of an earlier run are deleted."""
    tables: dict[str, Table | None] = {
        **{name: share_table(results, name) for name in SHARES if "control" not in name},
        "cost": cost_table(results),
        "methods": method_table(results),
        "dropped": loss_table(results),
        "recalled_not_verified": recalled_table(results),
    }
    for channel in _distinct(channel for one in results for channel in one.channels):
        if channel != TENSOR:
            tables[f"transfer_{channel}"] = transfer_table(results, channel)
    written = {f"{PROTOCOL}_{name}": table for name, table in tables.items() if table}
    for name, table in written.items():
        write_table(table, folder, name)
    for ending in ("md", "csv", "tex"):
        keep_only(folder, f"{PROTOCOL}_*.{ending}", written)


def fullest(results: Sequence[AttackResult]) -> AttackResult:
    """Return, of one victim's results, the first of those with most measured faces."""

    def faces(one: AttackResult) -> int:
        judged = one.judgement(FILE)
        return judged.faces if judged else 0

    return max(results, key=faces)


def _eligible(results: Sequence[AttackResult], *, controlled: bool) -> Iterator[str]:
    """Yield for each victim how many faces a success is a share of, and a control if there is."""
    for victim in _victims(results):
        one = fullest([one for one in results if one.victim.name == victim])
        judged = one.judgement(FILE)
        if judged:
            told = f"{judged.faces} found faces of {judged.videos} videos"
            count = one.counts.faces
            yield f"{victim} called {told} fake before, of {count} that {one.attack} attacked."
            if controlled:
                yield f"{NO_ATTACK}: those of these {count} that {victim} called fake, still clean."


def _table(
    title: str,
    heads: tuple[str, ...],
    columns: Iterable[str],
    rows: Sequence[Row],
    *,
    share: str = "success",
    across: str = "channel",
    shaded: bool = True,
) -> Table:
    level: Level = "video" if share.startswith("video") else "frame"
    return Table(
        title=title,
        heads=heads,
        columns=tuple(columns),
        rows=tuple(rows),
        notes=tuple(interval_notes(rows)),
        level=level,
        metric=share,
        across=across,
        shaded_from=0.0 if shaded else None,
    )


def _row(heads: tuple[str, ...], measured: Iterable[Measured | None]) -> Row:
    return Row(heads, tuple(map(Cell, measured)))


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with those of one victim together, in the order of their first."""
    victims = _distinct(row.heads[0] for row in rows)
    return sorted(rows, key=lambda row: victims.index(row.heads[0]))


def _victims(results: Sequence[AttackResult]) -> list[str]:
    return _distinct(one.victim.name for one in results)


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
