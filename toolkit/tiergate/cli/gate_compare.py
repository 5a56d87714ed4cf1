"""``tiergate gate compare``: two records that exist already."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiergate.cli import State
from tiergate.cli.gate_outputs import Outputs, accepted_option, output_options
from tiergate.errors import UsageError

if TYPE_CHECKING:
    from tiergate.record import GateRecord

_RECORD = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="Compare two run records, or two files of pytest --benchmark-json.")
@click.argument("base", type=_RECORD, metavar="BASE.json")
@click.argument("new", type=_RECORD, metavar="NEW.json")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.05,
    metavar="SHARE",
    show_default=True,
    help="A slowdown below this share is none.",
)
@accepted_option
@output_options
@click.pass_obj
def command(state: State, /, base: Path, new: Path, tolerance: float, accepted: Path, **outputs: Any) -> int:
    """Compare NEW.json with BASE.json: run records, or files of pytest --benchmark-json.

    The runs were made one after the other, so that whatever the machine did between them counts as a change;
    gate paired is not fooled by that.
    """
    import msgspec

    from tiergate.cli.gate_lines import benchmark_lines
    from tiergate.gate.accepted import read_accepted, with_accepted
    from tiergate.record import GateSide

    writer, entries = Outputs(state, **outputs), read_accepted(accepted)
    record = msgspec.structs.replace(
        _compared(base, new, tolerance),
        subject=f"{new} beside {base}",
        base=GateSide(label=str(base)),
        new=GateSide(label=str(new)),
        command=shlex.join(["tiergate", *sys.argv[1:]]),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    record = with_accepted(record, entries, datetime.now(UTC).date())
    return writer.deliver(record, lambda: benchmark_lines(record))


def _compared(base: Path, new: Path, tolerance: float) -> GateRecord:
    from tiergate.gate.compare import compare_results, compare_runs
    from tiergate.gate.pytest_results import read_results
    from tiergate.record import RunRecord, read_record

    results = read_results(base), read_results(new)
    if results[0] is not None and results[1] is not None:
        return compare_results(results[0], results[1], tolerance)
    if results[0] is not None or results[1] is not None:
        raise UsageError("one file is pytest-benchmark's, the other is not", where=f"{base} and {new}")
    records = read_record(base), read_record(new)
    for file, record in zip((base, new), records, strict=True):
        if not isinstance(record, RunRecord):
            raise UsageError("this is no run record", where=str(file), hint="tiergate load -o writes one")
    before, after = records
    assert isinstance(before, RunRecord)
    assert isinstance(after, RunRecord)
    return compare_runs(before, after, tolerance)
