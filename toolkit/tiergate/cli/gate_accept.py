"""``tiergate gate accept``: let an intended slowdown pass until a day."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from tiergate.cli.gate_outputs import ACCEPTED
from tiergate.cli.output import output_width, table, write
from tiergate.errors import EXIT_OK, UsageError


@click.command(short_help="Let an intended slowdown pass until a day.")
@click.argument("name", required=False)
@click.option("--reason", metavar="TEXT", help="Why it is worth it.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The last day, such as 2030-01-31."
)
@click.option("--remove", is_flag=True, help="Take the entry of NAME out again.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=ACCEPTED,
    metavar="FILE",
    show_default=True,
    help="Where entries are kept; commit it.",
)
def command(name: str | None, reason: str | None, until: datetime | None, remove: bool, file: Path) -> int:
    """Let the slowdown of the benchmark NAME pass until DATE; without NAME, list what is accepted.

    The gate still measures it, and says so. After DATE it fails again.
    """
    from tiergate.cli.files import replace_file
    from tiergate.gate.accepted import Accepted, read_accepted, written

    entries = read_accepted(file)
    if name is None:
        rows = [[str(one.until), one.name, one.reason] for one in entries]
        write(
            *(
                table(["UNTIL", "BENCHMARK", "REASON"], rows, output_width())
                if rows
                else ["nothing is accepted"]
            )
        )
        return EXIT_OK
    others = [one for one in entries if one.name != name]
    if remove:
        if len(others) == len(entries):
            raise UsageError(f"there is no entry for {name!r}", where=str(file))
        replace_file(file, written(others).encode())
        return EXIT_OK
    if not reason or not reason.strip() or until is None:
        raise UsageError(
            "a slowdown is accepted for a reason and until a day", hint="--reason TEXT --until DATE"
        )
    replace_file(file, written([*others, Accepted(name, reason.strip(), until.date())]).encode())
    return EXIT_OK
