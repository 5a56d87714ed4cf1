"""Replaying a trace file: its requests at its times, on its sessions, with the workload it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from tiergate.errors import SourceError, TiergateError
from tiergate.hooks import OperationDeclaration, WorkloadDeclaration
from tiergate.load.trace import TOOLS, Trace
from tiergate.load.trace_file import place, read_trace, require_sessions
from tiergate.model import Session
from tiergate.plugins import PluginHost


@dataclass(frozen=True, slots=True)
class Replay:
    """A trace to be judged instead of a generated one.

    Attributes:
        path: of its file, as it was given.
        sessions: what the store holds when the trace begins.
        workload: what it came from; it makes the separate training trace.
        rate_rps: that it was recorded at, requests a second.
    """

    path: str
    trace: Trace
    sessions: Sequence[Session]
    workload: WorkloadDeclaration
    rate_rps: float

    @property
    def is_of_tools(self) -> bool:
        """Whether it calls tools that only the target knows."""
        return self.trace.head.workload == TOOLS


def read_replay(path: Path, host: PluginHost, sessions: Sequence[Session] | None) -> Replay:
    """Read a trace to replay.

    Args:
        sessions: of somebody's own store; None makes those that the trace was generated on once more.

    Raises:
        SourceError: the trace is damaged, has no rate, or needs sessions that are not given.
        UsageError: it calls an operation that nobody declares, or its workload is not installed.
    """
    trace = read_trace(path, host.all(OperationDeclaration))
    workload = _workload(path, host, trace)
    if not trace.requests:
        raise SourceError("it has no request", where=str(path), hint="make one with `tiergate trace make`")
    if trace.rate_rps is None:
        raise SourceError(
            "all of its requests start at one moment, so it has no rate",
            where=str(path),
            hint="replay a trace of at least two starts",
        )
    if trace.head.workload == TOOLS:
        if sessions is not None:
            raise SourceError("a trace of tools has no sessions", where=str(path), hint="leave --from out")
        return Replay(str(path), trace, (), workload, trace.rate_rps)
    if sessions is not None:
        hint = "give the task store that the trace was recorded on with --from"
    elif trace.head.tasks is UNSET:
        raise SourceError(
            "its sessions are somebody's own", where=place(path, 1), hint="name their task store with --from"
        )
    else:
        sessions = workload.sessions(trace.head.seed, trace.head.tasks)
        hint = f"workload {workload.name!r} makes no such session; give the task store with --from"
    require_sessions(trace, path, {session.id for session in sessions}, hint)
    return Replay(str(path), trace, sessions, workload, trace.rate_rps)


def _workload(path: Path, host: PluginHost, trace: Trace) -> WorkloadDeclaration:
    if trace.head.workload == TOOLS:
        return WorkloadDeclaration(
            name=TOOLS,
            summary="calls of tools that the target defines",
            sessions=lambda _seed, _tasks: (),
            requests=lambda _seed, _sessions, _count: trace.requests,
        )
    try:
        return host.get(WorkloadDeclaration, trace.head.workload)
    except TiergateError as error:
        raise SourceError(error.what, where=place(path, 1), hint=error.hint) from error
