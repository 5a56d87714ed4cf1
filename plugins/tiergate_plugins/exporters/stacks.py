"""The exporters `speedscope` and `collapsed`: profiles for other tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from tiergate.errors import UsageError
from tiergate.hooks import ExporterDeclaration, hookimpl
from tiergate.profile_record import ProfileFrame, ProfileRecord
from tiergate.record import Record

SPEEDSCOPE = "https://www.speedscope.app/file-format-schema.json"

_SEPARATOR = re.compile(r"[;\s]+")


def speedscope(records: Sequence[Record]) -> str:
    """A profile for each process, in seconds, in the file format of speedscope.

    Raises:
        UsageError: anything but one profile record.
    """
    record = _only(records)
    profiles = [_sampled(record, number) for number in range(len(record.processes))]
    document = {
        "$schema": SPEEDSCOPE,
        "name": f"tiergate: workload {record.workload.name}, seed {record.workload.seed}",
        "exporter": "tiergate",
        "shared": {"frames": [_frame(frame) for frame in record.frames]},
        "profiles": profiles,
    }
    return json.dumps(document) + "\n"


def collapsed(records: Sequence[Record]) -> str:
    """One stack a line, outermost call first, with microseconds behind it: process, operation, functions.

    Raises:
        UsageError: anything but one profile record.
    """
    record = _only(records)
    sums: dict[str, int] = {}
    for stack in record.stacks:
        names = [record.processes[stack.process].name]
        names += [stack.operation] if stack.operation else []
        names += [_spoken(record.frames[frame]) for frame in stack.frames]
        line = ";".join(_SEPARATOR.sub("_", name) for name in names)
        sums[line] = sums.get(line, 0) + round(1e6 * stack.seconds)
    return "".join(f"{line} {microseconds}\n" for line, microseconds in sorted(sums.items()))


def _only(records: Sequence[Record]) -> ProfileRecord:
    if len(records) == 1 and isinstance(records[0], ProfileRecord):
        return records[0]
    raise UsageError(
        "stacks are those of one profile record", hint="`tiergate profile -o profile.json` writes one"
    )


def _sampled(record: ProfileRecord, process: int) -> dict[str, Any]:
    stacks = [stack for stack in record.stacks if stack.process == process]
    return {
        "type": "sampled",
        "name": record.processes[process].name,
        "unit": "seconds",
        "startValue": 0,
        "endValue": sum(stack.seconds for stack in stacks),
        "samples": [stack.frames for stack in stacks],
        "weights": [stack.seconds for stack in stacks],
    }


def _frame(frame: ProfileFrame) -> dict[str, Any]:
    found: dict[str, Any] = {"name": frame.function, "file": frame.file}
    return {**found, "line": frame.line} if frame.line else found


def _spoken(frame: ProfileFrame) -> str:
    return f"{frame.function} ({frame.file}:{frame.line})" if frame.line else frame.function


@hookimpl
def tiergate_exporters() -> Iterator[ExporterDeclaration]:
    """The exporters of this module."""
    yield ExporterDeclaration(
        name="speedscope",
        summary="a profile for speedscope, one for each process",
        suffix=".speedscope.json",
        render=speedscope,
    )
    yield ExporterDeclaration(
        name="collapsed",
        summary="a profile as collapsed stacks, for any flame graph tool",
        suffix=".folded",
        render=collapsed,
    )
