"""``tiergate import``: bring the tasks of another tool into a store."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiergate.cli.from_sources import importers_of, lenient_option
from tiergate.cli.output import write, write_json
from tiergate.cli.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiergate.cli.import_plan import ImportPlan
    from tiergate.model import Session
    from tiergate.record import Source


@click.command(short_help="Bring the tasks of another tool into a store.")
@click.argument("source", type=click.Path(path_type=Path), metavar="SRC")
@click.argument("store", metavar="STORE")
@click.option(
    "--format",
    "source_format",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Format of SRC; `tiergate plugins list` names the importers.",
)
@lenient_option
@click.option("--session-prefix", default="", metavar="TEXT", help="Put this before the id of every session.")
@click.option("--replace", is_flag=True, help="Replace sessions of STORE that differ from those of SRC.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change or make nothing.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")
@click.pass_obj
def command(
    state: State,
    source: Path,
    store: str,
    source_format: str,
    lenient: bool,
    session_prefix: str,
    replace: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring the tasks of SRC, a file or folder of another tool or another store, into STORE.

    STORE is an address such as json:work/ or sqlite:work.db; it is made where it is not there yet. SRC is
    never changed. Fields that tiergate does not know are kept. A session that STORE holds already is
    skipped when it is equal; when one differs, nothing is written, unless --replace is given. Where STORE
    has transactions, all sessions are written or none. An interrupted import can be repeated.

    \b
    Examples:
      tiergate import .beads/issues.jsonl sqlite:work.db
      tiergate import tasks.json json:work/ --format taskmaster --dry-run
      tiergate import PLAN.md sqlite:work.db --lenient
    """
    from tiergate.cli.import_plan import dry_plan, write_sessions

    state.require_apart(_place_of(state, source), store)
    sessions, facts = _read(state, source, source_format, session_prefix, lenient=lenient)
    if dry_run:
        plan = dry_plan(state, store, sessions, replace=replace)
    else:
        plan = write_sessions(state, store, sessions, replace=replace)
    if as_json:
        document = {"schema": "tiergate.import/1", "source": facts, "store": store, "dry_run": dry_run}
        write_json({**document, "doubts": state.doubts, **plan.document()})
        return
    if not state.quiet:
        write(*_source_lines(facts))
    if dry_run or not state.quiet:
        write(*_plan_lines(state, plan, store, dry_run=dry_run))


def _place_of(state: State, source: Path) -> Path:
    """Where a source lies, which may be given as an address."""
    from tiergate.binding import resolve
    from tiergate.store_source import address_of

    address = address_of(source, state.host().opener())
    return source if address is None else Path(resolve(address).path)


def _read(
    state: State, path: Path, source_format: str, prefix: str, *, lenient: bool
) -> tuple[Sequence[Session], Source]:
    from msgspec.structs import replace

    from tiergate.sources import read_source

    imported, facts = read_source(path, source_format, importers_of(state.host()), lenient=lenient)
    if not prefix:
        return imported.sessions, facts
    return [replace(session, id=prefix + session.id) for session in imported.sessions], facts


def _source_lines(source: Source) -> list[str]:
    from tiergate.cli.sessions_tables import counted
    from tiergate.cli.terminal import visible

    tasks, sessions = counted(source.tasks, "task"), counted(source.sessions, "session")
    words = [
        f"  {visible(word)} → {status}: {counted(count, 'task')}"
        for word, (status, count) in source.statuses.items()
    ]
    notes = [f"  note: {visible(note)}" for note in source.notes]
    return [f"{source.path}: {tasks} in {sessions} ({source.format})", *words, *notes]


def _plan_lines(state: State, plan: ImportPlan, store: str, *, dry_run: bool) -> list[str]:
    from tiergate.cli.sessions_tables import counted
    from tiergate.cli.terminal import visible

    would = "would be " if dry_run else ""
    parts = [
        f"{counted(len(sessions), 'session')} {would}{what}"
        for sessions, what in ((plan.new, "written"), (plan.changed, "replaced"))
        if sessions
    ]
    if plan.equal:
        parts.append(f"{counted(len(plan.equal), 'session')} skipped (there already, and equal)")
    lines = [f"{store}: {', '.join(parts)}"]
    if state.verbose:
        lines += [f"  {what} {visible(name)}" for what, names in plan.document().items() for name in names]
    if not dry_run and not state.quiet:
        lines.append(f"next: {shlex.join(['tiergate', 'sessions', 'list', store])}")
    return lines
