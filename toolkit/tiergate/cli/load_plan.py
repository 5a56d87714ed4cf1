"""What commands share that send load: the plan, and what is found out before anything is measured."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiergate.cli.output import printable
from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.config import Config
    from tiergate.load.plan import Plan
    from tiergate.load.replay import Replay
    from tiergate.model import Session
    from tiergate.plugins import PluginHost
    from tiergate.record import Source

_Command = TypeVar("_Command", bound=Callable[..., Any])

HIGHEST_RATE = 1_000_000
"""Requests a second; no loop can send more."""


def request_options(command: _Command) -> _Command:
    """Give a command ``trace_file``, ``workload`` and ``seed``."""
    trace = click.option(
        "--trace",
        "trace_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Replay a trace, at its own rate unless --rate is given; it carries its workload and seed.",
    )
    workload = click.option("--workload", metavar="NAME", help="What makes the requests.")
    seed = click.option("--seed", type=int, metavar="N", help="The same seed gives the same requests.")
    return trace(workload(seed(command)))


def plan_of(
    settings: Config,
    host: PluginHost,
    read: tuple[list[Session], list[Source]],
    trace_file: Path | None,
    rate: float | None,
) -> Plan:
    """The plan that the settings make, on these sessions, or on a trace.

    Raises:
        UsageError: they name what nobody declares.
        SourceError: the trace cannot be read.
    """
    from tiergate.hooks import RouterDeclaration, WorkloadDeclaration
    from tiergate.load.effort import EFFORTS
    from tiergate.load.plan import Plan
    from tiergate.load.replay import read_replay

    routers = [host.get(RouterDeclaration, name) for name in dict.fromkeys(settings.routers)]
    host.get(RouterDeclaration, settings.router)
    sources = read[1]
    sessions = read[0] if sources else None
    replay = None if trace_file is None else read_replay(trace_file, host, sessions)
    return Plan(
        effort_name=settings.effort,
        effort=EFFORTS[settings.effort],
        seed=settings.seed if replay is None else replay.trace.head.seed,
        workload=host.get(WorkloadDeclaration, settings.workload) if replay is None else replay.workload,
        routers=routers,
        configured_router=settings.router,
        store=settings.store,
        pool=settings.pool,
        tiers={str(tier): workers for tier, workers in settings.tiers.items()},
        offered_load=settings.offered_load,
        rate_rps=rate,
        deadline_s=settings.deadline_s,
        sessions=sessions,
        sources=sources,
        replay=replay,
        command=["tiergate", *map(printable, sys.argv[1:])],
    )


def require_own_operations(replay: Replay | None) -> None:
    """Refuse a trace of tools, which only the target that has them can serve.

    Raises:
        UsageError: it is one.
    """
    if replay is not None and replay.is_of_tools:
        raise UsageError(
            "a trace of tools can only be sent to the server that has them",
            where=replay.path,
            hint="`tiergate load --trace FILE --target mcp-stdio:PROGRAM` does",
        )


def require_rate(rate: float | None) -> None:
    """Find out that a rate can be sent."""
    if rate is not None and not 0 < rate <= HIGHEST_RATE:
        raise UsageError(f"--rate must be a number above 0 and at most {HIGHEST_RATE}, not {rate:g}")


def require_one_origin(trace_file: Path | None, workload: str | None, seed: int | None) -> None:
    """Find out that requests come from a trace or from a workload, not from both."""
    if trace_file is not None and (workload is not None or seed is not None):
        given = "--seed" if workload is None else "--workload"
        raise UsageError(
            f"{given} and --trace exclude each other", where=str(trace_file), hint="a trace carries its own"
        )
