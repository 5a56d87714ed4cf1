"""Any command as a target: long-lived processes that answer line by line, or a process for each request."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from shutil import which

from tiergate.errors import UsageError
from tiergate.hooks import LoadTargetDeclaration, hookimpl
from tiergate.target import Target, TargetSetup

MOST_COPIES = 256


def _read(setup: TargetSetup) -> tuple[list[str], int]:
    """The words of the command, and how many copies of it.

    Raises:
        UsageError: there is no command, it cannot be split into words, or an option is wrong.
    """
    where = "target command"
    try:
        words = shlex.split(setup.argument)
    except ValueError as error:
        raise UsageError(f"the command cannot be split into words: {error}", where=where) from None
    if not words:
        raise UsageError("no command is given", where=where, hint="write --target 'command:PROGRAM WORDS'")
    _require_known(setup)
    copies = _copies(setup)
    return words, copies


def check_command(setup: TargetSetup) -> None:
    """Find out whether the words are right and the program is there.

    Raises:
        UsageError: they are not, or it is not.
    """
    words, _ = _read(setup)
    if which(words[0]) is None:
        raise UsageError(
            f"no such program, or none that may be run: {words[0]!r}",
            where="target command",
            hint="check its name, or give its path",
        )


def open_command(setup: TargetSetup) -> Target:
    """The command as a target, not yet started. ``{store}`` in it becomes the address of the store.

    Raises:
        UsageError: there is no command, it cannot be split into words, or an option is wrong.
    """
    words, copies = _read(setup)
    words = [word.replace("{store}", setup.store) for word in words]
    # Here, because listing plugins must not pay for asyncio.
    if "per" in setup.options:
        from tiergate_plugins.targets.each import OneEach

        return OneEach(words, setup.store)
    from tiergate_plugins.targets.copies import Copies
    from tiergate_plugins.targets.language import PlainLines

    return Copies(words, copies, setup.store, PlainLines)


def _require_known(setup: TargetSetup) -> None:
    unknown = sorted(set(setup.options) - {"copies", "per"})
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}", where="target command", hint="known: copies, per")
    if setup.options.get("per", "request") != "request":
        raise UsageError(
            f"per must be request, not {setup.options['per']!r}",
            where="target command",
            hint="leave it out for a process that lives as long as the round",
        )
    if len(setup.options) > 1:
        raise UsageError("per and copies exclude each other", where="target command", hint="give one of them")


def _copies(setup: TargetSetup) -> int:
    text = setup.options.get("copies", "1")
    if not text.isdecimal() or not 1 <= int(text) <= MOST_COPIES:
        raise UsageError(
            f"copies must be a whole number from 1 to {MOST_COPIES}, not {text!r}", where="target command"
        )
    return int(text)


@hookimpl
def tiergate_targets() -> Iterator[LoadTargetDeclaration]:
    """The target of this module."""
    yield LoadTargetDeclaration(
        name="command",
        summary="any command that reads requests and writes answers, one JSON line each",
        open=open_command,
        check=check_command,
    )
