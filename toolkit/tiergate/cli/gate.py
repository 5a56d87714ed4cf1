"""``tiergate gate``: judge records, with an exit code that CI can trust."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tiergate.cli import Group, State, gate_accept, gate_compare, gate_explain, gate_paired
from tiergate.cli.gate_outputs import Outputs, output_options
from tiergate.errors import UsageError


@click.group(cls=Group, short_help="Judge performance: records by budgets, trees side by side.")
def command() -> None:
    """Judge records, with an exit code that CI can trust."""


@command.command()
@click.argument("run", type=click.Path(path_type=Path), metavar="RECORD.json")
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
    """Check the configured router of a run record, or the rows of a bench record, against budgets.

    A bench record without --budgets is held to the targets that its own rows state.

    Exits with 0 when every budget is kept, 1 when one is not, 2 for wrong usage, 4 when the record cannot
    decide.
    """
    from tiergate.cli.files import same_file
    from tiergate.cli.gate_lines import check_lines
    from tiergate.cli.summary import verdict_lines
    from tiergate.gate.checking import check_record
    from tiergate.record import BenchRecord, RunRecord, read_record

    output = outputs["output"]
    if output is not None and same_file(run, output):
        raise UsageError("the gate record would replace the run record", where=str(output))
    record = read_record(run)
    if not isinstance(record, RunRecord | BenchRecord):
        raise UsageError("this is no run record and no bench record", where=str(run))
    if outputs["bencher"] or outputs["action_benchmark"]:
        raise UsageError("a check of budgets has no benchmarks to write", hint="gate paired has")
    writer = Outputs(state, **outputs)
    stated = _read_budgets(budgets) if budgets else None
    if isinstance(record, BenchRecord):
        bench = check_record(record, stated)
        return writer.deliver(bench, lambda: check_lines(bench))
    gate = check_record(record, state.config().config.budgets if stated is None else stated)
    return writer.deliver(gate, lambda: verdict_lines(gate, record))


def _read_budgets(path: Path) -> dict[str, str]:
    from tiergate.config import read_budgets

    return read_budgets(path)


_COMMANDS = {"accept": gate_accept, "compare": gate_compare, "explain": gate_explain, "paired": gate_paired}
for _name, _module in _COMMANDS.items():
    command.add_command(_module.command, _name)
