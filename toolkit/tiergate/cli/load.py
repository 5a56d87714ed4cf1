"""``tiergate load``: drive every router with the same trace and measure them."""

from __future__ import annotations

import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli import State
from tiergate.cli.output import printable, write, write_json
from tiergate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiergate.config import Config
    from tiergate.hooks import ImporterDeclaration
    from tiergate.load.plan import Plan
    from tiergate.model import Session
    from tiergate.plugins import PluginHost
    from tiergate.record import GateRecord, RunRecord, Source


@click.command(short_help="Drive every router with the same trace and measure them.")
@click.option(
    "--from",
    "sources",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Run on the sessions of a task store instead of generated ones; may be repeated.",
)
@click.option(
    "--format",
    "source_format",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Format of the sources.",
)
@click.option("--workload", metavar="NAME", help="What makes the requests.")
@click.option("--seed", type=int, metavar="N", help="The same seed gives the same requests.")
@click.option(
    "--router",
    "routers",
    multiple=True,
    metavar="NAME",
    help="A router to compare; may be repeated. The configured one must be among them.",
)
@click.option("--store", metavar="URL", help="Kind of store to run on, such as sqlite: or json:.")
@click.option(
    "--rate", type=float, metavar="R", help="Requests a second; half of what the cores can do unless given."
)
@click.option(
    "--quick", "effort", flag_value="quick", help="Fewer requests and rounds; rarely enough for a verdict."
)
@click.option(
    "--thorough", "effort", flag_value="thorough", help="More requests and rounds: narrower intervals."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the run record there."
)
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write the report there.")
@click.option(
    "--json", "as_json", is_flag=True, help="Write the run record to standard output, and nothing else."
)
@click.pass_obj
def command(
    state: State,
    sources: tuple[Path, ...],
    source_format: str,
    workload: str | None,
    seed: int | None,
    routers: tuple[str, ...],
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
    if rate is not None and not (rate > 0 and isfinite(rate)):
        raise UsageError(f"--rate must be a number above 0, not {rate:g}")
    if source_format != "auto" and not sources:
        raise UsageError("--format says how to read --from, which is not given")
    _require_outputs(output, html)
    host = state.host()
    require_well(host)
    plan = _plan(settings, host, sources, source_format, rate)
    record, gate = _run(state, settings, plan, host)
    _save(host, record, gate, output, html)
    if as_json:
        write_json(record)
        return
    from tiergate.cli.summary import next_steps, run_table, verdict_lines  # after the run: needs rich

    write(*run_table(record), "", *verdict_lines(gate, record), "")
    write(*next_steps(record, gate, output, html))


def _plan(
    settings: Config, host: PluginHost, paths: tuple[Path, ...], source_format: str, rate: float | None
) -> Plan:
    from tiergate.hooks import ImporterDeclaration, RouterDeclaration, WorkloadDeclaration
    from tiergate.load.effort import EFFORTS
    from tiergate.load.plan import Plan

    routers = [host.get(RouterDeclaration, name) for name in dict.fromkeys(settings.routers)]
    host.get(RouterDeclaration, settings.router)
    sessions, sources = _read_sources(paths, source_format, host.all(ImporterDeclaration))
    return Plan(
        effort_name=settings.effort,
        effort=EFFORTS[settings.effort],
        seed=settings.seed,
        workload=host.get(WorkloadDeclaration, settings.workload),
        routers=routers,
        configured_router=settings.router,
        store=settings.store,
        pool=settings.pool,
        tiers={str(tier): workers for tier, workers in settings.tiers.items()},
        offered_load=settings.offered_load,
        rate_rps=rate,
        deadline_s=settings.deadline_s,
        sessions=sessions if paths else None,
        sources=sources,
        command=["tiergate", *map(printable, sys.argv[1:])],
    )


def _read_sources(
    paths: tuple[Path, ...], source_format: str, importers: Sequence[ImporterDeclaration]
) -> tuple[list[Session], list[Source]]:
    """The sessions of all sources; one whose id another source has used carries its source's name."""
    from msgspec.structs import replace

    from tiergate.sources import read_source

    sessions: dict[str, Session] = {}
    sources: list[Source] = []
    for number, path in enumerate(paths, start=1):
        imported, source = read_source(path, source_format, importers)
        sources.append(source)
        for session in imported.sessions:
            name = f"{session.id} ({number}: {path.name})" if session.id in sessions else session.id
            sessions[name] = replace(session, id=name)
    return list(sessions.values()), sources


def _run(state: State, settings: Config, plan: Plan, host: PluginHost) -> tuple[RunRecord, GateRecord]:
    from tiergate.cli.progress import shown
    from tiergate.cli.signals import stopped_by_sigterm
    from tiergate.gate.budgets import parse_budgets
    from tiergate.gate.check import check_run
    from tiergate.load.experiment import run

    budgets = parse_budgets(settings.budgets)
    try:
        with stopped_by_sigterm(), shown(quiet=state.quiet) as progress:
            record = run(plan, host, progress)
    except KeyboardInterrupt:
        state.warn("the run was stopped; its workers and temporary files are gone, and nothing was written")
        raise
    return record, check_run(record, budgets)


def _require_outputs(output: Path | None, html: Path | None) -> None:
    """Find out before the run, not after it.

    Raises:
        UsageError: a file cannot be written, or both are the same one.
    """
    from tiergate.cli.files import same_file

    if output is not None and html is not None and same_file(output, html):
        raise UsageError("-o and --html name the same file", where=str(html), hint="name two")
    for path in filter(None, (output, html)):
        _require_writable(path)


def _require_writable(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        existed = path.exists()
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _save(
    host: PluginHost, record: RunRecord, gate: GateRecord, output: Path | None, html: Path | None
) -> None:
    from tiergate.cli.files import render_html, replace_file
    from tiergate.record import encode_record

    if output is not None:
        replace_file(output, encode_record(record))
    if html is not None:
        replace_file(html, render_html(host, [record, gate]))
