"""Reading a trace file: what is wrong in it is named by file and line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tiergate.errors import SourceError, TiergateError, unknown_name
from tiergate.hooks import OperationDeclaration
from tiergate.load.trace import TOOLS, TRACE_SCHEMA, Trace, TraceHead, TraceLine
from tiergate.operation import Request

_AnyLine = TypeVar("_AnyLine", TraceHead, TraceLine)


def read_trace(path: Path, operations: Sequence[OperationDeclaration]) -> Trace:
    """Read a trace.

    Args:
        operations: what a request may call.

    Raises:
        SourceError: the file cannot be read, or a line is not JSON, not a request, out of order, of arguments
            that its operation does not take, or missing.
        UsageError: a line calls an operation that nobody declares.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise SourceError(
            f"cannot read the trace: {error.strerror}", where=str(path), hint="check the path"
        ) from error
    if not lines[-1]:
        lines.pop()
    if not lines:
        raise SourceError("the trace is empty", where=str(path), hint="make one with `tiergate trace make`")
    head = _head(lines[0], place(path, 1))
    by_name = {operation.name: operation for operation in operations}
    starts: list[float] = []
    requests: list[Request] = []
    for number, line in enumerate(lines[1:]):
        where = place(path, number + 2)
        found = _decoded(line, TraceLine, where)
        _check_start(found.at, starts[-1] if starts else 0.0, where)
        request = Request(number, found.op, found.session, found.args, found.key)
        if head.workload != TOOLS:  # tools are the target's own affair
            check_request(request, by_name, where)
        starts.append(found.at)
        requests.append(request)
    if len(requests) != head.requests:
        raise SourceError(
            f"ends after {len(requests)} requests; its first line says {head.requests}",
            where=place(path, len(lines)),
            hint="the file was cut or added to; make or record the trace again",
        )
    return Trace(head, requests, starts)


def require_sessions(trace: Trace, path: Path, sessions: Collection[str], hint: str) -> None:
    """Refuse a trace with a request on a session that the store will not hold.

    Args:
        sessions: their ids.

    Raises:
        SourceError: the line of the first such request.
    """
    for request in trace.requests:
        if request.session is not None and request.session not in sessions:
            raise SourceError(
                f"session {request.session!r} is not in the store",
                where=place(path, request.id + 2),
                hint=hint,
            )


def place(path: Path, line: int) -> str:
    """A line of a file, as errors name it; lines count from 1."""
    return f"{path}:{line}"


def _head(line: bytes, where: str) -> TraceHead:
    document = _decoded_json(line, where)
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema is None:
        raise SourceError(
            "not a trace: its first line names no schema",
            where=where,
            hint=f'a trace begins with {{"schema": "{TRACE_SCHEMA}", …}}',
        )
    if schema != TRACE_SCHEMA:
        raise SourceError(
            f"unknown trace schema {schema!r}", where=where, hint=f"this version reads {TRACE_SCHEMA}"
        )
    return _decoded(line, TraceHead, where)


def _decoded_json(line: bytes, where: str) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError(
            f"not JSON: {error}", where=where, hint="a trace has one JSON object a line"
        ) from error


def _decoded(line: bytes, kind: type[_AnyLine], where: str) -> _AnyLine:
    _decoded_json(line, where)  # tells what is no JSON from what is no request
    try:
        return msgspec.json.decode(line, type=kind)
    except msgspec.ValidationError as error:
        what = "the first line of a trace" if kind is TraceHead else "a request"
        fields = ", ".join(kind.__struct_fields__)
        raise SourceError(f"not {what}: {error}", where=where, hint=f"its fields: {fields}") from error


def _check_start(at: float, before: float, where: str) -> None:
    if not isfinite(at) or at < 0:
        raise SourceError(
            f"{at:g} is no time", where=where, hint="`at` counts seconds from the start, from 0 on"
        )
    if at < before:
        raise SourceError(
            f"starts at {at:g} s, before the line above it at {before:g} s",
            where=where,
            hint="sort the requests by `at`",
        )


def check_request(request: Request, operations: Mapping[str, OperationDeclaration], where: str) -> None:
    """Refuse a request that no worker could be given.

    Args:
        operations: by their names.
        where: named by the error.

    Raises:
        SourceError: its operation needs a session, or does not take its arguments.
        UsageError: nobody declares its operation.
    """
    operation = operations.get(request.operation)
    if operation is None:
        raise unknown_name("operation", request.operation, operations, where=where)
    if operation.needs_session and request.session is None:
        raise SourceError(
            f"operation {operation.name!r} needs a session", where=where, hint='add "session": "ID"'
        )
    try:
        operation.scope(msgspec.convert(request.arguments, operation.arguments))
    except (msgspec.ValidationError, TiergateError) as error:
        raise SourceError(
            f"wrong arguments of operation {operation.name!r}: {error}",
            where=where,
            hint=f"it takes: {', '.join(operation.arguments.__struct_fields__) or 'none'}",
        ) from error
