"""Slowdowns that somebody accepted: a file beside the code, with a reason and a last day for each."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec

from tiergate.errors import UsageError
from tiergate.gate.verdict import verdict_of
from tiergate.record import GateBenchmark, GateRecord

_KEYS = {"name", "reason", "until"}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A slowdown that does not fail the gate, up to and including a day."""

    name: str
    reason: str
    until: date


def read_accepted(file: Path) -> list[Accepted]:
    """The entries of a file; none where there is no file.

    Raises:
        UsageError: the file is damaged, or an entry lacks something.
    """
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(file)) from error
    entries = document.get("accepted", [])
    if not isinstance(entries, list):
        raise UsageError("`accepted` is no list of tables", where=str(file), hint="write [[accepted]]")
    return [_entry(entry, f"{file}, entry {number}") for number, entry in enumerate(entries, 1)]


def _entry(entry: object, where: str) -> Accepted:
    if not isinstance(entry, dict) or entry.keys() != _KEYS:
        raise UsageError(
            "an entry has a name, a reason and a last day", where=where, hint="name, reason, until"
        )
    name, reason, until = entry["name"], entry["reason"], entry["until"]
    if not (isinstance(name, str) and isinstance(reason, str) and reason.strip()):
        raise UsageError("name and reason are texts, and a reason is no empty one", where=where)
    if type(until) is not date:
        raise UsageError("until is no date", where=where, hint="until = 2030-01-31, without quotes")
    return Accepted(name, reason, until)


def written(entries: Sequence[Accepted]) -> str:
    """The text of a file: sorted, so that a change of one entry changes its own lines only."""
    blocks = [
        f"[[accepted]]\nname = {_quoted(one.name)}\nreason = {_quoted(one.reason)}\nuntil = {one.until}\n"
        for one in sorted(entries, key=lambda one: one.name)
    ]
    return "# Slowdowns that `tiergate gate` lets pass until a day.\n\n" + "\n".join(blocks)


def _quoted(text: str) -> str:
    """A basic string of TOML, which a string of JSON is too, but for one character."""
    return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")


def with_accepted(record: GateRecord, entries: Sequence[Accepted], today: date) -> GateRecord:
    """The record with accepted slowdowns marked, and a remark for each entry that has expired."""
    valid = {one.name: one.reason for one in entries if today <= one.until}
    benchmarks = [_marked(one, valid) for one in record.benchmarks]
    slower = {one.name for one in benchmarks if one.verdict == "regressed"}
    expired = [
        f"{one.name}: accepted until {one.until} only ({one.reason})"
        for one in entries
        if today > one.until and one.name in slower
    ]
    return msgspec.structs.replace(
        record,
        benchmarks=benchmarks,
        remarks=[*record.remarks, *expired],
        verdict=verdict_of(benchmarks, record.unpaired),
    )


def _marked(one: GateBenchmark, valid: dict[str, str]) -> GateBenchmark:
    if one.verdict == "regressed" and one.name in valid:
        return msgspec.structs.replace(one, accepted=valid[one.name])
    return one
