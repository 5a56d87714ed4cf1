"""``tiergate trace``: make or record a trace of requests, or show what one is like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli.from_sources import read_sources, require_sources, source_options
from tiergate.cli.groups import Group
from tiergate.cli.output import write, write_json
from tiergate.cli.state import State
from tiergate.cli.trace_record import record
from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.load.trace import Trace
    from tiergate.load.trace_facts import TraceFacts


@click.group(cls=Group, short_help="Make or record a trace of requests, or show what one is like.")
def command() -> None:
    """Make or record a trace of requests, or show what one is like.

    A trace is a file of JSON Lines: a first line that says where it came from, then one request a line with
    its time in seconds. `tiergate load --trace FILE` replays it.
    """


command.add_command(record)


@command.command()
@click.argument("workload", metavar="[WORKLOAD]", required=False)
@click.option(
    "--target", metavar="NAME:…", help="Call the tools of this target instead, such as mcp-stdio:PROGRAM."
)
@click.option("--tool", "tools", multiple=True, metavar="NAME", help="Only this tool; may be repeated.")
@click.option("--allow-writes", is_flag=True, help="Also tools that may change something.")
@click.option(
    "--allow-destructive", is_flag=True, help="Also tools that may take something away: every tool."
)
@click.option("--seed", type=int, metavar="N", help="The same seed gives the same trace.")
@click.option("--requests", "count", type=click.IntRange(min=1), metavar="N", help="How many requests.")
@source_options("Ask for the sessions of a task store instead of generated ones; may be repeated.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write there, whole or not at all; to standard output unless given.",
)
@click.pass_obj
def make(
    state: State,
    workload: str | None,
    target: str | None,
    tools: tuple[str, ...],
    allow_writes: bool,
    allow_destructive: bool,
    seed: int | None,
    count: int | None,
    sources: tuple[Path, ...],
    source_format: str,
    lenient: bool,
    output: Path | None,
) -> None:
    """Make a trace of WORKLOAD at a nominal rate of 100 requests a second.

    It is the trace that `tiergate load` judges for the same workload, seed and number of requests. With
    --target the requests are calls of the tools of a server, with arguments drawn from their schemas:
    only tools that are said to only read, unless more is allowed.

    \b
    Examples:
      tiergate trace make bursts --seed 7 --requests 5000 -o bursts.jsonl
      tiergate trace make agents --from .beads/issues.jsonl -o ours.jsonl
      tiergate trace make --target 'mcp-stdio:python server.py' -o calls.jsonl
    """
    from tiergate.cli.files import require_kept
    from tiergate.cli.trace_tools import Wanted, make_of_tools
    from tiergate.hooks import WorkloadDeclaration
    from tiergate.load.effort import EFFORTS
    from tiergate.load.trace import generate

    require_sources(sources, source_format)
    if output is not None:
        require_kept("-o", output, sources)
    settings = state.config({"workload": workload, "seed": seed}).config
    if target is not None:
        _require_tools_only(workload, sources)
        wanted = Wanted(target=target, named=tools, writes=allow_writes, destroys=allow_destructive)
        requests = count or EFFORTS[settings.effort].requests
        _keep(state, make_of_tools(state, wanted, settings.seed, requests), output)
        return
    _require_workload(workload, tools, any_tool=allow_writes or allow_destructive)
    host = state.host()
    declared = host.get(WorkloadDeclaration, settings.workload)
    effort = EFFORTS[settings.effort]
    tasks = None if sources else effort.tasks
    sessions, _ = read_sources(sources, source_format, host, lenient=lenient)
    chosen = declared.sessions(settings.seed, tasks) if tasks is not None else sessions
    _keep(state, generate(declared, settings.seed, chosen, count or effort.requests, tasks), output)


def _keep(state: State, trace: Trace, output: Path | None) -> None:
    from tiergate.cli.files import replace_file

    if output is None:
        click.echo(trace.encode(), nl=False)
        return
    replace_file(output, trace.encode())
    if not state.quiet:
        name = trace.head.workload
        write(f"wrote {output}: {len(trace.requests)} requests of {name}, sha256 {trace.sha256}")


def _require_tools_only(workload: str | None, sources: tuple[Path, ...]) -> None:
    if workload is not None or sources:
        given = "--from" if workload is None else f"workload {workload}"
        raise UsageError(
            f"{given} and --target exclude each other", hint="a target's tools take the place of both"
        )


def _require_workload(workload: str | None, tools: tuple[str, ...], *, any_tool: bool) -> None:
    if workload is None:
        raise UsageError("name a workload, or a target with --target", hint="see tiergate trace make --help")
    if tools or any_tool:
        raise UsageError("a workload calls no tools", hint="name the server of the tools with --target")


@command.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
@click.pass_obj
def show(state: State, file: Path, as_json: bool) -> None:
    """Show what a trace is like: operations, sessions, length, mean rate, burstiness.

    Burstiness is the squared coefficient of variation of the gaps between requests: about 1 for arrivals
    that know nothing of each other, more for bursts.

    \b
    Example:
      tiergate trace show bursts.jsonl
    """
    from tiergate.hooks import OperationDeclaration
    from tiergate.load.trace_facts import trace_facts
    from tiergate.load.trace_file import read_trace

    facts = trace_facts(read_trace(file, state.host().all(OperationDeclaration)))
    if as_json:
        write_json(facts)
    else:
        write(*_lines(file, facts))


def _lines(file: Path, facts: TraceFacts) -> list[str]:
    from tiergate.cli.sessions_tables import counted
    from tiergate.cli.terminal import visible

    shares = [
        f"  {visible(name)}: {counted(count, 'request')} ({count / facts.requests:.1%})"
        for name, count in facts.operations.items()
    ]
    own = "their own store's" if facts.tasks is None else f"generated, {counted(facts.tasks, 'task')} in all"
    rate = "none, all start at one moment" if facts.mean_rps is None else f"{facts.mean_rps:.4g}/s"
    bursty = "" if facts.burstiness is None else f", burstiness {facts.burstiness:.2f}"
    return [
        f"{file}: {counted(facts.requests, 'request')} of {visible(facts.workload)}, seed {facts.seed}",
        *shares,
        f"sessions: {facts.sessions} asked for ({own})",
        f"duration: {facts.duration_s:.4g} s; mean rate: {rate}{bursty}",
        f"sha256: {facts.sha256}",
    ]
