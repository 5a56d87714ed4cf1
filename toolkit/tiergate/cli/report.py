"""``tiergate report``: one HTML page of records."""

from __future__ import annotations

from pathlib import Path

import click

from tiergate.cli import State
from tiergate.cli.output import write
from tiergate.errors import UsageError


@click.command(short_help="Make one HTML page of run and gate records.")
@click.argument("records", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECORD.json…")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the page there.",
)
@click.pass_obj
def command(state: State, records: tuple[Path, ...], output: Path) -> None:
    """Make one HTML page of run and gate records.

    A run record without a gate record is judged by the configured budgets, so that the page begins with a
    verdict.
    """
    from tiergate.cli.files import render_html, replace_file, same_file
    from tiergate.gate.checking import check_record
    from tiergate.record import RunRecord, read_record

    if any(same_file(path, output) for path in records):
        raise UsageError("the page would replace the record", where=str(output), hint="name another file")
    found = [read_record(path) for path in records]
    only = found[0]
    if len(found) == 1 and isinstance(only, RunRecord):
        found.append(check_record(only, state.config().config.budgets))
    replace_file(output, render_html(state.host(), found))
    write(f"wrote {output}")
