"""Any command as a target: a long-lived process that is sent one request a line and answers one line each."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tiergate.errors import UsageError
from tiergate.hooks import LoadTargetDeclaration, hookimpl
from tiergate.target import Target, TargetSetup

MOST_COPIES = 256


def open_command(setup: TargetSetup) -> Target:
    """The copies of a command, not yet started. ``{store}`` in it becomes the address of the store.

    Raises:
        UsageError: there is no command, it cannot be split into words, or an option is wrong.
    """
    from tiergate_plugins.targets.copies import Copies  # listing plugins must not pay for asyncio

    where = "target command"
    try:
        words = shlex.split(setup.argument)
    except ValueError as error:
        raise UsageError(f"the command cannot be split into words: {error}", where=where) from None
    if not words:
        raise UsageError("no command is given", where=where, hint="write --target 'command:PROGRAM WORDS'")
    return Copies([word.replace("{store}", setup.store) for word in words], _copies(setup), setup.store)


def _copies(setup: TargetSetup) -> int:
    unknown = sorted(set(setup.options) - {"copies"})
    if unknown:
        raise UsageError(f"unknown option {unknown[0]!r}", where="target command", hint="known: copies")
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
    )
