"""``tiergate profile``: where the time of a load run goes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tiergate.cli import State
from tiergate.cli.from_sources import read_sources, require_sources, source_options
from tiergate.cli.load_plan import (
    plan_of,
    request_options,
    require_one_origin,
    require_own_operations,
    require_rate,
)
from tiergate.cli.output import write, write_json
from tiergate.cli.record_outputs import record_options, require_outputs, save_record

if TYPE_CHECKING:
    from tiergate.load.plan import Plan
    from tiergate.plugins import PluginHost
    from tiergate.profile_record import ProfileRecord
    from tiergate.profiling.run import ProfilePlan

PAIRS = {"quick": 3, "default": 5, "thorough": 8}
"""Rounds with a profiler, and as many without."""


@click.command(short_help="Find out where the time of a load run goes.")
@source_options("Run on the sessions of a task store instead of generated ones; may be repeated.")
@request_options
@click.option(
    "--router", metavar="NAME", help="What chooses tiers and workers; the configured one unless given."
)
@click.option("--store", metavar="URL", help="Kind of store to run on, such as sqlite: or json:.")
@click.option("--rate", type=float, metavar="R", help="Requests a second; half of what the cores can do.")
@click.option("--operation", default="", metavar="NAME", help="Send the requests of one operation only.")
@click.option(
    "--profiler", default="pyinstrument", show_default=True, metavar="NAME", help="What samples the stacks."
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.05, max=1000),
    default=1.0,
    show_default=True,
    metavar="MS",
    help="Milliseconds between two samples, at the least.",
)
@click.option(
    "--quick", "effort", flag_value="quick", help="Fewer requests and rounds; the large shares only."
)
@click.option("--thorough", "effort", flag_value="thorough", help="More requests and rounds.")
@record_options
@click.pass_obj
def command(
    state: State,
    sources: tuple[Path, ...],
    source_format: str,
    lenient: bool,
    trace_file: Path | None,
    workload: str | None,
    seed: int | None,
    router: str | None,
    store: str | None,
    rate: float | None,
    operation: str,
    profiler: str,
    interval: float,
    effort: str | None,
    output: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Find out where the time of a load run goes, in the coordinator and in every worker.

    Sends the same trace through one router, time and again, every other round under a profiler. Prints what
    that cost, the parts of the system by their time, and the functions that took longest.
    `tiergate report` makes a page of the record, of two of them the difference, and of one a file for
    speedscope (-o FILE.speedscope.json) or for any tool that takes collapsed stacks (-o FILE.folded).
    A profiled run is never gated.
    """
    from tiergate.hooks import ProfilerDeclaration
    from tiergate.plugins import require_well
    from tiergate.profiling.run import ProfilePlan

    settings = state.config(
        {"workload": workload, "seed": seed, "store": store, "effort": effort, "router": router}
    ).config
    settings = msgspec.structs.replace(settings, routers=[settings.router])
    require_rate(rate)
    require_sources(sources, source_format)
    require_one_origin(trace_file, workload, seed)
    require_outputs(output, html, [*sources, trace_file])
    host = state.host()
    require_well(host)
    declaration = host.get(ProfilerDeclaration, profiler)
    read = read_sources(sources, source_format, host, lenient=lenient)
    load = plan_of(settings, host, read, trace_file, rate)
    require_own_operations(load.replay)
    plan = ProfilePlan(
        load=_short(load),
        profiler=declaration,
        interval_s=interval / 1000,
        operation=operation,
    )
    record = _run(state, plan, host)
    save_record(host, record, output, html)
    if as_json:
        write_json(record)
        return
    from tiergate.cli.profile_lines import next_steps, profile_lines  # after the run: needs rich

    write(*profile_lines(record), "")
    write(*next_steps(record, output, html))


def _short(plan: Plan) -> Plan:
    """The plan with one look at each request alone: a profile needs cut-offs and a rate, and no labels."""
    return replace(plan, effort=replace(plan.effort, passes=1, rounds=PAIRS[plan.effort_name]))


def _run(state: State, plan: ProfilePlan, host: PluginHost) -> ProfileRecord:
    from tiergate.cli.progress import shown
    from tiergate.cli.signals import stopped_by_sigterm
    from tiergate.profiling.run import profile

    try:
        with stopped_by_sigterm(), shown(quiet=state.quiet) as progress:
            return profile(plan, host, progress)
    except KeyboardInterrupt:
        state.warn("the run was stopped; its workers and temporary files are gone, and nothing was written")
        raise
