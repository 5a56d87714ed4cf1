"""The command line: one file per command, imported when the command is called.

A command module has an attribute ``command``, a click command or group. A command returns its exit
code, or None for 0, and raises a `TiergateError` for what it cannot do.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import click

import tiergate
from tiergate.cli.groups import Group, LazyGroup, global_options
from tiergate.cli.state import DISABLE_OPTION, State, split_disabled

__all__ = ["Group", "State", "main"]

PROGRAM = "tiergate"
EXIT_PIPE = 141
"""What a shell reports for a program that SIGPIPE ended: the reader of the output went away."""

COMMANDS = {
    "load": ("tiergate.cli.load", "Drive every router with the same trace and measure them."),
    "trace": ("tiergate.cli.trace", "Make a trace of requests, or show what one is like."),
    "gate": ("tiergate.cli.gate", "Judge a run record by its budgets."),
    "profile": ("tiergate.cli.profile", "Find out where the time of a load run goes."),
    "advise": ("tiergate.cli.advise", "Say which optional steps are worth it, by measuring."),
    "report": ("tiergate.cli.report", "Make one page of records, or another form of one."),
    "sessions": ("tiergate.cli.sessions", "List, show, query, export and verify the sessions of a store."),
    "import": ("tiergate.cli.importing", "Bring the tasks of another tool into a store."),
    "bench": ("tiergate.cli.bench", "Measure an area beside its peers."),
    "migrate": ("tiergate.cli.migrate", "Move sessions to another store, verify, cut over, undo."),
    "reconcile": ("tiergate.cli.reconcile", "Find out what of several plans is true, and decide."),
    "serve": ("tiergate.cli.serve", "Serve sessions, balancing and plans to agents (MCP)."),
    "top": ("tiergate.cli.top", "Watch a running server: tiers, queues, rates, latencies, events."),
    "mcp": ("tiergate.cli.mcp", "Set up agents that use the server."),
    "plugins": ("tiergate.cli.plugins", "List the plugins, or check that they are well."),
    "config": ("tiergate.cli.config", "Show the configuration and where each value came from."),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; an error becomes one line on standard error.

    Args:
        argv: the words after the program's name; those of the process unless given.
    """
    state = State()
    _prepare_output()
    try:
        return _run(list(sys.argv[1:] if argv is None else argv), state)
    except BrokenPipeError:
        _forget_output()
        return EXIT_PIPE
    except (KeyboardInterrupt, click.Abort) as stop:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has echoed ^C on this line
        return _say("; ".join(filter(None, ("interrupted", str(stop)))), 130)
    except Exception as error:
        return _report(error, state)


def _prepare_output() -> None:
    """Make sure that there is an output, and that no character in a message can stop a command."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 (lives as long as the process)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(words: list[str], state: State) -> int:
    names, words = split_disabled(words)
    state.disabled = tuple(names)
    if f"_{PROGRAM.upper()}_COMPLETE" in os.environ:
        root().main(words, prog_name=PROGRAM, obj=state)
    command = root()
    try:
        with command.make_context(PROGRAM, words, obj=state, color=_color()) as context:
            returned = command.invoke(context)
    except click.exceptions.Exit as stop:
        returned = stop.exit_code
    sys.stdout.flush()
    return returned if isinstance(returned, int) else 0


def root() -> LazyGroup:
    """The root command."""
    version = click.version_option(tiergate.__version__, "--version", message="%(prog)s %(version)s")
    named = click.Option(
        [DISABLE_OPTION],
        multiple=True,
        expose_value=False,
        metavar="NAME",
        help="Leave a plugin out; may be repeated, and stand anywhere.",
    )
    return version(
        LazyGroup(
            PROGRAM,
            table=COMMANDS,
            params=[named, *global_options()],
            help="Benchmark, route and gate the tiered worker pools that serve sessions of tasks.",
            epilog="Exit codes: 0 fine; 1 a gate failed, or something differs or is damaged; 2 wrong usage or"
            " configuration; 3 the run itself broke; 4 inconclusive; 130 interrupted.",
        )
    )


def _color() -> bool | None:
    return False if os.environ.get("NO_COLOR") else None


def _report(error: Exception, state: State) -> int:
    from tiergate.errors import EXIT_BROKE, EXIT_USAGE, TiergateError  # `--help` must not pay for it

    if state.debug:
        import traceback  # likewise

        traceback.print_exception(error)
    if isinstance(error, TiergateError):
        return _say(f"error: {error}", error.exit_code)
    if isinstance(error, click.ClickException):
        return _say(f"error: {_usage(error)}", EXIT_USAGE)
    if isinstance(error, OSError) and error.strerror:
        from tiergate.refusals import hint_of, is_wrong_path  # likewise

        where = f"{error.filename}: " if error.filename else "output: "
        return _say(
            f"error: {where}{error.strerror} ({hint_of(error)})",
            EXIT_USAGE if is_wrong_path(error) else EXIT_BROKE,
        )
    what = " ".join(f"{type(error).__name__}: {error}".split())
    advice = "please report it" if state.debug else "run again with --debug and report it"
    return _say(f"internal error: {what} ({advice})", EXIT_BROKE)


def _usage(error: click.ClickException) -> str:
    """One line of what click found wrong: what, and what to do."""
    context = getattr(error, "ctx", None)
    if context and context.command.hidden:
        context = context.parent
    hint = f"see `{context.command_path} --help`" if context else "see `tiergate --help`"
    what = " ".join(error.format_message().split()).rstrip(".")
    if isinstance(error, click.NoSuchOption):
        what = f"unknown option {error.option_name!r}"
        hint = f"did you mean {error.possibilities[0]!r}?" if error.possibilities else hint
    return f"{what[:1].lower()}{what[1:]} ({hint})"


def _say(line: str, exit_code: int) -> int:
    print(f"{PROGRAM}: {line}", file=sys.stderr)
    return exit_code


def _forget_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain as it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
