"""``tiergate gate``: judge records, with an exit code that CI can trust."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tiergate.cli import Group, State, gate_accept, gate_explain, gate_paired
from tiergate.cli.gate_outputs import Outputs, output_options
from tiergate.errors import UsageError


@click.group(cls=Group, short_help="Judge performance: records by budgets, trees side by side.")
def command() -> None:
    """Judge records, with an exit code that CI can trust."""


@command.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN.json")
@click.option(
    "--budgets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A TOML file with a table [budgets], instead of the configured ones.",
)
@output_options
@click.pass_obj
def check(
    state: State,
    /,
    run: Path,
    budgets: Path | None,
    **outputs: Any,
) -> int:
    """Check the configured router of RUN.json against budgets.

    Exits with 0 when every budget is kept, 1 when one is not, 2 for wrong usage, 4 when the run cannot
    decide.
    """
    from tiergate.cli.files import same_file
    from tiergate.cli.summary import verdict_lines
    from tiergate.gate.budgets import parse_budgets
    from tiergate.gate.check import check_run
    from tiergate.record import RunRecord, read_record

    output = outputs["output"]
    if output is not None and same_file(run, output):
        raise UsageError("the gate record would replace the run record", where=str(output))
    record = read_record(run)
    if not isinstance(record, RunRecord):
        raise UsageError("this is a gate record, not a run record", where=str(run))
    if outputs["bencher"] or outputs["action_benchmark"]:
        raise UsageError("a check of budgets has no benchmarks to write", hint="gate paired has")
    writer = Outputs(state, **outputs)
    table = _read_budgets(budgets) if budgets else state.config().config.budgets
    gate = check_run(record, parse_budgets(table))
    return writer.deliver(gate, lambda: verdict_lines(gate, record))


def _read_budgets(path: Path) -> dict[str, str]:
    from tiergate.config import read_budgets

    return read_budgets(path)


for _name, _module in (("accept", gate_accept), ("explain", gate_explain), ("paired", gate_paired)):
    command.add_command(_module.command, _name)
