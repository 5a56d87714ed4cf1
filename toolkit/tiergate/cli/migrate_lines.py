"""What ``tiergate migrate`` says of a migration."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from tiergate.binding import Binding
from tiergate.cli.output import output_width
from tiergate.cli.sessions_tables import counted, human_bytes
from tiergate.cli.terminal import columns, visible
from tiergate.record import FieldDifference, MigrationRecord

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
    if record.state == "cut-over":
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


def status_lines(records: Sequence[MigrationRecord], bindings: Sequence[Binding]) -> list[str]:
    """All migrations and all bound names."""
    lines: list[str] = []
    if records:
        headers = ("ID", "STATE", "SESSIONS", "NAME", "SOURCE", "TARGET")
        rows = [_status_row(record) for record in records]
        lines += columns(headers, rows, output_width(), right=(2,), cuts=(4, 5))
    else:
        lines.append("no migrations")
    if bindings:
        rows = [[f"store:{one.name}", str(one.epoch), visible(one.address)] for one in bindings]
        lines += ["", *columns(("NAME", "EPOCH", "BOUND TO"), rows, output_width(), right=(1,), cuts=(2,))]
    return lines


def status_document(records: Sequence[MigrationRecord], bindings: Sequence[Binding]) -> dict[str, Any]:
    """The same as JSON."""
    return {"schema": "tiergate.migrations/1", "migrations": records, "bindings": bindings}


def resume_line(source: str, target: str, extra: Sequence[str]) -> str:
    """How to go on with a migration that stopped."""
    command = shlex.join(["tiergate", "migrate", source, target, *extra, "--resume"])
    return f"what was copied is kept; go on with: {command}"


def _status_row(record: MigrationRecord) -> list[str]:
    return [
        record.id,
        record.state,
        str(record.sessions),
        record.binding or "",
        visible(record.source),
        visible(record.target),
    ]


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
