"""``tiergate config``: the configuration, and where each value came from."""

from __future__ import annotations

from collections.abc import Iterator

import click
import msgspec

from tiergate.cli.groups import Group
from tiergate.cli.output import output_width, table, write, write_json
from tiergate.cli.state import State
from tiergate.config import Resolved


@click.group(cls=Group)
def command() -> None:
    """Show the configuration and where each value came from."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
@click.pass_obj
def show(state: State, as_json: bool) -> None:
    """Show every value and its origin: command line, environment, a file, or the default."""
    resolved = state.config()
    if as_json:
        write_json(
            {
                "schema": "tiergate.config/1",
                "config": resolved.config,
                "origins": resolved.origins,
                "file": str(resolved.file) if resolved.file else None,
                "notes": resolved.notes,
            }
        )
        return
    write(*table(("KEY", "VALUE", "ORIGIN"), list(_rows(resolved)), output_width()))


def _rows(resolved: Resolved) -> Iterator[tuple[str, str, str]]:
    for key, value in msgspec.structs.asdict(resolved.config).items():
        inside = value if isinstance(value, dict) and value else {}
        for name, part in inside.items():
            yield f"{key}.{name}", _text(part), resolved.origins[f"{key}.{name}"]
        if not inside:
            yield key, _text(value), resolved.origins[key]


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    return str(value) if value != {} else "(none)"
