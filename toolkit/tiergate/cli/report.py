"""``tiergate report``: one HTML page of records."""

from __future__ import annotations

from pathlib import Path

import click

from tiergate.cli import State
from tiergate.cli.output import write
from tiergate.errors import UsageError


@click.command(short_help="Make one page of records, or another form of one.")
@click.argument("records", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RECORD.json…")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write it there; the name's ending chooses the form, .html unless another one is known.",
)
@click.pass_obj
def command(state: State, records: tuple[Path, ...], output: Path) -> None:
    """Make one page of records: of a run, a gate, a migration, a reconciliation or a profile.

    A run record without a gate record is judged by the configured budgets, so that the page begins with a
    verdict; records of advice and of a profile that are given behind it become sections of its page. Of two
    profile records, the earlier one first, the page shows what changed. The ending of the
    file chooses another form where an exporter has it: .md, .speedscope.json, .folded.
    """
    from tiergate.cli.files import form_of, render, replace_file, same_file
    from tiergate.gate.checking import check_record
    from tiergate.record import GateRecord, RunRecord, read_record

    if any(same_file(path, output) for path in records):
        raise UsageError("the page would replace the record", where=str(output), hint="name another file")
    found = [read_record(path) for path in records]
    first = found[0]
    if isinstance(first, RunRecord) and not any(isinstance(record, GateRecord) for record in found):
        found.insert(1, check_record(first, state.config().config.budgets))
    host = state.host()
    replace_file(output, render(host, form_of(host, output), found))
    write(f"wrote {output}")
