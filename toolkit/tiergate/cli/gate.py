"""``tiergate gate``: judge records, with an exit code that CI can trust."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli import Group, State
from tiergate.cli.output import write, write_json
from tiergate.errors import EXIT_FAILED, EXIT_INCONCLUSIVE, EXIT_OK, UsageError

if TYPE_CHECKING:
    from tiergate.record import GateRecord


@click.group(cls=Group, short_help="Judge a run record by its budgets.")
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
@click.option(
    "--inconclusive",
    type=click.Choice(["fail", "warn", "pass"]),
    help="Exit with 4 (fail), or with 0 and a warning (warn) or without (pass).",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the gate record there."
)
@click.option(
    "--json", "as_json", is_flag=True, help="Write the gate record to standard output, and nothing else."
)
@click.pass_obj
def check(
    state: State,
    run: Path,
    budgets: Path | None,
    inconclusive: str | None,
    output: Path | None,
    as_json: bool,
) -> int:
    """Check the configured router of RUN.json against budgets.

    Exits with 0 when every budget is kept, 1 when one is not, 2 for wrong usage, 4 when the run cannot
    decide.
    """
    from tiergate.cli.files import replace_file, same_file
    from tiergate.cli.summary import verdict_lines
    from tiergate.gate.budgets import parse_budgets
    from tiergate.gate.check import check_run
    from tiergate.record import RunRecord, encode_record, read_record

    settings = state.config({"inconclusive": inconclusive}).config
    if output is not None and same_file(run, output):
        raise UsageError("the gate record would replace the run record", where=str(output))
    record = read_record(run)
    if not isinstance(record, RunRecord):
        raise UsageError("this is a gate record, not a run record", where=str(run))
    table = _read_budgets(budgets) if budgets else settings.budgets
    gate = check_run(record, parse_budgets(table))
    if output is not None:
        replace_file(output, encode_record(gate))
    if as_json:
        write_json(gate)
    else:
        write(*verdict_lines(gate, record))
    return _exit_code(state, gate, settings.inconclusive)


def _read_budgets(path: Path) -> dict[str, str]:
    from tiergate.config import read_budgets

    return read_budgets(path)


def _exit_code(state: State, gate: GateRecord, inconclusive: str) -> int:
    if gate.verdict == "pass":
        return EXIT_OK
    if gate.verdict == "fail":
        return EXIT_FAILED
    if inconclusive == "fail":
        return EXIT_INCONCLUSIVE
    if inconclusive == "warn":
        state.warn("the gate is inconclusive")
    return EXIT_OK


from tiergate.cli import gate_paired  # noqa: E402

command.add_command(gate_paired.command, "paired")
