"""``tiergate sessions``: look into a store, without changing it."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiergate.cli.choices import NamedChoice
from tiergate.cli.groups import Group
from tiergate.cli.output import write, write_json
from tiergate.cli.state import State
from tiergate.errors import EXIT_FAILED, EXIT_OK, UsageError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tiergate.model import Session, Task
    from tiergate.store import Store, TaskQuery

STATUSES = ("queued", "active", "blocked", "completed", "abandoned")
_FIELDS = ("id", "weight", "title", "updated_at")
ORDERS = (*_FIELDS, *(f"-{field}" for field in _FIELDS))

_store = click.argument("store", metavar="STORE")
_json = click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")


@click.group(cls=Group, short_help="List, show, query, export and verify the sessions of a store.")
def command() -> None:
    """Look into a store, without changing it.

    STORE is an address such as json:work/ or sqlite:work.db. A store that is not there is an error; none
    is made.
    """


@command.command(name="list")
@_store
@_json
@click.pass_obj
def list_sessions(state: State, store: str, as_json: bool) -> int:
    """List the sessions of STORE, sorted by id, with their tasks by status.

    Exits with 1 when a session is damaged; the others are listed all the same.

    \b
    Example:
      tiergate sessions list sqlite:work.db
    """
    from tiergate.cli.sessions_reading import list_rows
    from tiergate.cli.sessions_tables import counted, human_bytes, list_table, totals

    with state.open_store(store, read_only=True, caches=False) as opened:
        rows = list_rows(opened, quiet=state.quiet)
    sums = totals(rows)
    if as_json:
        head = {"schema": "tiergate.sessions/1", "store": store, "doubts": state.doubts}
        write_json({**head, "sessions": rows, "totals": sums})
    elif not rows:
        write(f"{store} is empty: no sessions")
    else:
        by_status = ", ".join(f"{count} {status}" for status, count in sums["statuses"].items() if count)
        tasks = counted(sums["tasks"], "task") + (f" ({by_status})" if by_status else "")
        size = human_bytes(sums["bytes"])
        damaged = f"; {sums['damaged']} damaged" if sums["damaged"] else ""
        write(*list_table(rows), "", f"{counted(len(rows), 'session')}, {tasks}, {size}{damaged}")
    return EXIT_FAILED if sums["damaged"] else EXIT_OK


@command.command()
@_store
@click.argument("session", metavar="SESSION")
@click.option("--task", metavar="ID", help="Show this task only, with the whole of its notes.")
@_json
@click.pass_obj
def show(state: State, store: str, session: str, task: str | None, as_json: bool) -> None:
    """Show SESSION of STORE with its tasks, their dependencies, weights and statuses.

    \b
    Examples:
      tiergate sessions show sqlite:work.db sprint-12
      tiergate sessions show sqlite:work.db sprint-12 --task bd-17
    """
    from tiergate.cli.sessions_tables import session_lines, task_lines

    with state.open_store(store, read_only=True, caches=False) as opened:
        found = _load(opened, store, session)
    one = None if task is None else _task(found, task)
    head: dict[str, Any] = {"store": store, "doubts": state.doubts}
    if as_json and one is not None:
        head |= {"schema": "tiergate.task/1", "session": found.id, "version": found.version}
        write_json({**head, "task": _whole(one)})
    elif as_json:
        whole = {**_whole(found), "tasks": [_whole(each) for each in found.tasks]}
        write_json({"schema": "tiergate.session/1", **head, "session": whole})
    else:
        write(*(session_lines(found) if one is None else task_lines(found, one)))


@command.command()
@_store
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=NamedChoice("status", STATUSES),
    help="Tasks of this status; may be repeated for any of several.",
)
@click.option("--min-weight", type=float, metavar="X", help="Tasks of at least this weight.")
@click.option("--max-weight", type=float, metavar="X", help="Tasks of at most this weight.")
@click.option("--session", metavar="ID", help="Tasks of this session only.")
@click.option("--text", metavar="TEXT", help="Tasks whose title or notes hold this text, whatever the case.")
@click.option(
    "--order",
    type=NamedChoice("order", ORDERS),
    metavar="FIELD",
    default="id",
    show_default=True,
    help="Sort by id, weight, title or updated_at; with - before it, the greatest first.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many tasks.")
@_json
@click.pass_obj
def query(state: State, /, store: str, as_json: bool, **conditions: Any) -> None:
    """Find tasks of all sessions of STORE that meet every condition.

    The table shows what lists need; --json gives whole tasks.

    \b
    Example:
      tiergate sessions query sqlite:work.db --status active --min-weight 5 --order -weight --limit 10
    """
    wanted = _query(**conditions)
    with state.open_store(store, read_only=True, caches=False) as opened:
        if wanted.session is not None:
            _require(opened, store, wanted.session)
        if as_json:
            hits = [{"session": hit.session, "task": _whole(hit.task)} for hit in opened.query(wanted)]
            head = {"schema": "tiergate.tasks/1", "store": store, "doubts": state.doubts}
            write_json({**head, "tasks": hits})
            return
        found = opened.outlines(wanted)
    from tiergate.cli.sessions_tables import counted, query_table

    write(*([*query_table(found), "", counted(len(found), "task")] if found else ["no task meets this"]))


@command.command()
@_store
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write there: whole or not at all.",
)
@click.pass_obj
def export(state: State, store: str, output: Path | None) -> None:
    """Write every session of STORE as canonical JSON Lines: one session a line, sorted by id.

    The same content gives the same bytes, whatever the store. Versions are left out, since they count the
    writes of one store. A store that may have lost writes is refused, with exit code 1.

    \b
    Examples:
      tiergate sessions export sqlite:work.db -o work.jsonl
      tiergate sessions export json:work/ | sha256sum
    """
    from tiergate.cli.sessions_reading import export_to_file, export_to_output
    from tiergate.cli.sessions_tables import counted, human_bytes
    from tiergate.doubts import require_undoubted

    if output is not None:
        state.require_apart(output, store)
        _require_no_store(output)
    with state.open_unwarned(store, read_only=True, caches=False) as opened:
        require_undoubted(opened)
        state.warn_of_doubts(opened, store)
        if output is None:
            export_to_output(opened)
            return
        sessions, size = export_to_file(opened, output, quiet=state.quiet)
    if not state.quiet:
        write(f"wrote {output}: {counted(sessions, 'session')}, {human_bytes(size)}")


@command.command()
@_store
@_json
@click.pass_obj
def verify(state: State, store: str, as_json: bool) -> int:
    """Read everything in STORE and name what is damaged. Exits with 1 when anything is.

    \b
    Example:
      tiergate sessions verify json:work/
    """
    from tiergate.cli.sessions_reading import check
    from tiergate.cli.terminal import visible

    found = check(state, store)
    if as_json:
        write_json(
            {"schema": "tiergate.verify/1", "store": store, "ok": not found.damage, **found.document()}
        )
    else:
        write(*(visible(f"{one.where}: {one.what}") for one in found.damage), f"{store}: {found.summary()}")
    return EXIT_FAILED if found.damage else EXIT_OK


@command.command()
@_store
@_json
@click.pass_obj
def stats(state: State, store: str, as_json: bool) -> None:
    """Show how much STORE holds, its size on disk and what else it can tell; so of caches in front of it.

    \b
    Example:
      tiergate sessions stats zstd+sqlite:work.db
    """
    from tiergate.cli.sessions_tables import stats_lines

    with state.open_store(store, read_only=True) as opened:
        found = opened.stats()
    if as_json:
        head = {"schema": "tiergate.stats/1", "store": store, "doubts": state.doubts}
        write_json({**head, "stats": found})
    else:
        write(*stats_lines(found))


def _query(**conditions: Any) -> TaskQuery:
    from tiergate.model import Status
    from tiergate.store import TaskQuery

    low, high = conditions["min_weight"], conditions["max_weight"]
    for name, value in (("--min-weight", low), ("--max-weight", high)):
        if value is not None and isnan(value):
            raise UsageError(f"{name} must be a number")
    if low is not None and high is not None and low > high:
        raise UsageError(
            f"--min-weight {low:g} is above --max-weight {high:g}", hint="no task could meet both"
        )
    statuses = tuple(Status(name) for name in dict.fromkeys(conditions.pop("statuses")))
    return TaskQuery(statuses=statuses, **conditions)


def _load(opened: Store, store: str, session: str) -> Session:
    from tiergate.store import SessionNotFound

    try:
        return opened.load(session)
    except SessionNotFound as error:
        raise _unknown("session", session, opened.ids(), store) from error


def _require(opened: Store, store: str, session: str) -> None:
    from tiergate.store import SessionNotFound

    try:
        opened.version(session)
    except SessionNotFound as error:
        raise _unknown("session", session, opened.ids(), store) from error


def _task(session: Session, task_id: str) -> Task:
    for task in session.tasks:
        if task.id == task_id:
            return task
    raise _unknown("task", task_id, [task.id for task in session.tasks], f"session {session.id!r}")


def _unknown(kind: str, name: str, known: Iterable[str], where: str) -> UsageError:
    from tiergate.cli.terminal import visible

    return unknown_name(kind, name, map(visible, known), where=where)


def _whole(value: Session | Task) -> dict[str, Any]:
    """Every field, those at their default too, which stores leave out."""
    return {name: getattr(value, name) for name in value.__struct_fields__}


def _require_no_store(output: Path) -> None:
    """Refuse to put an export in the place of what is none: a slip of the finger would cost a database.

    Raises:
        UsageError: the file is there, and does not begin as an export does.
    """
    if output.is_file():
        with output.open("rb") as file:
            if file.read(1) not in (b"", b"{"):
                raise UsageError(
                    "the file is there and is no export",
                    where=str(output),
                    hint="name another one, or remove it",
                )
