"""``tiergate migrate``: move sessions from one store to another, and back if need be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiergate.cli.groups import DefaultGroup
from tiergate.cli.output import write, write_json
from tiergate.cli.state import State
from tiergate.errors import EXIT_FAILED, EXIT_OK, TiergateError, UsageError

if TYPE_CHECKING:
    from tiergate.migrate.job import Job
    from tiergate.record import MigrationRecord

_json = click.option("--json", "as_json", is_flag=True, help="Write one JSON document to standard output.")


class MigrateGroup(DefaultGroup):
    """A migration takes two stores."""

    def is_misspelt(self, words: list[str]) -> bool:
        """One word that is no address was meant to be a command."""
        return len(words) == 1 and ":" not in words[0] and not words[0].startswith("-")


@click.group(
    cls=MigrateGroup,
    usage="SRC DST [OPTIONS]",
    short_help="Move sessions to another store, verify, cut over, undo.",
)
def command() -> None:
    """Move every session of the store SRC to the new store DST, and verify that nothing is lost.

    SRC is only read. DST must be empty or not there yet. Both are addresses such as json:work/ or
    sqlite:work.db; SRC may be a bound name, store:NAME. What stops a migration loses nothing: --resume
    goes on. Exits with 1 when source and target differ.

    \b
    Examples:
      tiergate migrate json:work/ sqlite:work.db --dry-run
      tiergate migrate json:work/ sqlite:work.db
      tiergate migrate store:work sqlite:new.db --bind work --live
      tiergate migrate undo work
    """


@command.command(name=MigrateGroup.DEFAULT, hidden=True)
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and make or change nothing.")
@click.option("--resume", is_flag=True, help="Go on with a migration that was interrupted, or begin it.")
@click.option(
    "--verify",
    type=click.Choice(["full", "sample"]),
    default="full",
    show_default=True,
    help="Read back every session, or 1,000 or 1 % of them.",
)
@click.option("--live", is_flag=True, help="SRC is being written: catch up until little is left.")
@click.option("--bind", metavar="NAME", help="At the end, bind store:NAME to DST in one step.")
@click.option("--throttle", metavar="RATE", help="Go no faster: 50sessions/s or 2MiB/s, in each step.")
@_json
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the record there."
)
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write the page there.")
@click.pass_obj
def run(
    state: State,
    /,
    source: str,
    target: str,
    dry_run: bool,
    as_json: bool,
    output: Path | None,
    html: Path | None,
    **options: Any,
) -> int:
    """Move every session of SRC to DST; see `tiergate migrate --help`."""
    _require_outputs(state, [source, target], output, html)
    job = _job(state, source, target, **options)
    record = _plan(state, job) if dry_run else _migrate(state, job, source, target)
    _save(state, record, output, html)
    if as_json:
        write_json(record)
    else:
        from tiergate.cli.migrate_lines import plan_lines, result_lines

        lines = plan_lines if record.state == "planned" else result_lines
        write(*lines(record, verbose=state.verbose))
    return EXIT_FAILED if record.state == "failed" else EXIT_OK


@command.command()
@click.argument("name", metavar="ID|NAME")
@_json
@click.pass_obj
def undo(state: State, name: str, as_json: bool) -> None:
    """Bind a name back to the store that a migration has moved it from.

    Refuses, and says how much would be lost, when the new store was written since; exit code 1. No store is
    changed.

    \b
    Example:
      tiergate migrate undo work
    """
    from tiergate.cli.migrate_lines import undo_line
    from tiergate.migrate.cutover import undo as undo_migration

    record = undo_migration(state.host().opener(), name)
    if as_json:
        write_json(record)
    else:
        write(undo_line(record))


@command.command()
@_json
def status(as_json: bool) -> int:
    """Show all migrations with their state, those that run now, and what names are bound to.

    A migration that stopped before its end is shown with the command that goes on with it. Exits with 1 when
    something of the state folder cannot be read; the rest is shown all the same.

    \b
    Example:
      tiergate migrate status --json
    """
    from tiergate.binding import Bindings
    from tiergate.cli.migrate_lines import damage_lines, status_document, status_lines
    from tiergate.migrate.journal import Journals
    from tiergate.migrate.standing import standings
    from tiergate.state_files import state_folder

    folder = state_folder()
    found, reading, unread = standings(Journals(folder))
    bindings, unbound = Bindings(folder).readable()
    damaged = {str(error): error for error in [*unread, *unbound]}.values()
    if as_json:
        write_json(status_document(found, reading, bindings, damaged))
    else:
        write(*status_lines(found, reading, bindings), *damage_lines(damaged))
    return EXIT_FAILED if damaged else EXIT_OK


@command.command()
@click.argument("name", metavar="NAME")
@click.argument("store", metavar="STORE")
@click.pass_obj
def bind(state: State, name: str, store: str) -> None:
    """Bind store:NAME to STORE, so that it can be migrated later while it is used.

    STORE must be there. A name that is bound already stays bound: a migration moves it, `tiergate migrate
    undo` moves it back, `tiergate migrate unbind` sets it free.

    \b
    Example:
      tiergate migrate bind work json:work/
    """
    from tiergate.migrate.job import resolved
    from tiergate.migrate.naming import bind_first

    opener = state.host().opener()
    bound = bind_first(opener, name, resolved(opener, store, role="target"))
    write(f"store:{bound.name} is bound to {bound.address} (epoch {bound.epoch})")


@command.command()
@click.argument("name", metavar="NAME")
@click.pass_obj
def unbind(state: State, name: str) -> None:
    """Bind store:NAME to nothing; the store stays as it is.

    Refuses while a migration of it is running. Who has opened the store by the name cannot write through it
    any more.

    \b
    Example:
      tiergate migrate unbind work
    """
    from tiergate.cli.terminal import visible
    from tiergate.migrate.naming import unbind as unbind_name

    bound = unbind_name(state.host().opener(), name)
    write(f"store:{bound.name} is bound to nothing; {visible(bound.address)} is left as it is")


def _job(state: State, source: str, target: str, *, throttle: str | None, **options: Any) -> Job:
    from tiergate.migrate.job import Job, resolved
    from tiergate.migrate.progress import Rate

    opener = state.host().opener()
    return Job(
        source=resolved(opener, source, role="source"),
        target=resolved(opener, target, role="target"),
        opener=opener,
        rate=None if throttle is None else Rate.parse(throttle),
        **options,
    )


def _plan(state: State, job: Job) -> MigrationRecord:
    from tiergate.cli.migrate_progress import shown
    from tiergate.migrate.plan import plan

    with shown(quiet=state.quiet) as progress:
        return plan(job.shown(progress))


def _migrate(state: State, job: Job, source: str, target: str) -> MigrationRecord:
    from tiergate.cli.migrate_lines import resume_words
    from tiergate.cli.migrate_progress import shown
    from tiergate.cli.signals import stopped_by_sigterm
    from tiergate.migrate.engine import has_begun, migrate
    from tiergate.migrate.running import Running

    try:
        with stopped_by_sigterm(), shown(quiet=state.quiet) as progress:
            return migrate(job.shown(progress))
    except KeyboardInterrupt as stop:
        again = "nothing was copied yet; run it again"
        if has_begun(job):
            again = resume_words(source, target, job.options)
        raise KeyboardInterrupt(again) from stop
    except TiergateError as error:
        if has_begun(job) and not isinstance(error, UsageError | Running):
            again = resume_words(source, target, job.options)
            error.hint = "; ".join(filter(None, (error.hint, again)))
        raise


def _require_outputs(state: State, stores: list[str], output: Path | None, html: Path | None) -> None:
    from tiergate.cli.files import require_folder, same_file

    if output is not None and html is not None and same_file(output, html):
        raise UsageError("-o and --html name the same file", where=str(html), hint="name two")
    for path in filter(None, (output, html)):
        require_folder(path)
        for store in stores:
            state.require_apart(path, store)


def _save(state: State, record: MigrationRecord, output: Path | None, html: Path | None) -> None:
    from tiergate.cli.files import render_html, replace_file
    from tiergate.record import encode_record

    if output is not None:
        replace_file(output, encode_record(record))
    if html is not None:
        replace_file(html, render_html(state.host(), [record]))
