"""What ``tiergate migrate`` says of a migration."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from tiergate.binding import Binding
from tiergate.cli.output import output_width
from tiergate.cli.sessions_tables import counted, human_bytes
from tiergate.cli.terminal import columns, visible
from tiergate.migrate.running import Holder
from tiergate.migrate.standing import Standing
from tiergate.record import FieldDifference, MigrationRecord
from tiergate.state_files import StateError

MOST_SHOWN = 20
"""Differences that are printed; ``-o`` has more."""


def plan_lines(record: MigrationRecord, *, verbose: bool) -> list[str]:
    """What a migration would do."""
    took = record.estimate_s
    lines = [
        f"{visible(record.source)} → {visible(record.target)}: {_amount(record)}",
        "nothing is lost: every session can be kept as it is",
    ]
    if took is not None:
        lines.append(f"will take about {took:.3g} s, by a timed sample")
    if verbose:
        lines.append(f"root hash of the source: {record.root_hash.source}")
    return [*lines, *map(_remark, record.remarks), "nothing was written"]


def result_lines(record: MigrationRecord, *, verbose: bool) -> list[str]:
    """What a migration has done."""
    took = sum(record.seconds.values())
    lines = [
        f"{visible(record.source)} → {visible(record.target)}: {_amount(record)}"
        f" in {took:.1f} s (migration {record.id})"
    ]
    if record.state == "failed":
        lines.append(f"NOT the same: {counted(len(record.differences), 'difference')}")
        lines += [_difference(one) for one in record.differences[:MOST_SHOWN]]
        if len(record.differences) > MOST_SHOWN:
            lines.append(f"  and {len(record.differences) - MOST_SHOWN} more; -o FILE writes them")
        lines.append("nothing was cut over; --resume copies again what differs")
    elif record.state in {"verified", "cut-over"}:
        lines.append(_verified(record))
    if record.state == "cut-over" and record.binding is not None:
        lines.append(f"store:{record.binding} is bound to it (epoch {record.epoch})")
    if verbose:
        lines += [f"  {step}: {seconds:.3f} s" for step, seconds in record.seconds.items()]
    return [*lines, *map(_remark, record.remarks)]


def undo_line(record: MigrationRecord) -> str:
    """What an undo has done."""
    return (
        f"store:{record.binding} is bound to {visible(record.source)} again (epoch {record.epoch});"
        f" {visible(record.target)} is left as it is"
    )


def status_lines(
    found: Sequence[Standing], reading: Sequence[Holder], bindings: Sequence[Binding]
) -> list[str]:
    """All migrations, those that run now, what to do about those that stopped, and all bound names."""
    lines: list[str] = []
    rows = [*map(_status_row, found), *map(_reading_row, reading)]
    if rows:
        headers = ("ID", "STATE", "SESSIONS", "NAME", "SOURCE", "TARGET")
        lines += columns(headers, rows, output_width(), right=(2,), cuts=(4, 5))
        lines += [line for one in found for line in _advice(one)]
    else:
        lines.append("no migrations")
    if bindings:
        rows = [[f"store:{one.name}", str(one.epoch), visible(one.address)] for one in bindings]
        lines += ["", *columns(("NAME", "EPOCH", "BOUND TO"), rows, output_width(), right=(1,), cuts=(2,))]
    return lines


def status_document(
    found: Sequence[Standing],
    reading: Sequence[Holder],
    bindings: Sequence[Binding],
    damaged: Iterable[StateError],
) -> dict[str, Any]:
    """The same as JSON: records with their ``activity``, the processes at work, and what cannot be read."""
    holders = [*(one.holder for one in found if one.holder is not None), *reading]
    return {
        "schema": "tiergate.migrations/1",
        "migrations": [{**msgspec.to_builtins(one.record), "activity": one.activity} for one in found],
        "running": holders,
        "bindings": bindings,
        "damage": [{"where": error.where, "what": error.what} for error in damaged],
    }


def damage_lines(damaged: Iterable[StateError]) -> list[str]:
    """What of the state folder cannot be read, and what to do about it."""
    return [f"cannot be read: {visible(str(error))}" for error in damaged]


def resume_words(source: str, target: str, options: Sequence[str]) -> str:
    """How to go on with a migration that stopped."""
    return f"what was copied is kept, go on with: {_resume(source, target, options)}"


def _resume(source: str, target: str, options: Sequence[str]) -> str:
    return shlex.join(["tiergate", "migrate", source, target, *options, "--resume"])


def _status_row(one: Standing) -> list[str]:
    record = one.record
    return [
        record.id,
        record.state if one.activity is None else f"{one.activity} ({record.state})",
        str(record.sessions),
        record.binding or "",
        visible(record.source),
        visible(record.target),
    ]


def _reading_row(holder: Holder) -> list[str]:
    return [
        "",
        "running (reading)",
        "",
        holder.binding or "",
        visible(holder.source_place),
        visible(holder.target_place),
    ]


def _advice(one: Standing) -> Iterator[str]:
    record = one.record
    if one.holder is not None:
        yield f"{record.id} is running ({one.holder})"
    elif one.activity == "interrupted":
        yield f"{record.id} was interrupted, go on with: {_resume(record.source, record.target, one.options)}"
    elif one.activity == "never began":
        yield f"{record.id} wrote nothing to its target: run it again, or leave it"


def _amount(record: MigrationRecord) -> str:
    sessions, tasks = counted(record.sessions, "session"), counted(record.tasks, "task")
    return f"{sessions}, {tasks}, {human_bytes(record.bytes)}"


def _verified(record: MigrationRecord) -> str:
    if record.verify == "sample":
        return f"verified: {record.verified} of {counted(record.sessions, 'session')} read back and the same"
    return f"verified: every session read back and the same; root hash {record.root_hash.target}"


def _difference(one: FieldDifference) -> str:
    task = f", task {visible(one.task)}" if one.task is not None else ""
    name = f", {visible(one.field)}" if one.field else ""
    return (
        f"  session {visible(one.session)}{task}{name}:"
        f" source {_value(one.source)}, target {_value(one.target)}"
    )


def _value(text: str | None) -> str:
    return "has none" if text is None else visible(text)


def _remark(text: str) -> str:
    return f"remark: {visible(text)}"
