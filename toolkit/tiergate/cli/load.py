"""``tiergate load``: drive every router with the same trace and measure them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli import State
from tiergate.cli.from_sources import read_sources, require_sources, source_options
from tiergate.cli.load_plan import plan_of, request_options, require_one_origin, require_rate
from tiergate.cli.output import write, write_json
from tiergate.cli.record_outputs import record_options, require_outputs, save_record
from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.config import Config
    from tiergate.load.aim import Aim
    from tiergate.load.kept import SealedCache
    from tiergate.load.plan import Plan
    from tiergate.plugins import PluginHost
    from tiergate.record import GateRecord, RunRecord


@click.command(short_help="Drive every router with the same trace and measure them.")
@source_options("Run on the sessions of a task store instead of generated ones; may be repeated.")
@request_options
@click.option(
    "--router",
    "routers",
    multiple=True,
    metavar="NAME",
    help="A router to compare; may be repeated. The configured one must be among them.",
)
@click.option(
    "--target",
    metavar="NAME:…",
    help="Send the requests elsewhere than to the pool, such as command:PROGRAM or command?copies=2:PROGRAM.",
)
@click.option(
    "--closed",
    "clients",
    type=click.IntRange(min=1),
    metavar="N",
    help="A closed loop of N clients instead of open arrivals; its response times hide stalls.",
)
@click.option("--sweep", is_flag=True, help="Then raise the rate until each router falls behind.")
@click.option(
    "--oracle-cache",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep what the oracle measured there; used again while trace, code and machine are the same.",
)
@click.option("--store", metavar="URL", help="Kind of store to run on, such as sqlite: or json:.")
@click.option(
    "--rate",
    type=float,
    metavar="R",
    help="Requests a second; unless given, half of what the cores can do, or that of --trace.",
)
@click.option(
    "--quick", "effort", flag_value="quick", help="Fewer requests and rounds; rarely enough for a verdict."
)
@click.option(
    "--thorough", "effort", flag_value="thorough", help="More requests and rounds: narrower intervals."
)
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
    routers: tuple[str, ...],
    target: str | None,
    clients: int | None,
    sweep: bool,
    oracle_cache: Path | None,
    store: str | None,
    rate: float | None,
    effort: str | None,
    output: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Drive every router with the same trace, in interleaved rounds, and measure them.

    Fills a fresh store, measures each request alone (the oracle), then sends the trace through each
    router. Prints a table, the gate's verdict and what to do next. Exits with 0 unless the run broke;
    `tiergate gate check` carries the verdict.
    """
    from tiergate.plugins import require_well

    settings = state.config(
        {"workload": workload, "seed": seed, "routers": routers, "store": store, "effort": effort}
    ).config
    require_rate(rate)
    require_sources(sources, source_format)
    require_one_origin(trace_file, workload, seed)
    _require_one_loop(clients, rate, sweep=sweep)
    require_outputs(output, html, [*sources, trace_file])
    host = state.host()
    require_well(host)
    aim = _aim(host, target, routers)
    read = read_sources(sources, source_format, host, lenient=lenient)
    plan = plan_of(settings, host, read, trace_file, rate)
    _require_tools(plan, aim)
    plan = replace(_aimed(plan, aim), clients=clients, sweep=sweep, oracle_cache=_cache(oracle_cache))
    record, gate = _run(state, settings, plan, host)
    save_record(host, record, output, html, beside=[gate])
    if as_json:
        write_json(record)
        return
    from tiergate.cli.summary import next_steps, run_table, verdict_lines  # after the run: needs rich

    write(*run_table(record), "", *verdict_lines(gate, record), "")
    write(*next_steps(record, gate, output, html))


def _require_one_loop(clients: int | None, rate: float | None, *, sweep: bool) -> None:
    if clients is not None and (rate is not None or sweep):
        given = "--sweep" if rate is None else "--rate"
        raise UsageError(
            f"{given} and --closed exclude each other",
            hint="a closed loop offers no rate; leave --closed out for open arrivals",
        )


def _aim(host: PluginHost, target: str | None, routers: tuple[str, ...]) -> Aim:
    """What the requests are sent to.

    Raises:
        UsageError: there is no such target, or routers were named for one that has none.
    """
    from tiergate.load.aim import parse_target

    aim = parse_target(target or "pool", host)
    if routers and not aim.declaration.routed:
        raise UsageError(
            f"--router and --target {aim.declaration.name} exclude each other",
            hint="routers choose in our own pool; leave --router out",
        )
    aim.check()
    return aim


def _require_tools(plan: Plan, aim: Aim) -> None:
    if plan.is_of_tools and aim.declaration.tools is None:
        raise UsageError(
            f"a trace of tools cannot be sent to target {aim.declaration.name}",
            where=plan.replay.path if plan.replay else None,
            hint="name the server of the tools, such as --target mcp-stdio:PROGRAM",
        )


def _aimed(plan: Plan, aim: Aim) -> Plan:
    """The plan with its target; one that has no routers takes part under its own name."""
    if aim.declaration.routed:
        return replace(plan, aim=aim)
    contestant = aim.contestant()
    return replace(plan, aim=aim, routers=[contestant], configured_router=contestant.name)


def _cache(folder: Path | None) -> SealedCache | None:
    from tiergate.load.kept import SealedCache

    return None if folder is None else SealedCache(folder)


def _run(state: State, settings: Config, plan: Plan, host: PluginHost) -> tuple[RunRecord, GateRecord]:
    from tiergate.cli.progress import shown
    from tiergate.cli.signals import stopped_by_sigterm
    from tiergate.gate.checking import check_record, require_sound
    from tiergate.load.experiment import run

    require_sound(settings.budgets)
    try:
        with stopped_by_sigterm(), shown(quiet=state.quiet) as progress:
            record = run(plan, host, progress)
    except KeyboardInterrupt:
        state.warn("the run was stopped; its workers and temporary files are gone, and nothing was written")
        raise
    return record, check_record(record, settings.budgets)
