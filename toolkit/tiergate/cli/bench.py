"""``tiergate bench``: measure an area, beside the best that others have."""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli import State
from tiergate.cli.output import output_width, table, write, write_json
from tiergate.cli.record_outputs import record_options, require_outputs, save_record
from tiergate.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from tiergate.hooks import BenchmarkDeclaration
    from tiergate.record import BenchRecord, BenchRow


@click.command(short_help="Measure an area beside its peers.")
@click.argument("area", required=False)
@click.option("--quick", is_flag=True, help="Measure less; the figures are only good for finding mistakes.")
@click.option("--fail", is_flag=True, help="Exit with 1 when a row does not reach its target.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Measure the disk that holds this folder, instead of the one for temporary files.",
)
@record_options
@click.pass_obj
def command(
    state: State,
    area: str | None,
    quick: bool,
    fail: bool,
    folder: Path | None,
    output: Path | None,
    html: Path | None,
    as_json: bool,
) -> int:
    """Measure AREA, every row beside a peer in one interleaved run; without AREA, list the areas.

    Everybody who takes part in a comparison of writes syncs them before returning. A ratio has a 95 %
    interval, of which a round of the run is the unit. `tiergate report` makes one page of several areas.
    """
    from tiergate.hooks import BenchmarkDeclaration

    if area is None:
        areas = [[one.name, one.summary] for one in state.host().all(BenchmarkDeclaration)]
        missing = state.host().unavailable(BenchmarkDeclaration)
        areas += [[name, f"not available: {command}"] for name, command in missing.items()]
        write(*table(["AREA", "MEASURES"], areas, output_width()))
        return EXIT_OK
    require_outputs(output, html)
    record = _measure(state, state.host().get(BenchmarkDeclaration, area), quick=quick, on=folder)
    save_record(state.host(), record, output, html)
    if as_json:
        write_json(record)
    else:
        write(*_lines(record))
    missed = any(row.reached is False for row in record.rows)
    return EXIT_FAILED if fail and missed else EXIT_OK


def _measure(state: State, area: BenchmarkDeclaration, *, quick: bool, on: Path | None) -> BenchRecord:
    from tiergate.bench import BenchSetup
    from tiergate.environment import environment
    from tiergate.record import BenchRecord

    started, begun = datetime.now(UTC), time.monotonic()
    here = Path(tempfile.mkdtemp(prefix="tiergate-bench-", dir=on))
    try:
        setup = BenchSetup(
            folder=here,
            open=state.host().opener().open,
            quick=quick,
            progress=lambda doing: click.echo(f"measuring {doing}", err=True),
        )
        rows = list(area.run(setup))
    finally:
        shutil.rmtree(here, ignore_errors=True)
    remarks = ["a quick run: too short for figures that can be compared"] if quick else []
    return BenchRecord(
        area=area.name,
        created_at=started.isoformat(timespec="seconds"),
        duration_s=round(time.monotonic() - begun, 3),
        environment=environment(),
        rows=rows,
        remarks=remarks,
    )


def _lines(record: BenchRecord) -> list[str]:
    headers = ["", "VALUE", "95 %", "TARGET", "PEER", "MEASURED"]
    judged = [row for row in record.rows if row.reached is not None]
    reached = sum(row.reached is True for row in judged)
    return [
        *table(headers, [_cells(row) for row in record.rows], output_width()),
        "",
        f"{reached} of {len(judged)} rows reach their target ({record.duration_s:.0f} s)"
        if judged
        else f"{len(record.rows)} rows ({record.duration_s:.0f} s)",
        *record.remarks,
    ]


def _cells(row: BenchRow) -> list[str]:
    mark = {True: "ok", False: "MISSED", None: ""}[row.reached]
    low, high = row.interval
    interval = f"{low:.3g}..{high:.3g}" if low != high else ""
    name = f"{row.name} ({row.note})" if row.note else row.name
    return [mark, f"{row.value:.3g} {row.unit}", interval, row.target or "", row.peer or "", name]
