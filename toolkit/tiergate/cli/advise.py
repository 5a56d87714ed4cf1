"""``tiergate advise``: which optional steps are worth it, measured on somebody's own sessions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli import State
from tiergate.cli.from_sources import lenient_option
from tiergate.cli.output import output_width, printable, table, write, write_json
from tiergate.cli.record_outputs import record_options, require_outputs, save_record
from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.advice_record import AdviceRecord
    from tiergate.advise.run import AdvicePlan
    from tiergate.plugins import PluginHost

ORDER = ("justified", "inconclusive", "not yet")


@click.command(short_help="Say which optional steps are worth it, by measuring.")
@click.argument("source", required=False, type=click.Path(path_type=Path), metavar="SRC")
@click.option("--format", "source_format", default="auto", show_default=True, metavar="NAME", help="Of SRC.")
@lenient_option
@click.option(
    "--trace",
    "trace_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your own requests; unless given, those of the configured workload on your sessions.",
)
@click.option(
    "--record",
    "records",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take figures from a record of `tiergate load` or `tiergate profile` too; may be repeated.",
)
@click.option(
    "--current",
    metavar="KIND",
    help="Kind of store that the sessions lie in now; by SRC, or jsonfile, as most tools keep one JSON file.",
)
@click.option(
    "--triggers", type=click.Path(path_type=Path), metavar="FILE", help="Judge by the triggers of this file."
)
@click.option("--print-triggers", is_flag=True, help="Print the triggers that ship, to begin a file with.")
@click.option(
    "--tasks",
    type=click.IntRange(min=1),
    default=5000,
    show_default=True,
    metavar="N",
    help="Measure stores with as many tasks at most; of more, whole sessions are drawn.",
)
@click.option(
    "--requests",
    type=click.IntRange(min=20),
    default=150,
    show_default=True,
    metavar="N",
    help="Measure as many requests at most.",
)
@click.option(
    "--passes",
    type=click.IntRange(min=3, max=100),
    default=5,
    show_default=True,
    metavar="N",
    help="How often every store serves them; intervals come from these.",
)
@record_options
@click.pass_obj
def command(
    state: State,
    source: Path | None,
    source_format: str,
    lenient: bool,
    trace_file: Path | None,
    records: tuple[Path, ...],
    current: str | None,
    triggers: Path | None,
    print_triggers: bool,
    tasks: int,
    requests: int,
    passes: int,
    output: Path | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Say which optional steps are worth it for the sessions of SRC, by measuring.

    For every step: its trigger, what your own sessions and requests measure of it, and whether that justifies
    the step, does not yet, or cannot be decided; with the effort, the cost and the next command. Nothing is
    recommended without a measurement. SRC is only read.
    """
    from tiergate.advise.run import advise
    from tiergate.advise.triggers import default_text
    from tiergate.cli.progress import shown
    from tiergate.cli.signals import stopped_by_sigterm
    from tiergate.plugins import require_well

    if print_triggers:
        write(default_text().rstrip())
        return
    if source is None:
        raise UsageError("no source is given", hint="tiergate advise SRC, a task store or an address")
    require_outputs(output, html, [source, trace_file, triggers, *records])
    host = state.host()
    require_well(host)
    plan = _plan(
        state, host, source, source_format, trace_file, records, current, triggers, (tasks, requests, passes),
        lenient=lenient,
    )  # fmt: skip
    with stopped_by_sigterm(), shown(quiet=state.quiet) as progress:
        record = advise(plan, host, progress)
    save_record(host, record, output, html)
    if as_json:
        write_json(record)
        return
    write(*_lines(record), *(f"wrote {path}" for path in (output, html) if path is not None))


def _plan(
    state: State,
    host: PluginHost,
    source: Path,
    source_format: str,
    trace_file: Path | None,
    records: tuple[Path, ...],
    current: str | None,
    triggers: Path | None,
    sizes: tuple[int, int, int],
    *,
    lenient: bool,
) -> AdvicePlan:
    from tiergate.advise.run import AdvicePlan, metric_names
    from tiergate.advise.triggers import read_triggers
    from tiergate.cli.from_sources import read_sources
    from tiergate.hooks import StoreDeclaration, WorkloadDeclaration
    from tiergate.load.replay import read_replay
    from tiergate.record import read_record
    from tiergate.store_source import NAME as STORE
    from tiergate.store_source import address_of

    settings = state.config({}).config
    steps = read_triggers(triggers, metric_names(host))
    sessions, sources = read_sources((source,), source_format, host, lenient=lenient)
    replay = None if trace_file is None else read_replay(trace_file, host, sessions)
    address = address_of(source, host.opener()) if sources[0].format == STORE else None
    if current is not None:
        host.get(StoreDeclaration, current)
    return AdvicePlan(
        sessions=sessions,
        sources=sources,
        source=str(source),
        is_store=address is not None,
        current=current or (address.scheme if address is not None else "jsonfile"),
        steps=steps,
        workload=host.get(WorkloadDeclaration, settings.workload) if replay is None else replay.workload,
        seed=settings.seed,
        trace=None if replay is None else replay.trace,
        trace_path="" if trace_file is None else str(trace_file),
        tiers={str(tier): workers for tier, workers in settings.tiers.items()},
        tasks=sizes[0],
        requests=sizes[1],
        passes=sizes[2],
        records=[(str(path), read_record(path)) for path in records],
        command=["tiergate", *map(printable, sys.argv[1:])],
    )


def _lines(record: AdviceRecord) -> list[str]:
    count = {verdict: sum(one.verdict == verdict for one in record.advice) for verdict in ORDER}
    ordered = sorted(record.advice, key=lambda one: ORDER.index(one.verdict))
    head = (
        ", ".join(f"{number} {verdict}" for verdict, number in count.items())
        + f" (of {len(record.advice)} steps, from {record.current}, {record.duration_s:.0f} s)"
    )
    return [
        head,
        "",
        *table(["", "STEP", "WHY"], [[one.verdict, one.step, one.why] for one in ordered], output_width()),
        "",
        *(
            f"{one.step}: {one.effort}; it costs {one.cost}. next: {one.next}"
            for one in ordered
            if one.verdict == "justified"
        ),
        *(f"note: {remark}" for remark in record.remarks),
    ]
